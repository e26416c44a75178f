import { randomUUID } from 'node:crypto';
import type { CompareSide } from '../../core/compare-side.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { tableLabel } from '../../core/table.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import { ChangesSince } from './changes-since.ts';
import type { FrozenSides } from './frozen-sides.ts';
import { besideStream, lookAtTarget, TableWindow } from './stream-look.ts';
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
    const { route, source, target, signal } = this.#options;
    const live = this.#options.live();
    if (live === 'soon') throw fail(routeErrors.notStreaming, { route });
    if (live === null) return null;
    const asked = { route, live, signal };
    const table = plan.binding.source;
    const key = await besideStream(asked, () => live.reader.key(table));
    const columns = key?.columns ?? table.columns.map(({ name }) => name);
    const [low, high] = [randomUUID(), randomUUID()];
    const window = { low, high, table: tableLabel(table), columns };
    using passing = new TableWindow(live, window);
    const since = follows ? new ChangesSince(asked, { ...window, low: high }) : null;
    let here = null as CompareSide | null;
    try {
      const there = await lookAtTarget({
        ...asked,
        id: high,
        write: async (until) => {
          await live.reader.watermark(low, until);
          here = await live.reader.snapshot(table, until, (id) => source.frozen(table, id));
          await live.reader.watermark(high, until);
        },
        see: () => target.frozen(plan.targetShape.table, null),
        tooLate: (side) => void side.close(),
      });
      const frozen = here;
      if (frozen === null) throw new RangeError('a look at the target before the source was read');
      return {
        source: frozen,
        target: there,
        changed: passing.passed.changed,
        columns,
        since,
        [Symbol.asyncDispose]: async () => {
          await Promise.all([frozen.close(), there.close()]);
        },
      };
    } catch (error) {
      since?.[Symbol.dispose]();
      await here?.close();
      throw error;
    }
  }
}
