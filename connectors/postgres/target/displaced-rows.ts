import type { TablePlan } from './table-plan.ts';

/**
 * Rows that were deleted because an earlier change of the same transaction needed their unique value, kept with all
 * their cells until their own change comes. Empty at each commit.
 */
export class DisplacedRows {
  readonly #rows = new Map<string, (string | null)[]>();

  get size(): number {
    return this.#rows.size;
  }

  put(plan: TablePlan, key: readonly string[], cells: (string | null)[]): void {
    this.#rows.set(name(plan, key), cells);
  }

  /** Those of a table that was emptied. */
  forget(plan: TablePlan): void {
    for (const at of this.#rows.keys()) if (at.startsWith(`${plan.target.oid}\0`)) this.#rows.delete(at);
  }

  /** Takes the row with this key, null where it does not stand aside. */
  take(plan: TablePlan, key: readonly (string | null)[]): (string | null)[] | null {
    if (this.#rows.size === 0) return null;
    const at = name(plan, key);
    const cells = this.#rows.get(at) ?? null;
    if (cells !== null) this.#rows.delete(at);
    return cells;
  }
}

function name(plan: TablePlan, key: readonly (string | null)[]): string {
  return `${plan.target.oid}\0${plan.nameKey(key)}`;
}
