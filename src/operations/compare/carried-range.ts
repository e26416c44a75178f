import type { KeyRange, RowKey } from '../../core/compare-side.ts';
import type { TablePlan } from './table-plan.ts';

/** Ranges of a plan are of the source's keys: the same one as the target writes it. */
export function rangeThere({ carrier }: Pick<TablePlan, 'carrier'>, range: KeyRange): KeyRange {
  const keys = carrier?.keys;
  if (keys == null) return range;
  const there = (key: RowKey | null): RowKey | null => {
    const carried = key && keys.there(key);
    if (key !== null && carried === null) throw new RangeError('a range that the target has no bound for');
    return carried;
  };
  return { after: there(range.after), to: there(range.to) };
}

/** Keys of the target, but for those that the source can't have: where these lie a range is cut less finely. */
export function boundsHere({ carrier }: Pick<TablePlan, 'carrier'>, keys: readonly RowKey[]): readonly RowKey[] {
  return keys.flatMap((key) => keyHere({ carrier }, key));
}

/** Keys of the source, but for those that the target can't have. */
export function boundsThere({ carrier }: Pick<TablePlan, 'carrier'>, keys: readonly RowKey[]): readonly RowKey[] {
  return keys.filter((key) => carrier?.keys?.there(key) !== null);
}

/** A key of the target as the source writes it; nothing where it can't have it. */
export function keyHere({ carrier }: Pick<TablePlan, 'carrier'>, key: RowKey): readonly RowKey[] {
  const keys = carrier?.keys;
  const here = keys == null ? key : keys.back(key);
  return here === null ? [] : [here];
}
