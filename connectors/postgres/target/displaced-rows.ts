import type { Row } from '../../../src/core/cell.ts';
import type { ShareTest } from '../../../src/core/change.ts';
import type { TablePlan } from './table-plan.ts';

/** Where a change stands, for messages. */
export interface ChangePlace {
  readonly route: string;
  readonly table: string;
  readonly position: string;
  readonly change: string;
}

export interface Displaced {
  readonly plan: TablePlan;
  /** Of all columns that are not generated. */
  readonly cells: (string | null)[];
  /** The change that has taken its place. */
  readonly by: ChangePlace;
  /** That was an insert of its key; else another unique value was taken. */
  readonly isKeyTaken: boolean;
}

/** What an entry holds in memory beside its text, about. */
const overheadBytes = 200;

/**
 * Rows that were deleted because a change of the same transaction needed their unique value, kept with all their cells
 * until their own change comes or the transaction ends. Empty at each commit.
 */
export class DisplacedRows {
  /** By key: where the source can defer its key, or has none, rows of one key may stand aside together. */
  readonly #rows = new Map<string, Displaced[]>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    let size = 0;
    for (const rows of this.#rows.values()) size += rows.length;
    return size;
  }

  /** False where the rows would be more than memory allows: the transaction can't go on. */
  put(row: Displaced): boolean {
    const at = name(row.plan, keyOfCells(row.plan, row.cells));
    this.#rows.set(at, [...(this.#rows.get(at) ?? []), row]);
    this.#bytes += bytesOf(row.cells);
    return this.#bytes <= this.#limitBytes;
  }

  /** Those of a table that was emptied, or of the share of it that was. */
  forget(plan: TablePlan, test?: ShareTest): void {
    for (const [at, rows] of this.#rows) {
      if (!at.startsWith(`${plan.target.oid}\0`)) continue;
      for (const row of rows) if (test === undefined || test.isOurs(sourceRow(plan, row.cells))) this.#remove(at, row);
    }
  }

  takeAll(): readonly Displaced[] {
    const all = [...this.#rows.values()].flat();
    this.#rows.clear();
    this.#bytes = 0;
    return all;
  }

  /** The rows with this key that stand aside. */
  of(plan: TablePlan, key: readonly (string | null)[]): readonly Displaced[] {
    return this.#rows.size === 0 ? [] : (this.#rows.get(name(plan, key)) ?? []);
  }

  /** It stands aside no longer. */
  take(row: Displaced): void {
    this.#remove(name(row.plan, keyOfCells(row.plan, row.cells)), row);
  }

  #remove(at: string, row: Displaced): void {
    const left = (this.#rows.get(at) ?? []).filter((other) => other !== row);
    if (left.length > 0) this.#rows.set(at, left);
    else this.#rows.delete(at);
    this.#bytes -= bytesOf(row.cells);
  }
}

/** The key's values among those of all columns that are not generated. */
export function keyOfCells(plan: TablePlan, cells: readonly (string | null)[]): (string | null)[] {
  const kept = plan.target.columns.filter((column) => !column.generated);
  return plan.keyIndexes.map((index) => {
    const bound = plan.columns.find((one) => one.index === index);
    return bound === undefined ? null : (cells[kept.indexOf(bound.column)] ?? null);
  });
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
