import type { Change, DdlChange, SchemaChange } from '../../../src/core/change.ts';
import { packedInserts } from '../../../src/core/packed-part.ts';
import type { Evolution } from '../../../src/core/schema-step.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';

/** A definition that the target has to follow, or a command that it has to carry out, before the rows after it. */
export type Evolving = (SchemaChange & { readonly evolution: Evolution }) | DdlChange;

function isEvolving(change: Change): change is Evolving {
  return change.kind === 'ddl' || (change.kind === 'schemaChange' && change.evolution !== undefined);
}

/** What the part begins with, null where that is rows. */
export function evolutionOf(part: TransactionPart | undefined): Evolving | null {
  if (part === undefined || packedInserts(part) !== null) return null;
  const [first] = part.changes;
  return first !== undefined && isEvolving(first) ? first : null;
}

const rowKinds: ReadonlySet<string> = new Set(['insert', 'update', 'delete', 'unmapped']);

export function hasEvolutions(part: TransactionPart): boolean {
  if (packedInserts(part) !== null) return false;
  const { changes } = part;
  for (let at = 0; at < changes.length; at++) if (isEvolving(changes[at] as Change)) return true;
  return false;
}

/** The part, cut so that each definition to be followed is one by itself, which never ends a transaction. */
export function cutAtEvolutions(part: TransactionPart): readonly TransactionPart[] {
  const cuts = part.changes.flatMap((change, at) => (isEvolving(change) ? [at, at + 1] : []));
  const bounds = [0, ...cuts, part.changes.length];
  const pieces = bounds.slice(1).map((end, at) => part.changes.slice(bounds[at], end));
  return pieces.flatMap((changes, at) => {
    const isLast = at === pieces.length - 1;
    if (changes.length === 0 && !(isLast && part.commit !== null)) return [];
    const rows = changes.filter(({ kind }) => rowKinds.has(kind)).length;
    const bytes = Math.ceil(part.bytes / pieces.length);
    const { unmapped, ...rest } = part;
    const isUnmapped = unmapped !== undefined && changes.some(({ kind }) => kind === 'unmapped');
    return [{ ...rest, changes, rows, bytes, commit: isLast ? part.commit : null, ...(isUnmapped && { unmapped }) }];
  });
}
