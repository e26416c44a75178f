import { randomUUID } from 'node:crypto';
import type { Row } from '../../core/cell.ts';
import { type ComparedRow, type CompareSide, keyText, type RowKey } from '../../core/compare-side.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import { RowTextReader } from '../../core/row-text.ts';
import type { ReadKey, SourceReader } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { asAtTarget } from './as-at-target.ts';
import { keyHere } from './carried-range.ts';
import { type Judge, type Judgement, verdictOf } from './judge.ts';
import { mergeChanges, unsureKeys } from './merge-changes.ts';
import { lookAtTarget, type Passed, TableWindow } from './stream-look.ts';
import { isInKey, type Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

export interface StreamJudgeOptions {
  readonly route: string;
  live(): LiveStream | 'soon' | null;
  readonly mapper: TableMapper;
  readonly target: CompareSide;
  readonly signal: AbortSignal;
  /**
   * Called within a look, while applying waits: what was seen is so now. To be short. `position`: of the source, as of which
   * it is.
   */
  act?(plan: TablePlan, judgements: readonly Judgement[], position: Position): Promise<void>;
  /** Ends at once what `act` has begun: the look has taken too long, and nothing more may be written. */
  giveUp?(): void;
  /** Judgements come with the version of the target's row. */
  readonly versions?: boolean;
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

/** What was seen at the high watermark. */
interface Seen {
  readonly judgements: readonly Judgement[];
  /** What was read of them is not what they are by then. */
  readonly unsure: readonly RowKey[];
}

/** By the key's text. */
interface SeenRows {
  readonly rows: ReadonlyMap<string, ComparedRow>;
  /** Of rows with values that have no form at the target. */
  readonly refused: ReadonlyMap<string, readonly string[]>;
}

/** What was read at the source; `mapped`: as the target would hold it, null where it is not known yet. */
interface SourceRows {
  readonly rows: readonly Row[];
  readonly mapped: SeenRows | null;
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
  /** A reader reads only by keys that it was asked for itself, and each stream has another one. */
  readonly #keys = new WeakMap<SourceReader, Map<string, ReadKey | null>>();

  constructor(options: StreamJudgeOptions) {
    this.#options = options;
  }

  async judge(plan: TablePlan, suspects: readonly Suspect[]): Promise<readonly Judgement[]> {
    const live = this.#options.live();
    if (live === 'soon') throw fail(routeErrors.notStreaming, { route: this.#options.route });
    const key = live === null ? null : await this.#readKey(live, plan);
    if (live === null || key === null) return suspects.map((suspect) => undecided(suspect.key));
    const judgements = suspects.filter(({ refused }) => isInKey(refused, plan)).map(keyless);
    let open: readonly RowKey[] = distinct(suspects.filter(({ refused }) => !isInKey(refused, plan)));
    for (let look = 1; open.length > 0 && look <= looks; look++) {
      const seen = await this.#look(live, { plan, key, keys: open, merges: look === looks });
      judgements.push(...seen.judgements);
      open = seen.unsure;
    }
    return [...judgements, ...open.map(undecided)];
  }

  async tells(plan: TablePlan): Promise<boolean> {
    const live = this.#options.live();
    if (live === 'soon') throw fail(routeErrors.notStreaming, { route: this.#options.route });
    return live === null || (await this.#readKey(live, plan)) !== null;
  }

  /** Null where the rows can't be told apart in the change queue by what the compare tells them apart by. */
  async #readKey(live: LiveStream, plan: TablePlan): Promise<ReadKey | null> {
    const { source } = plan.binding;
    const label = tableLabel(source);
    const keys = this.#keys.get(live.reader) ?? new Map<string, ReadKey | null>();
    this.#keys.set(live.reader, keys);
    let key = keys.get(label);
    if (key === undefined) {
      key = await live.reader.key(source);
      keys.set(label, key);
    }
    const own = plan.sourceShape.key;
    if (plan.carrier != null && plan.carrier.keys === null) return null;
    const isSame = key !== null && key.columns.length === own.length && own.every((name) => key.columns.includes(name));
    return isSame ? key : null;
  }

  async #look(live: LiveStream, look: Look): Promise<Seen> {
    const { signal, route, giveUp } = this.#options;
    const [low, high] = [randomUUID(), randomUUID()];
    const table = tableLabel(look.plan.binding.source);
    using window = new TableWindow(live, { low, high, table, columns: look.key.columns });
    let read: SourceRows = { rows: [], mapped: null };
    return await lookAtTarget({
      route,
      live,
      signal,
      id: high,
      write: async (until) => {
        await live.reader.watermark(low, until);
        const rows = await this.#sourceRows(live, { ...look, low, until });
        // What changes in the window is put in before rows are mapped: then it is done while applying waits.
        read = { rows, mapped: look.merges ? null : await this.#asAtTarget(look.plan, rows) };
        await live.reader.watermark(high, until);
      },
      see: (over) => this.#see(look, { ...window.passed, read, over }),
      ...(giveUp !== undefined && { giveUp }),
    });
  }

  /** While applying waits. */
  async #see(
    { plan, key, keys }: Look,
    { changed, position, read, over }: Passed & { readonly read: SourceRows; readonly over: AbortSignal },
  ): Promise<Seen> {
    const own = { key: key.columns, columns: plan.binding.source.columns, names: plan.sourceShape.key };
    const merged = read.mapped === null ? mergeChanges(read.rows, changed, own) : null;
    const isChanged = merged?.unsure ?? unsureKeys(changed, own);
    const isUnsure = (one: RowKey): boolean => keyHere(plan, one).some(isChanged);
    const here = merged === null ? read.mapped : await this.#asAtTarget(plan, merged.rows);
    const { target, versions: wantsVersions, act } = this.#options;
    const there = await target.rows(plan.targetShape, keys);
    const versions = wantsVersions ? await target.versions(plan.targetShape, keys) : null;
    const judgements = keys
      .filter((one) => !isUnsure(one))
      .map((one): Judgement => {
        const source = here?.rows.get(keyText(one)) ?? null;
        const refused = here?.refused.get(keyText(one));
        const row = there.get(keyText(one)) ?? null;
        const version = versions === null ? {} : { version: versions.get(keyText(one)) ?? null };
        // What was read of it is not what the source has: nothing is to be written after it.
        if (refused !== undefined)
          return { key: one, verdict: row === null ? 'missing' : 'different', seen: null, refused };
        return { key: one, verdict: verdictOf(source, row), seen: { source, target: row }, ...version };
      });
    over.throwIfAborted();
    await act?.(plan, judgements, position);
    return { judgements, unsure: keys.filter(isUnsure) };
  }

  async #sourceRows(
    live: LiveStream,
    { plan, key, keys, low, until }: Omit<Look, 'merges'> & { readonly low: string; readonly until: AbortSignal },
  ): Promise<readonly Row[]> {
    const { source } = plan.binding;
    const columns = source.columns.map(({ name }) => name);
    const places = key.columns.map((name) => plan.sourceShape.key.indexOf(name));
    const own = keys.flatMap((one) => keyHere(plan, one));
    if (own.length === 0) return [];
    const range = { kind: 'keys' as const, keys: own.map((one) => places.map((at) => one[at] ?? '')) };
    const maxBytes = Number.POSITIVE_INFINITY;
    const { text, cells, facts } = await live.reader.read({ table: source, key, columns, range, low, maxBytes }, until);
    const names = new Set(facts.columns.map(({ name }) => name));
    // It was altered: what is compared is no longer what is carried.
    if (!columns.every((name) => names.has(name)))
      throw fail(routeErrors.alteredMeanwhile, { route: this.#options.route, table: tableLabel(source) });
    if (cells !== undefined) return cells;
    const reader = new RowTextReader(columns.length);
    return text.flatMap((block) => reader.read(block));
  }

  /** Through the transforms, as the target's columns would hold it. */
  async #asAtTarget(plan: TablePlan, rows: readonly Row[]): Promise<SeenRows> {
    const { mapper, target } = this.#options;
    const seen = { rows: new Map<string, ComparedRow>(), refused: new Map<string, readonly string[]>() };
    const made = rows.flatMap((row) => asAtTarget(mapper, plan, row)).filter(({ refused }) => !isInKey(refused, plan));
    for (const alike of Map.groupBy(made, ({ refused }) => refused.join()).values()) {
      const given = await target.rowsGiven(
        plan.targetShape,
        alike.map(({ row }) => row),
      );
      const refused = alike[0]?.refused ?? [];
      for (const [key, row] of given) {
        seen.rows.set(key, row);
        if (refused.length > 0) seen.refused.set(key, refused);
      }
    }
    return seen;
  }
}

/** The target can have no such row, whatever comes. */
function keyless({ key, kind, refused = [] }: Suspect): Judgement {
  return { key, verdict: kind, seen: null, refused };
}

function undecided(key: RowKey): Judgement {
  return { key, verdict: 'undecided', seen: null };
}

function distinct(suspects: readonly Suspect[]): RowKey[] {
  return [...new Map(suspects.map(({ key }) => [keyText(key), key])).values()];
}
