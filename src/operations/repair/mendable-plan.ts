import type { CompareSide } from '../../core/compare-side.ts';
import type { TablePlan } from '../compare/table-plan.ts';

/**
 * The plan by which rows are mended that have no key. Between vendors they are listed through the bridge, also where both servers could hash them
 * themselves: a row of the source that has no form at the target is known there as such, and every row by the hash that its change in the stream has.
 */
export function forMending(plan: TablePlan): TablePlan {
  return isCarriedWithoutKey(plan) ? { ...plan, isStreamed: true } : plan;
}

/**
 * Rows that nobody can look up one by one can be read again by where they stand. Between vendors only those without a key: another one may be written
 * at the target in a form that finds another row.
 */
export function canMend(
  { source, target }: { readonly source: Pick<CompareSide, 'placed'>; readonly target: Pick<CompareSide, 'placed'> },
  plan: Pick<TablePlan, 'carrier' | 'targetShape'>,
): boolean {
  if (source.placed === undefined || target.placed === undefined) return false;
  return plan.carrier === null || isCarriedWithoutKey(plan);
}

function isCarriedWithoutKey({ carrier, targetShape }: Pick<TablePlan, 'carrier' | 'targetShape'>): boolean {
  return carrier !== null && targetShape.key.length === 0;
}
