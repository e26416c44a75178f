import { createHash } from 'node:crypto';
import type { TableFacts } from '../core/table-facts.ts';
import { olderPublished, untoldOf } from './untold-changes.ts';

/** Tells one state of the catalogue from another. */
export function printOf(facts: TableFacts): string {
  const { uniqueKeys } = facts;
  return hashOf(facts, { ...shownOf(facts), ...(uniqueKeys !== undefined && { uniqueKeys }) });
}

/** Also where an older engine has stored it, which did not ask for all that is in it by now. */
export function isPrintOf(print: string, facts: TableFacts): boolean {
  const { labelStamps: _, ...older } = facts;
  const published = olderPublished(facts.published).map((text) => ({ published: text }));
  const all = [facts, older].flatMap((as) => [as, ...published.map((text) => ({ ...as, ...text }))]);
  const known = all.flatMap((as) => [printOf(as), hashOf(as, shownOf(as))]);
  return [...known, hashOf(facts, {})].includes(print);
}

/** Whether commands are told says nothing about the table: a start may have made anew what tells them. */
function shownOf(facts: TableFacts): object {
  const { toldBy: _, ...shown } = untoldOf(facts);
  return shown;
}

function hashOf({ id, stamps, storage, links, columns }: TableFacts, more: object): string {
  return createHash('sha256')
    .update(JSON.stringify([id, stamps, storage, links, columns, ...(Object.keys(more).length === 0 ? [] : [more])]))
    .digest('hex')
    .slice(0, 32);
}
