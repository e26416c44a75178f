import type { Row } from '../../../src/core/cell.ts';
import type { ShareTest } from '../../../src/core/change.ts';
import type { TablePlan } from './table-plan.ts';

interface Displaced {
  readonly plan: TablePlan;
  readonly cells: (string | null)[];
}

/** What an entry holds in memory beside its text, about. */
const overheadBytes = 200;

/**
 * Rows that were deleted because a change of the same transaction needed their unique value, kept with all their cells
 * until their own change comes or the transaction ends. Empty at each commit.
 */
export class DisplacedRows {
  readonly #rows = new Map<string, Displaced>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** False where the rows would be more than memory allows: the transaction can't go on. */
  put(plan: TablePlan, key: readonly string[], cells: (string | null)[]): boolean {
    this.#rows.set(name(plan, key), { plan, cells });
    this.#bytes += bytesOf(cells);
    return this.#bytes <= this.#limitBytes;
  }

  /** Those of a table that was emptied, or of the share of it that was. */
  forget(plan: TablePlan, test?: ShareTest): void {
    for (const [at, { cells }] of this.#rows) {
      if (!at.startsWith(`${plan.target.oid}\0`)) continue;
      if (test !== undefined && !test.isOurs(sourceRow(plan, cells))) continue;
      this.#rows.delete(at);
      this.#bytes -= bytesOf(cells);
    }
  }

  takeAll(): readonly Displaced[] {
    const all = [...this.#rows.values()];
    this.#rows.clear();
    this.#bytes = 0;
    return all;
  }

  /** Takes the row with this key, null where it does not stand aside. */
  take(plan: TablePlan, key: readonly (string | null)[]): (string | null)[] | null {
    if (this.#rows.size === 0) return null;
    const at = name(plan, key);
    const cells = this.#rows.get(at)?.cells ?? null;
    if (cells === null) return null;
    this.#rows.delete(at);
    this.#bytes -= bytesOf(cells);
    return cells;
  }
}

function name(plan: TablePlan, key: readonly (string | null)[]): string {
  return `${plan.target.oid}\0${plan.nameKey(key)}`;
}

/** The row as mapped. */
function sourceRow(plan: TablePlan, cells: readonly (string | null)[]): Row {
  const kept = plan.target.columns.filter((column) => !column.generated);
  const row: Row = [];
  for (const { index, column } of plan.columns) {
    const cell = cells[kept.indexOf(column)] ?? null;
    const isBytes = cell !== null && plan.source.columns[index]?.type === 'pg_catalog.bytea';
    row[index] = isBytes ? Buffer.from(cell.slice(2), 'hex') : cell;
  }
  return row;
}

function bytesOf(cells: readonly (string | null)[]): number {
  let bytes = overheadBytes;
  for (const cell of cells) bytes += cell?.length ?? 0;
  return bytes;
}
