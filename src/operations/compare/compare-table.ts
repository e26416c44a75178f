import type { BucketChoice, CompareSide, KeyRange, RowHash, RowKey } from '../../core/compare-side.ts';
import { pause } from '../../core/pause.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { bucketDifferences, bucketSuspects } from './bucket-suspects.ts';
import { boundsHere, boundsThere, rangeThere } from './carried-range.ts';
import { chunkBounds } from './chunk-bounds.ts';
import type { DifferenceExample } from './compare-document.ts';
import { frozenDifferences, judgeFrozen } from './compare-frozen.ts';
import { added, type Counts, FoundDifferences, mostExamples, noCounts } from './found-differences.ts';
import { GroupedJudge, mostAtOnce } from './grouped-judge.ts';
import type { Judge, Judgement } from './judge.ts';
import { asIntended } from './left-by-intent.ts';
import { type RangeReaders, rangeSuspects } from './range-suspects.ts';
import type { StreamFreezer } from './stream-freezer.ts';
import type { Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';
import { tableReaders } from './table-readers.ts';

/** How far a table is: what a compare that was interrupted goes on from. */
export interface TableState {
  /** The key up to which it was compared; null: nothing yet. */
  readonly after: RowKey | null;
  readonly done: boolean;
  readonly rows: number;
  readonly counts: Counts;
  readonly examples: readonly DifferenceExample[];
  /** Of a table that is compared by buckets: those that differ and were not looked at yet; absent before they are known. */
  readonly buckets?: readonly BucketChoice[];
}

export const untouched: TableState = { after: null, done: false, rows: 0, counts: noCounts, examples: [] };

export interface CompareTableOptions {
  readonly plan: TablePlan;
  readonly hash: RowHash;
  readonly source: CompareSide;
  readonly target: CompareSide;
  readonly mapper: TableMapper;
  readonly judge: Judge;
  /** For rows that the judge can't look up; without it they are undecided. */
  readonly freezer?: StreamFreezer;
  /** Likewise, to mend them; without it they are only told. */
  readonly mender?: FrozenMender | null;
  readonly showValues: boolean;
  readonly digestKey: string;
  /** Share of the rows, by chunks, and at least one of them; null: all. */
  readonly sample: number | null;
  /** Share of the time; null: all of it. */
  readonly maxLoad: number | null;
  readonly signal: AbortSignal;
  onState(state: TableState): Promise<void>;
}

/** Mends what differs in buckets of rows that nobody can look up one by one. Null where the route does not stream. */
export interface FrozenMender {
  mend(options: CompareTableOptions, choice: BucketChoice): Promise<readonly Judgement[] | null>;
}

/** How long a chunk is to take at the slower side, and how many rows it may have: as long as that a snapshot is held. */
const fullSpeed = { chunkMs: 700, firstRows: 100_000, mostRows: 1_000_000 };
/** Where the databases are to be spared, not for long in one piece either. */
const gentle: typeof fullSpeed = { chunkMs: 200, firstRows: 20_000, mostRows: 50_000 };
const leastRows = 2_000;
/** Streamed rows pass through this process. */
const mostStreamedRows = 20_000;
/** A sample is spread over a table by cutting it into about so many. */
const sampledChunks = 100;

/** Compares one table, from wherever `from` is, and tells after each chunk how far it has come. */
export async function compareTable(options: CompareTableOptions, from: TableState): Promise<TableState> {
  return options.plan.by === 'ranges' ? await compareRanges(options, from) : await compareBuckets(options, from);
}

async function compareRanges(options: CompareTableOptions, from: TableState): Promise<TableState> {
  const { plan, source, target, sample, maxLoad, signal } = options;
  const readers: RangeReaders = {
    ...tableReaders(options),
    boundaries: async (side, range, every) =>
      side === 'source'
        ? boundsThere(plan, await source.boundaries(plan.sourceShape, range, every))
        : boundsHere(plan, await target.boundaries(plan.targetShape, rangeThere(plan, range), every)),
  };
  const judged = judgedBy(options);
  const pace = maxLoad === null ? fullSpeed : gentle;
  const spread = sample === null ? pace.mostRows : Math.max(leastRows, Math.ceil(plan.estimatedRows / sampledChunks));
  const most = Math.min(spread, pace.mostRows, plan.isStreamed ? mostStreamedRows : pace.mostRows);
  let size = Math.min(pace.firstRows, most);
  // A table of which nothing was looked at would count as equal.
  let isSeen = from.rows > 0;
  const compared = async (range: KeyRange, wanted: number): Promise<Chunk> => {
    const beganMs = performance.now();
    const found = new FoundDifferences(plan, { ...options, ...untouched });
    const isChosen = sample === null || Math.random() < sample || (range.to === null && !isSeen);
    isSeen ||= isChosen;
    // Where differences are spread thin each listed range has a few of them: a look costs the same for many.
    const open: Suspect[] = [];
    const gather = async (suspects: readonly Suspect[]): Promise<void> => {
      for (const suspect of suspects) open.push(suspect);
      if (open.length >= mostAtOnce) await judged(found, open.splice(0));
    };
    const result = isChosen ? await rangeSuspects(readers, range, gather) : { rows: 0, most: 0 };
    if (open.length > 0) await judged(found, open);
    return { to: range.to, found, ...result, isChosen, wanted, spentMs: performance.now() - beganMs };
  };
  // Both servers always have the next chunk to go on with.
  const abreast = maxLoad === null ? 2 : 1;
  const bounds = await chunkBounds(source, plan);
  const underWay: Promise<Chunk>[] = [];
  let state = from;
  let after = from.after;
  let isLast = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      while (!isLast && underWay.length < abreast) {
        const next = await bounds.next(after, size);
        // Where the target can't have such a key the rest is one chunk, which is cut where it differs.
        const to = next === null ? null : (boundsThere(plan, [next])[0] ?? null);
        const chunk = compared({ after, to }, size);
        chunk.catch(() => {});
        underWay.push(chunk);
        after = to;
        isLast = to === null;
      }
      const chunk = await underWay.shift();
      if (chunk === undefined) return state;
      state = behind(state, chunk);
      await options.onState(state);
      if (chunk.isChosen && chunk.to !== null) bounds.had(chunk.most, chunk.wanted);
      if (chunk.most > 0) size = Math.max(leastRows, Math.min(most, Math.round(size * faster(pace, chunk.spentMs))));
      await rest(options, chunk.spentMs);
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}

interface Chunk {
  /** Its last key; null: it is the last one. */
  readonly to: RowKey | null;
  readonly found: FoundDifferences;
  readonly rows: number;
  readonly most: number;
  readonly isChosen: boolean;
  /** Rows that it was cut for. */
  readonly wanted: number;
  readonly spentMs: number;
}

/** Chunks count in their order, so that what is stored is whole up to a key. */
function behind(state: TableState, { to, found, rows }: Chunk): TableState {
  return {
    after: to ?? state.after,
    done: to === null,
    rows: state.rows + rows,
    counts: added(state.counts, found.counts),
    examples: [...state.examples, ...found.examples].slice(0, mostExamples),
  };
}

function faster({ chunkMs }: typeof fullSpeed, spentMs: number): number {
  return Math.min(4, Math.max(0.25, chunkMs / Math.max(1, spentMs)));
}

async function rest({ maxLoad, signal }: CompareTableOptions, spentMs: number): Promise<void> {
  if (maxLoad !== null && maxLoad < 1) await pause(spentMs * (1 / maxLoad - 1), signal);
}

/**
 * Each side is read once, in one statement: row by row nothing could be left out of what moves meanwhile. Which buckets differ is stored then, and each lot
 * of them is looked at by itself: with rests between, and gone on from.
 */
async function compareBuckets(options: CompareTableOptions, from: TableState): Promise<TableState> {
  const { plan, judge, freezer, mender = null, signal } = options;
  const readers = tableReaders(options);
  let { buckets, ...state } = from;
  const reached = async (left: readonly BucketChoice[], beganMs: number): Promise<void> => {
    state = { ...state, done: left.length === 0 };
    await options.onState(state.done ? state : { ...state, buckets: left });
    if (!state.done) await rest(options, performance.now() - beganMs);
  };
  const isTold = (await judge.tells?.(plan)) !== false;
  if (buckets === undefined) {
    const beganMs = performance.now();
    const frozen = isTold || freezer === undefined ? null : await frozenDifferences(options, freezer);
    const { rows, choices } = frozen ?? (await bucketDifferences(readers, plan.estimatedRows));
    buckets = choices;
    state = { ...untouched, rows };
    await reached(buckets, beganMs);
  }
  const judged = judgedBy(options);
  for (const [at, choice] of buckets.entries()) {
    signal.throwIfAborted();
    const beganMs = performance.now();
    const found = new FoundDifferences(plan, { ...options, ...untouched });
    const decides = judge.isOneWay !== false;
    const mended = isTold || !decides || mender === null ? null : await mender.mend(options, choice);
    const judgements =
      mended ?? (isTold || freezer === undefined ? null : await judgeFrozen(options, { freezer, decides, choice }));
    if (judgements !== null) found.add(judgements);
    else {
      const suspects = await bucketSuspects(readers, choice);
      if (suspects.length > 0) await judged(found, suspects);
    }
    state = {
      ...state,
      counts: added(state.counts, found.counts),
      examples: [...state.examples, ...found.examples].slice(0, mostExamples),
    };
    await reached(buckets.slice(at + 1), beganMs);
  }
  return state;
}

type Judged = (found: FoundDifferences, suspects: readonly Suspect[]) => Promise<void>;

function judgedBy({ judge, plan, signal }: CompareTableOptions): Judged {
  const grouped = new GroupedJudge(judge, plan);
  return async (found, suspects) => {
    // Nobody needs to look at what may be there in any case.
    const open = plan.left?.mark === null ? suspects.filter(({ kind }) => kind !== 'extra') : suspects;
    for await (const judgements of grouped.judge(open, signal)) found.add(asIntended(plan.left, judgements));
  };
}
