import { randomUUID } from 'node:crypto';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';

export interface ChangesSinceOptions {
  readonly route: string;
  readonly live: LiveStream;
  /** Label of the source's table. */
  readonly table: string;
  /** By which changes tell its rows apart. */
  readonly columns: readonly string[];
  /** The watermark behind which changes count. It is not written yet. */
  readonly after: string;
  readonly signal: AbortSignal;
}

/** Where a look is. */
export interface Since {
  /** What has changed behind the look before, or behind the first watermark. */
  readonly changed: ChangedRows;
  readonly columns: readonly string[];
  /** Of the source: everything up to it is applied, nothing behind it. */
  readonly position: Position;
  /** Aborts where the look takes too long: nothing more may be written. */
  readonly over: AbortSignal;
}

/** Tells what the stream changes in a table from one of its watermarks on, and lets somebody look at the target where it has come to by now. */
export class ChangesSince implements Disposable {
  readonly #options: ChangesSinceOptions;
  /** The watermark of the next look. */
  #next: string = randomUUID();
  #passed: Omit<Since, 'over'> | null = null;
  #takeBack: () => void;

  constructor(options: ChangesSinceOptions) {
    this.#options = options;
    this.#takeBack = this.#open(options.after);
  }

  /** Rejects with what `run` rejects with, and where the stream or the job ends. One look after the other. */
  async look(run: (since: Since) => Promise<void>): Promise<void> {
    const { live, route, signal } = this.#options;
    const until = AbortSignal.any([signal, live.ended]);
    const seen = Promise.withResolvers<void>();
    seen.promise.catch(() => {});
    const id = this.#next;
    const closing = this.#takeBack;
    const takeBackLook = live.looks.ask(id, async (over) => {
      over.addEventListener('abort', () => seen.reject(fail(routeErrors.lookTooLong, { route })), { once: true });
      try {
        if (this.#passed === null) throw new RangeError('a look before its window has closed');
        await run({ ...this.#passed, over });
        seen.resolve();
      } catch (error) {
        seen.reject(error);
      }
    });
    // The next window begins where this one ends.
    this.#next = randomUUID();
    this.#takeBack = this.#open(id);
    const onAbort = (): void => seen.reject(until.reason);
    until.addEventListener('abort', onAbort, { once: true });
    try {
      until.throwIfAborted();
      await live.reader.watermark(id, until);
      await seen.promise;
    } catch (error) {
      signal.throwIfAborted();
      if (live.ended.aborted) throw fail(routeErrors.notStreaming, { route }, error);
      throw error;
    } finally {
      until.removeEventListener('abort', onAbort);
      closing();
      takeBackLook();
    }
  }

  [Symbol.dispose](): void {
    this.#takeBack();
  }

  /** Where the window ends the target is looked at. */
  #open(low: string): () => void {
    const { live, table, columns } = this.#options;
    const high = this.#next;
    return live.windows.open({
      low,
      high,
      tables: new Map([[table, columns]]),
      close: (part, all) => {
        const changed = all.get(table);
        this.#passed =
          changed === undefined || part.commit === null ? null : { changed, columns, position: part.commit.position };
        return { ...part, look: high };
      },
    });
  }
}
