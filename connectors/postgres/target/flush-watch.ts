import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Position } from '../../../src/core/position.ts';
import type { WorkMeter } from '../../../src/core/work-meter.ts';
import { type Lsn, parseLsn } from '../lsn.ts';

const pollMs = 20;

export interface FlushWatchOptions {
  readonly client: pg.Client;
  readonly meter: WorkMeter;
  /** A COMMIT is on its way in the session, whose answer tells; what is asked would be answered behind it. */
  isToldSoon(): boolean;
  onDurable(position: Position): void;
}

interface Waiting {
  readonly position: Position;
  /** The target's WAL has to be flushed up to here. */
  readonly needs: Lsn;
}

/**
 * Finds out when commits that returned before their WAL was on disk are durable: the target's flush position has passed the
 * WAL's end after the commit. Each COMMIT that follows tells it; where none does, it is asked for in the apply session's pipeline. Asked for every 20 ms
 * it was most of what a route that waits for its turn on a busy machine had to do.
 */
export class FlushWatch {
  readonly #client: pg.Client;
  readonly #isToldSoon: () => boolean;
  readonly #onDurable: (position: Position) => void;
  readonly #meter: WorkMeter;
  #waiting: Waiting[] = [];
  /** Up to here the time in which something waited is counted. */
  #countedMs = 0;
  /** When the server has told last. */
  #toldMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #asking = false;
  #closed = false;

  constructor({ client, meter, isToldSoon, onDurable }: FlushWatchOptions) {
    this.#client = client;
    this.#meter = meter;
    this.#isToldSoon = isToldSoon;
    this.#onDurable = onDurable;
  }

  /** `walEnd`, `flushed`: the target's WAL insert and flush positions after the commit was answered. */
  wait(position: Position, walEnd: string, flushed: string): void {
    if (this.#waiting.length === 0) this.#countedMs = performance.now();
    this.#waiting.push({ position, needs: parseLsn(walEnd) });
    this.#told(flushed);
    this.#schedule(pollMs);
  }

  /** A COMMIT has waited for its own flush: what was committed before it is on disk, too. What others have written behind it nobody has to wait for. */
  passed(): void {
    if (this.#waiting.length === 0) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#meter.spent('flush', performance.now() - this.#countedMs);
    this.#waiting.length = 0;
  }

  /** Resolves when nothing waits any more, the session is gone, or `mostMs` have passed. */
  async settled(mostMs: number): Promise<void> {
    const endMs = performance.now() + mostMs;
    const { stream } = this.#client.connection;
    while (this.#waiting.length > 0 && !this.#closed && !stream.destroyed && performance.now() < endMs)
      await delay(pollMs);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(inMs: number): void {
    if (this.#closed || this.#asking || this.#timer !== null || this.#waiting.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const leftMs = this.#isToldSoon() ? pollMs : this.#toldMs + pollMs - performance.now();
      // A timer may come a fraction of a millisecond early.
      if (leftMs >= 1) this.#schedule(leftMs);
      else this.#ask();
    }, inMs);
  }

  #ask(): void {
    this.#asking = true;
    this.#client.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn').then(
      ({ rows }) => {
        this.#asking = false;
        if (rows[0]) this.#told(rows[0].lsn);
        this.#schedule(pollMs);
      },
      // Fails with the session; whoever applies meets the error itself. In an aborted transaction it is asked again.
      () => {
        this.#asking = false;
        this.#schedule(pollMs);
      },
    );
  }

  #told(flushPosition: string): void {
    const flushed = parseLsn(flushPosition);
    this.#toldMs = performance.now();
    let last: Position | null = null;
    while (this.#waiting[0] !== undefined && this.#waiting[0].needs <= flushed) {
      last = this.#waiting[0].position;
      this.#waiting.shift();
    }
    if (last === null || this.#closed) return;
    const nowMs = performance.now();
    this.#meter.spent('flush', nowMs - this.#countedMs);
    this.#countedMs = nowMs;
    failpoint('flush.seen');
    this.#onDurable(last);
  }
}
