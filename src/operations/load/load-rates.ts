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

  of(table: Omit<TableProgress, 'rowsPerSecond' | 'leftMs'>): TableProgress {
    const [first, ...more] = this.#steps.get(table.table) ?? [];
    const seconds = first === undefined ? 0 : (this.#nowMs() - first.atMs) / 1000;
    if (seconds === 0 || more.length === 0) return { ...table, rowsPerSecond: null, leftMs: null };
    const rows = more.reduce((sum, step) => sum + step.rows, 0);
    const rowsPerSecond = Math.round(rows / seconds);
    // What the source knows of its size without counting may be less than what has come.
    const left = Math.max(0, table.expectedRows - table.rows);
    return { ...table, rowsPerSecond, leftMs: rowsPerSecond === 0 ? null : Math.round((left / rowsPerSecond) * 1000) };
  }
}
