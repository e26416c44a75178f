import type { TableProgress } from '../../core/route-status.ts';

/** Of the last while: the rate of a load that has just been slow is what people want to know. */
const windowMs = 30_000;

interface Step {
  readonly atMs: number;
  readonly rows: number;
  readonly bytes: number;
}

/** How fast tables come, and how long they will take. */
export class LoadRates {
  readonly #steps = new Map<string, Step[]>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  add(table: string, rows: number, bytes: number): void {
    const atMs = this.#nowMs();
    const steps = (this.#steps.get(table) ?? []).filter((step) => atMs - step.atMs < windowMs);
    steps.push({ atMs, rows, bytes });
    this.#steps.set(table, steps);
  }

  of<T extends Omit<TableProgress, 'rowsPerSecond' | 'leftMs'>>(
    table: T,
  ): T & Pick<TableProgress, 'rowsPerSecond' | 'leftMs'> {
    const [first, ...more] = this.#steps.get(table.table) ?? [];
    const seconds = first === undefined ? 0 : (this.#nowMs() - first.atMs) / 1000;
    if (seconds === 0 || more.length === 0) return { ...table, rowsPerSecond: null, leftMs: null };
    const rows = more.reduce((sum, step) => sum + step.rows, 0);
    const rowsPerSecond = Math.round(rows / seconds);
    return { ...table, rowsPerSecond, leftMs: leftMs(leftOf(table), rowsPerSecond) };
  }
}

/** Of tables together, some of which wait for others to end. Null where nothing has come yet. */
export function rateOfAll(
  tables: readonly Pick<TableProgress, 'rows' | 'expectedRows' | 'rowsPerSecond'>[],
): Pick<TableProgress, 'rowsPerSecond' | 'leftMs'> {
  const rates = tables.flatMap(({ rowsPerSecond }) => rowsPerSecond ?? []);
  if (rates.length === 0) return { rowsPerSecond: null, leftMs: null };
  const rowsPerSecond = rates.reduce((sum, rate) => sum + rate, 0);
  const left = tables.reduce((sum, table) => sum + leftOf(table), 0);
  return { rowsPerSecond, leftMs: leftMs(left, rowsPerSecond) };
}

/** What the source knows of its size without counting may be less than what has come. */
function leftOf({ rows, expectedRows }: Pick<TableProgress, 'rows' | 'expectedRows'>): number {
  return Math.max(0, expectedRows - rows);
}

function leftMs(rows: number, rowsPerSecond: number): number | null {
  return rowsPerSecond === 0 ? null : Math.round((rows / rowsPerSecond) * 1000);
}
