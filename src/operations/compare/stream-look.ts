import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';

/** What has changed in one table between two watermarks. */
export interface Passed {
  readonly changed: ChangedRows;
  /** Of the source: that of the second watermark. */
  readonly position: Position;
}

export interface TableWindowOptions {
  /** Ids of watermarks that are not written yet. */
  readonly low: string;
  readonly high: string;
  /** Label of the source's table. */
  readonly table: string;
  /** By which changes tell its rows apart. */
  readonly columns: readonly string[];
}

/** Notes what changes in one table between two watermarks; where it ends the target is looked at. */
export class TableWindow implements Disposable {
  readonly #takeBack: () => void;
  #passed: Passed | null = null;

  constructor({ windows }: LiveStream, { low, high, table, columns }: TableWindowOptions) {
    this.#takeBack = windows.open({
      low,
      high,
      tables: new Map([[table, columns]]),
      close: (part, all) => {
        const changed = all.get(table);
        if (changed !== undefined && part.commit !== null) this.#passed = { changed, position: part.commit.position };
        return { ...part, look: high };
      },
    });
  }

  /** Once the stream has come to its end. */
  get passed(): Passed {
    if (this.#passed === null) throw new RangeError('a look before its window has closed');
    return this.#passed;
  }

  [Symbol.dispose](): void {
    this.#takeBack();
  }
}

/** Somebody who asks something of a stream, for as long as both last. */
export interface BesideStream {
  readonly route: string;
  readonly live: LiveStream;
  readonly signal: AbortSignal;
}

/** What fails because the stream has ended is to be tried again: another stream follows, or the route rests (TL-4154). */
export async function besideStream<T>({ route, live, signal }: BesideStream, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    if (live.ended.aborted) throw fail(routeErrors.notStreaming, { route }, error);
    throw error;
  }
}

export interface StreamLook<Seen> extends BesideStream {
  /** The watermark at which the target is looked at, which `write` writes last. */
  readonly id: string;
  write(until: AbortSignal): Promise<void>;
  /**
   * While applying waits: everything before the watermark is at the target, and nothing behind it. `over` aborts where it takes too long: nothing
   * more may be written then.
   */
  see(over: AbortSignal): Promise<Seen>;
  /** Ends at once what `see` has begun: it has taken too long. */
  giveUp?(): void;
  /** What was seen when nobody waited for it any more. */
  tooLate?(seen: Seen): void;
}

/** Gives what `see` has seen; rejects with what it rejects with, where it takes too long (TL-4170), and where the stream or its asker's signal ends. */
export async function lookAtTarget<Seen>(look: StreamLook<Seen>): Promise<Seen> {
  const { route, live, signal, id } = look;
  const until = AbortSignal.any([signal, live.ended]);
  const seen = Promise.withResolvers<Seen>();
  seen.promise.catch(() => {});
  let isOver = false;
  const end = (error: unknown): void => {
    isOver = true;
    seen.reject(error);
  };
  const takeBack = live.looks.ask(id, async (over) => {
    const onOver = (): void => {
      look.giveUp?.();
      end(fail(routeErrors.lookTooLong, { route }));
    };
    over.addEventListener('abort', onOver, { once: true });
    try {
      const result = await look.see(over);
      if (isOver) look.tooLate?.(result);
      else seen.resolve(result);
    } catch (error) {
      seen.reject(error);
    }
  });
  const onAbort = (): void => end(until.reason);
  until.addEventListener('abort', onAbort, { once: true });
  return await besideStream(look, async () => {
    try {
      until.throwIfAborted();
      await look.write(until);
      return await seen.promise;
    } catch (error) {
      void seen.promise.then((result) => look.tooLate?.(result)).catch(() => {});
      throw error;
    } finally {
      until.removeEventListener('abort', onAbort);
      takeBack();
    }
  });
}
