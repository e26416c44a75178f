import { randomUUID } from 'node:crypto';
import { type BesideStream, lookAtTarget, type Passed, TableWindow, type TableWindowOptions } from './stream-look.ts';

/** Where a look is: what has changed behind the look before, or behind the first watermark. */
export interface Since extends Passed {
  readonly columns: readonly string[];
  /** Aborts where the look takes too long: nothing more may be written. */
  readonly over: AbortSignal;
}

/** Tells what the stream changes in a table from one of its watermarks on, and lets somebody look at the target where it has come to by now. */
export class ChangesSince implements Disposable {
  readonly #beside: BesideStream;
  readonly #table: Pick<TableWindowOptions, 'table' | 'columns'>;
  /** The watermark of the next look. */
  #next: string = randomUUID();
  #window: TableWindow;

  /** `low`: the watermark behind which changes count. */
  constructor(beside: BesideStream, { low, table, columns }: Omit<TableWindowOptions, 'high'>) {
    this.#beside = beside;
    this.#table = { table, columns };
    this.#window = new TableWindow(beside.live, { low, high: this.#next, table, columns });
  }

  /** Rejects with what `run` rejects with, and where the stream or the job ends. One look after the other. */
  async look(run: (since: Since) => Promise<void>): Promise<void> {
    const { live } = this.#beside;
    const id = this.#next;
    using window = this.#window;
    // The next window begins where this one ends.
    this.#next = randomUUID();
    this.#window = new TableWindow(live, { ...this.#table, low: id, high: this.#next });
    await lookAtTarget({
      ...this.#beside,
      id,
      write: (until) => live.reader.watermark(id, until),
      see: (over) => run({ ...window.passed, columns: this.#table.columns, over }),
    });
  }

  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]();
  }
}
