import { createHash } from 'node:crypto';
import type { TableFacts } from '../core/table-facts.ts';
import { untoldOf } from './untold-changes.ts';

/** Tells one state of the catalogue from another. */
export function printOf(facts: TableFacts): string {
  const { uniqueKeys } = facts;
  return hashOf(facts, { ...untoldOf(facts), ...(uniqueKeys !== undefined && { uniqueKeys }) });
}

/** Also where an older engine has stored it, which did not ask for all that is in it by now. */
export function isPrintOf(print: string, facts: TableFacts): boolean {
  return [printOf(facts), hashOf(facts, untoldOf(facts)), hashOf(facts, {})].includes(print);
}

function hashOf({ id, stamps, storage, links, columns }: TableFacts, more: object): string {
  return createHash('sha256')
    .update(JSON.stringify([id, stamps, storage, links, columns, ...(Object.keys(more).length === 0 ? [] : [more])]))
    .digest('hex')
    .slice(0, 32);
}
