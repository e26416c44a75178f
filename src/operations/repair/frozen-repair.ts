import type { BucketChoice } from '../../core/compare-side.ts';
import type { Position } from '../../core/position.ts';
import type { RowOutcome, RowRepair } from '../../core/repairer.ts';
import type { ChangesSince } from '../compare/changes-since.ts';
import type { CompareTableOptions } from '../compare/compare-table.ts';
import { type FrozenRow, frozenRows } from '../compare/frozen-contents.ts';
import type { FrozenSides } from '../compare/frozen-sides.ts';
import {
  hiddenRows,
  type Identity,
  identityOf,
  isUnsure,
  judgeListed,
  keyOf,
  type Unsure,
  unsureRows,
} from '../compare/frozen-suspects.ts';
import type { Judgement } from '../compare/judge.ts';
import type { StreamFreezer } from '../compare/stream-freezer.ts';
import { type ListedSuspect, suspectsOf } from '../compare/suspects.ts';
import type { TablePlan } from '../compare/table-plan.ts';
import { tableReaders } from '../compare/table-readers.ts';

export interface FrozenRepairOptions {
  readonly freezer: StreamFreezer;
  /** Within a look. */
  write(plan: TablePlan, rows: readonly RowRepair[], position: Position): Promise<readonly RowOutcome[]>;
  /** They still differ when they are looked at once more. */
  left(plan: TablePlan, rows: number): void;
  /** A row of the source that has values without a form at the target, in these columns. It is among those that are left. */
  refused(plan: TablePlan, columns: readonly string[]): void;
  /** Ends at once what `write` has begun. */
  giveUp(): void;
}

/** Looks of which none has mended anything more: rows that change whenever it is looked stay as they are. */
const looks = 4;
/** Applying waits for so many rows. */
const writtenAtOnce = 100;

/**
 * Mends rows that nobody can look up in the source one by one, since they have no key, or another one at the target. Which rows differ is told by two
 * snapshots of one position (StreamFreezer). Then the stream goes on, and at a later position, while applying waits, those are mended that it has not
 * touched in between: what it has not touched is at both sides what it was. What it has touched is looked at again, from new snapshots.
 *
 * Rows that are alike are as good as one another: of what the target has more often some go, by their places there, and what it has less often
 * comes.
 */
export class FrozenRepair {
  readonly #options: FrozenRepairOptions;

  constructor(options: FrozenRepairOptions) {
    this.#options = options;
  }

  /** What was found, mended or not, and then what could not be decided. Null where the route does not stream. */
  async mend(options: CompareTableOptions, choice: BucketChoice): Promise<readonly Judgement[] | null> {
    const { plan } = options;
    const found: Judgement[] = [];
    const failed = new Set<Identity>();
    for (let look = 0; ; ) {
      const frozen = await this.#options.freezer.freeze(plan, { follows: true });
      if (frozen === null) return null;
      using since = frozen.since;
      if (since === null) throw new RangeError('nobody follows the stream');
      const { decided, undecided } = await differing(options, frozen, choice);
      const uncarried = decided.filter(({ refused }) => refused !== undefined);
      const open = decided.filter((one) => one.refused === undefined && !failed.has(identityOf(one)));
      if (look === looks || (open.length === 0 && undecided.length === 0)) {
        await frozen[Symbol.asyncDispose]();
        this.#options.left(plan, decided.length);
        for (const { refused = [] } of uncarried) this.#options.refused(plan, refused);
        return [...found, ...uncarried.map(told), ...undecided];
      }
      // The others come with the next look.
      const rows = await frozenRows(options, frozen, open).finally(() => frozen[Symbol.asyncDispose]());
      const mended = await this.#write(options, { since, rows, failed });
      found.push(...mended);
      if (rows.length === open.length || mended.length === 0) look++;
    }
  }

  /** Nothing is frozen meanwhile: a lock that somebody waits for at the target would hold up the stream, and the stream this. */
  async #write(
    options: CompareTableOptions,
    {
      since,
      rows,
      failed,
    }: { readonly since: ChangesSince; readonly rows: readonly FrozenRow[]; readonly failed: Set<Identity> },
  ): Promise<readonly Judgement[]> {
    const { plan, signal } = options;
    const tried: Judgement[] = [];
    const changed: Unsure[] = [];
    for (let at = 0; at < rows.length; at += writtenAtOnce) {
      signal.throwIfAborted();
      await since.look(async ({ position, over, ...seen }) => {
        over.addEventListener('abort', () => this.#options.giveUp(), { once: true });
        changed.push(await unsureRows(seen, options));
        const still = rows
          .slice(at, at + writtenAtOnce)
          .filter(({ suspect }) => !changed.some((unsure) => isUnsure(suspect, unsure)));
        over.throwIfAborted();
        const outcomes = await this.#options.write(plan, still.map(repairOf), position);
        for (const [index, { suspect, source, target }] of still.entries()) {
          if (outcomes[index]?.kind !== 'done') failed.add(identityOf(suspect));
          tried.push({ key: keyOf(suspect), verdict: suspect.kind, seen: { source, target } });
        }
      });
    }
    return tried;
  }
}

function repairOf({ suspect: { kind, key, place = '' }, source, target }: FrozenRow): RowRepair {
  const isPlaced = kind === 'extra' && key.length === 0;
  return { key, before: target, after: source, ...(isPlaced && { version: place }) };
}

function told(suspect: ListedSuspect): Judgement {
  const { kind, refused = [] } = suspect;
  return { key: keyOf(suspect), verdict: kind, seen: null, refused };
}

interface Differing {
  readonly decided: readonly ListedSuspect[];
  readonly undecided: readonly Judgement[];
}

async function differing(options: CompareTableOptions, frozen: FrozenSides, choice: BucketChoice): Promise<Differing> {
  try {
    const { source, target } = tableReaders({ ...options, source: frozen.source, target: frozen.target });
    const unsure = await unsureRows(frozen, options, choice.buckets);
    const placed = { ...choice, places: true };
    const [here, there] = await Promise.all([source.listBuckets(placed), target.listBuckets(placed)]);
    const suspects = suspectsOf(here, there);
    const decided = suspects.filter((suspect) => !isUnsure(suspect, unsure));
    const undecided = judgeListed(suspects, unsure).filter(({ verdict }) => verdict === 'undecided');
    return { decided, undecided: [...undecided, ...hiddenRows(unsure, { suspects, choice })] };
  } catch (error) {
    await frozen[Symbol.asyncDispose]();
    throw error;
  }
}
