import { randomUUID } from 'node:crypto';
import type { Row } from '../../core/cell.ts';
import { type ComparedRow, type CompareSide, keyText, type RowKey } from '../../core/compare-side.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import { RowTextReader } from '../../core/row-text.ts';
import type { ReadKey } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';
import { type Judge, type Judgement, verdictOf } from './judge.ts';
import { mergeChanges, unsureKeys } from './merge-changes.ts';
import type { Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

export interface StreamJudgeOptions {
  readonly route: string;
  live(): LiveStream | 'soon' | null;
  readonly mapper: TableMapper;
  readonly target: CompareSide;
  readonly signal: AbortSignal;
}

/** Looks at a row that changed while it was read; in the last one it is taken as the source's log has left it. */
const looks = 4;

interface Look {
  readonly plan: TablePlan;
  readonly key: ReadKey;
  readonly keys: readonly RowKey[];
  /** Changes of the window are taken into account, and not only told. */
  readonly merges: boolean;
}

/** What was seen of some rows at the high watermark. */
interface Seen {
  readonly source: ReadonlyMap<string, ComparedRow>;
  readonly target: ReadonlyMap<string, ComparedRow>;
  /** What was read of it is not what it is by then. */
  isUnsure(key: RowKey): boolean;
}

/**
 * Looks at suspects of a route that streams. They are read at the source between two watermarks; where the stream has come to
 * the second one, everything before it is applied and nothing behind it is, and what was read is the source as of there, but
 * for the rows that the stream has changed in between. Then the target is read. So both sides are of one position, however
 * far the target is behind. What has changed in between is looked at again. Of a row that changes each time the last image in the
 * log counts, over what was read before; where that does not tell all of it the row stays undecided.
 */
export class StreamJudge implements Judge {
  readonly #options: StreamJudgeOptions;
  readonly #keys = new Map<string, ReadKey | null>();

  constructor(options: StreamJudgeOptions) {
    this.#options = options;
  }

  async judge(plan: TablePlan, suspects: readonly Suspect[]): Promise<readonly Judgement[]> {
    const live = this.#options.live();
    if (live === 'soon') throw fail(routeErrors.notStreaming, { route: this.#options.route });
    const key = live === null ? null : await this.#readKey(live, plan);
    if (live === null || key === null) return suspects.map((suspect) => undecided(suspect.key));
    const judgements: Judgement[] = [];
    let open = distinct(suspects);
    for (let look = 1; open.length > 0 && look <= looks; look++) {
      const seen = await this.#look(live, { plan, key, keys: open, merges: look === looks });
      const again: RowKey[] = [];
      for (const one of open) {
        const text = keyText(one);
        if (seen.isUnsure(one)) {
          again.push(one);
          continue;
        }
        const source = seen.source.get(text) ?? null;
        const target = seen.target.get(text) ?? null;
        judgements.push({ key: one, verdict: verdictOf(source, target), seen: { source, target } });
      }
      open = again;
    }
    return [...judgements, ...open.map(undecided)];
  }

  /** Null where the rows can't be told apart in the change queue by what the compare tells them apart by. */
  async #readKey(live: LiveStream, plan: TablePlan): Promise<ReadKey | null> {
    const { source } = plan.binding;
    const label = tableLabel(source);
    let key = this.#keys.get(label);
    if (key === undefined) {
      key = await live.reader.key(source);
      this.#keys.set(label, key);
    }
    const own = plan.sourceShape.key;
    const isSame = key !== null && key.columns.length === own.length && own.every((name) => key.columns.includes(name));
    return isSame ? key : null;
  }

  async #look(live: LiveStream, { plan, key, keys, merges }: Look): Promise<Seen> {
    const { signal, target, route } = this.#options;
    const { source } = plan.binding;
    const low = randomUUID();
    const high = randomUUID();
    const until = AbortSignal.any([signal, live.ended]);
    const found = Promise.withResolvers<{ changed: ChangedRows; rows: Seen['target'] }>();
    found.promise.catch(() => {});
    let changed: ChangedRows | null = null;
    const takeBackLook = live.looks.ask(high, async () => {
      try {
        if (changed === null) throw new RangeError('a look before its window has closed');
        found.resolve({ changed, rows: await target.rows(plan.targetShape, keys) });
      } catch (error) {
        found.reject(error);
      }
    });
    const takeBackWindow = live.windows.open({
      low,
      high,
      tables: new Map([[tableLabel(source), key.columns]]),
      close: (part, all) => {
        changed = all.get(tableLabel(source)) ?? null;
        return { ...part, look: high };
      },
    });
    const onAbort = (): void => found.reject(until.reason);
    until.addEventListener('abort', onAbort, { once: true });
    try {
      until.throwIfAborted();
      await live.reader.watermark(low, until);
      const rows = await this.#sourceRows(live, { plan, key, keys, low, until });
      await live.reader.watermark(high, until);
      const there = await found.promise;
      const own = { key: key.columns, columns: source.columns, names: plan.sourceShape.key };
      const merged = merges ? mergeChanges(rows, there.changed, own) : { rows, unsure: unsureKeys(there.changed, own) };
      return { source: await this.#asAtTarget(plan, merged.rows), target: there.rows, isUnsure: merged.unsure };
    } catch (error) {
      signal.throwIfAborted();
      // Another stream follows, or the route rests: the job begins again from where it is.
      if (live.ended.aborted) throw fail(routeErrors.notStreaming, { route }, error);
      throw error;
    } finally {
      until.removeEventListener('abort', onAbort);
      takeBackWindow();
      takeBackLook();
    }
  }

  async #sourceRows(
    live: LiveStream,
    { plan, key, keys, low, until }: Omit<Look, 'merges'> & { readonly low: string; readonly until: AbortSignal },
  ): Promise<readonly Row[]> {
    const { source } = plan.binding;
    const columns = source.columns.map(({ name }) => name);
    const places = key.columns.map((name) => plan.sourceShape.key.indexOf(name));
    const range = { kind: 'keys' as const, keys: keys.map((one) => places.map((at) => one[at] ?? '')) };
    const maxBytes = Number.POSITIVE_INFINITY;
    const { text, facts } = await live.reader.read({ table: source, key, columns, range, low, maxBytes }, until);
    const names = new Set(facts.columns.map(({ name }) => name));
    // It was altered: what is compared is no longer what is carried.
    if (!columns.every((name) => names.has(name)))
      throw fail(routeErrors.alteredMeanwhile, { route: this.#options.route, table: tableLabel(source) });
    const reader = new RowTextReader(columns.length);
    return text.flatMap((block) => reader.read(block));
  }

  /** Through the transforms, as the target's columns would hold it. */
  async #asAtTarget(plan: TablePlan, rows: readonly Row[]): Promise<ReadonlyMap<string, ComparedRow>> {
    const { mapper, target } = this.#options;
    const mapped = rows.flatMap((row) =>
      mapper
        .rows(plan.binding, row, 'a compare' as Position)
        .filter(({ output }) => output.table === plan.output.table)
        .map((made) => made.row),
    );
    return mapped.length === 0 ? new Map() : await target.rowsGiven(plan.targetShape, mapped);
  }
}

function undecided(key: RowKey): Judgement {
  return { key, verdict: 'undecided', seen: null };
}

function distinct(suspects: readonly Suspect[]): RowKey[] {
  return [...new Map(suspects.map(({ key }) => [keyText(key), key])).values()];
}
