import { randomUUID } from 'node:crypto';
import type { CompareSide } from '../../core/compare-side.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { tableLabel } from '../../core/table.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';
import { ChangesSince } from './changes-since.ts';
import type { FrozenSides } from './frozen-sides.ts';
import type { TablePlan } from './table-plan.ts';

export interface StreamFreezerOptions {
  readonly route: string;
  live(): LiveStream | 'soon' | null;
  readonly source: CompareSide;
  readonly target: CompareSide;
  readonly signal: AbortSignal;
}

/**
 * Takes a snapshot of either side at one position of the stream, for tables whose rows nobody can look up one by one: the source's between
 * two watermarks, the target's where the second one has come through, while applying waits for it. Only that moment is waited for, and not the
 * reading.
 */
export class StreamFreezer {
  readonly #options: StreamFreezerOptions;

  constructor(options: StreamFreezerOptions) {
    this.#options = options;
  }

  /** Null where the route does not stream. `follows`: with what comes behind the position. */
  async freeze(plan: TablePlan, { follows = false } = {}): Promise<FrozenSides | null> {
    const { route, signal } = this.#options;
    const live = this.#options.live();
    if (live === 'soon') throw fail(routeErrors.notStreaming, { route });
    if (live === null) return null;
    try {
      return await this.#freeze(plan, live, follows);
    } catch (error) {
      signal.throwIfAborted();
      if (live.ended.aborted) throw fail(routeErrors.notStreaming, { route }, error);
      throw error;
    }
  }

  async #freeze(plan: TablePlan, live: LiveStream, follows: boolean): Promise<FrozenSides> {
    const { route, source, target, signal } = this.#options;
    const table = plan.binding.source;
    const label = tableLabel(table);
    const key = await live.reader.key(table);
    const columns = key?.columns ?? table.columns.map(({ name }) => name);
    const [low, high] = [randomUUID(), randomUUID()];
    const until = AbortSignal.any([signal, live.ended]);
    const seen = Promise.withResolvers<{ readonly changed: ChangedRows; readonly there: CompareSide }>();
    seen.promise.catch(() => {});
    let changed: ChangedRows | null = null;
    const takeBackLook = live.looks.ask(high, async (over) => {
      over.addEventListener('abort', () => seen.reject(fail(routeErrors.lookTooLong, { route })), { once: true });
      try {
        if (changed === null) throw new RangeError('a look before its window has closed');
        const there = await target.frozen(plan.targetShape.table, null);
        // Nobody waits for it any more.
        if (over.aborted) await there.close();
        else seen.resolve({ changed, there });
      } catch (error) {
        seen.reject(error);
      }
    });
    const takeBackWindow = live.windows.open({
      low,
      high,
      tables: new Map([[label, columns]]),
      close: (part, all) => {
        changed = all.get(label) ?? null;
        return { ...part, look: high };
      },
    });
    const since = follows ? new ChangesSince({ route, live, table: label, columns, after: high, signal }) : null;
    const onAbort = (): void => seen.reject(until.reason);
    until.addEventListener('abort', onAbort, { once: true });
    let here: CompareSide | null = null;
    try {
      until.throwIfAborted();
      await live.reader.watermark(low, until);
      here = await live.reader.snapshot(table, until, (id) => source.frozen(table, id));
      await live.reader.watermark(high, until);
      const { changed: rows, there } = await seen.promise;
      const frozen = here;
      return {
        source: frozen,
        target: there,
        changed: rows,
        columns,
        since,
        [Symbol.asyncDispose]: async () => {
          await Promise.all([frozen.close(), there.close()]);
        },
      };
    } catch (error) {
      since?.[Symbol.dispose]();
      await here?.close();
      // It may have come in the meantime.
      void seen.promise.then(({ there }) => there.close()).catch(() => {});
      throw error;
    } finally {
      until.removeEventListener('abort', onAbort);
      takeBackWindow();
      takeBackLook();
    }
  }
}
