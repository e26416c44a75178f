import type { Row } from '../../../src/core/cell.ts';
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

  /** Takes the row that an image names, null where it does not stand aside. */
  take(plan: TablePlan, image: Row): (string | null)[] | null {
    if (this.#rows.size === 0) return null;
    const key = plan.keyIndexes.map((index) => {
      const cell = image[index];
      return typeof cell === 'string' ? cell : '';
    });
    const at = name(plan, key);
    const cells = this.#rows.get(at) ?? null;
    if (cells !== null) this.#rows.delete(at);
    return cells;
  }
}

function name(plan: TablePlan, key: readonly string[]): string {
  return `${plan.target.oid}\0${key.join('\0')}`;
}
