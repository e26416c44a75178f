import { readsOf } from './mapping/share-of.ts';
import type { Step, TableBinding } from './mapping/table-binding.ts';
import { readsAlike } from './retyped-values.ts';
import type { Identified } from './schema-steps.ts';

/**
 * The name of a source column that is another one than before, and that a condition, a share or a value of another column is made of: the rows that now match,
 * and the values that it would now make, come with no event. Null where there is none. What a transform makes of a column for itself travels with it.
 */
export function replacedUnderReaders(from: Identified, to: Identified): string | null {
  const ids = new Map(to.binding.source.columns.map(({ name }, at) => [name, to.ids[at]]));
  for (const at of readElsewhere(from.binding)) {
    const name = from.binding.source.columns[at]?.name;
    const now = name === undefined ? undefined : ids.get(name);
    if (name !== undefined && now !== undefined && now !== from.ids[at]) return name;
  }
  return null;
}

/**
 * The name of a source column that is of another type than before, and that a condition, a share or a transform reads: by the new one a condition may be true of
 * other rows that are there, and a value come out otherwise (`n / 2` of an integer and of a numeric). Null where there is none, or where all values
 * are as they were and expressions take both types for the same.
 */
export function retypedUnderReaders(from: Identified, to: Identified): string | null {
  const now = new Map(to.ids.map((id, at) => [id, to.binding.source.columns[at]]));
  for (const at of readColumns(from.binding)) {
    const was = from.binding.source.columns[at];
    const is = now.get(from.ids[at] ?? -1);
    if (was !== undefined && is !== undefined && !readsAlike(was, is)) return was.name;
  }
  return null;
}

/** Places in the source's row of the columns that travel, or that something is decided by or made of. */
export function usedColumns(binding: TableBinding): ReadonlySet<number> {
  const used = new Set(readColumns(binding));
  for (const { projection, table } of binding.outputs)
    for (const at of projection ?? table.columns.keys()) used.add(at);
  return used;
}

/** By their places in the source's row, with which each row of the chain begins. */
function readElsewhere(binding: TableBinding): Set<number> {
  return readBy(binding, binding.steps.map(withoutOwn));
}

/** Those that something is decided by or made of, also by a rule that makes a cell of itself. */
export function readColumns(binding: TableBinding): ReadonlySet<number> {
  return readBy(binding, binding.steps);
}

function readBy({ outputs }: TableBinding, steps: readonly Step[]): Set<number> {
  const reads = new Set(steps.flatMap((step) => [...readsOf(step), ...(step.kind === 'rows' ? step.makesOf : [])]));
  for (const { owns, projection } of outputs)
    for (const read of owns?.reads ?? []) reads.add(projection === null ? read : (projection[read] ?? -1));
  return reads;
}

/** Without the rules that make a cell of itself alone. */
function withoutOwn(step: Step): Step {
  if (step.kind !== 'cells') return step;
  return { ...step, rules: step.rules.filter(({ index, reads }) => reads.length > 1 || reads[0] !== index) };
}
