import type { TableBinding } from './mapping/table-binding.ts';
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
  const reads = new Set<number>();
  for (const step of steps) {
    if (step.kind === 'filter') for (const read of step.condition.reads) reads.add(read);
    else if (step.kind === 'rows') for (const read of step.reads) reads.add(read);
    else
      for (const rule of step.rules)
        for (const read of rule.reads) if (rule.reads.length > 1 || read !== rule.index) reads.add(read);
  }
  for (const { owns, projection } of outputs)
    for (const read of owns?.reads ?? []) reads.add(projection === null ? read : (projection[read] ?? -1));
  return reads;
}
