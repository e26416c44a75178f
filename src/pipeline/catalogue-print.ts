import { createHash } from 'node:crypto';
import type { TableFacts } from '../core/table-facts.ts';
import { untoldOf } from './untold-changes.ts';

/** Tells one state of the catalogue from another. */
export function printOf(facts: TableFacts): string {
  const { id, stamps, storage, links, columns, uniqueKeys } = facts;
  const untold = { ...untoldOf(facts), ...(uniqueKeys !== undefined && { uniqueKeys }) };
  return createHash('sha256')
    .update(
      JSON.stringify([id, stamps, storage, links, columns, ...(Object.keys(untold).length === 0 ? [] : [untold])]),
    )
    .digest('hex')
    .slice(0, 32);
}
