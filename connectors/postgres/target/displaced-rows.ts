import type { TablePlan } from './table-plan.ts';

interface Displaced {
  readonly plan: TablePlan;
  readonly cells: (string | null)[];
}

/**
 * Rows that were deleted because a change of the same transaction needed their unique value, kept with all their cells
 * until their own change comes or the transaction ends. Empty at each commit.
 */
export class DisplacedRows {
  readonly #rows = new Map<string, Displaced>();

  get size(): number {
    return this.#rows.size;
  }

  put(plan: TablePlan, key: readonly string[], cells: (string | null)[]): void {
    this.#rows.set(name(plan, key), { plan, cells });
  }

  /** Those of a table that was emptied. */
  forget(plan: TablePlan): void {
    for (const at of this.#rows.keys()) if (at.startsWith(`${plan.target.oid}\0`)) this.#rows.delete(at);
  }

  takeAll(): readonly Displaced[] {
    const all = [...this.#rows.values()];
    this.#rows.clear();
    return all;
  }

  /** Takes the row with this key, null where it does not stand aside. */
  take(plan: TablePlan, key: readonly (string | null)[]): (string | null)[] | null {
    if (this.#rows.size === 0) return null;
    const at = name(plan, key);
    const cells = this.#rows.get(at)?.cells ?? null;
    if (cells !== null) this.#rows.delete(at);
    return cells;
  }
}

function name(plan: TablePlan, key: readonly (string | null)[]): string {
  return `${plan.target.oid}\0${plan.nameKey(key)}`;
}
