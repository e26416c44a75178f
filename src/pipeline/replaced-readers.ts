import { readsOf } from './mapping/share-of.ts';
import type { Step, TableBinding } from './mapping/table-binding.ts';
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

/** By their places in the source's row, with which each row of the chain begins. */
function readElsewhere({ steps, outputs }: TableBinding): Set<number> {
  const reads = new Set(
    steps.flatMap((step) => [...readsOf(withoutOwn(step)), ...(step.kind === 'rows' ? step.makesOf : [])]),
  );
  for (const { owns, projection } of outputs)
    for (const read of owns?.reads ?? []) reads.add(projection === null ? read : (projection[read] ?? -1));
  return reads;
}

/** Without the rules that make a cell of itself alone. */
function withoutOwn(step: Step): Step {
  if (step.kind !== 'cells') return step;
  return { ...step, rules: step.rules.filter(({ index, reads }) => reads.length > 1 || reads[0] !== index) };
}
