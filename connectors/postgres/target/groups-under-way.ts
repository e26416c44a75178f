import { backlogBytes, backlogRows, type PartFeed } from '../../../src/core/consumer.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { ApplyCounter } from '../../sql/apply/apply-counter.ts';
import { bytesOf, type Group, nextGroup } from '../../sql/apply/group.ts';
import type { GroupSize } from '../../sql/apply/group-size.ts';
import type { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import { isPostgresError } from '../classify-error.ts';
import { Batch, CountMismatch } from './batch.ts';
import { isBounded, mostStatements } from './bound-statements.ts';
import type { LaneKeys } from './lanes/lane-keys.ts';
import type { LaneUse } from './lanes/lane-use.ts';
import type { Lane, Lanes } from './lanes/lanes.ts';
import type { TouchedKeys } from './lanes/touched-keys.ts';
import type { StatementsAhead } from './statements-ahead.ts';
import type { TablePlans } from './table-plans.ts';
import type { LanePlace, TargetTransaction } from './target-transaction.ts';

/** More would only wait at the target: one is worked on, the others bridge the way there. */
const mostGroups = 4;

/** Keys that the groups under way may hold together: some 10 MB. */
const mostKeys = 200_000;

/** What became of a group: committed, or of one that is a part of a transaction, carried out. */
export type Outcome = { readonly group: Group; readonly beganMs: number | null } & (
  | { readonly kind: 'done' }
  /** `isBeside`: others were carried out on other sessions meanwhile, which may be why. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly isBeside: boolean }
);

interface UnderWay {
  readonly group: Group;
  readonly bytes: number;
  readonly beganMs: number | null;
  readonly lane: Lane;
  /** What it touches; null: whatever comes is taken for a change of the same, and goes behind it on its session. */
  readonly keys: TouchedKeys | null;
  outcome: Promise<Outcome>;
  /** Of its checkpoint; null until it was sent, and where nothing waits for it. */
  sequence: bigint | null;
  /** Resolves when it is known to have begun, or to have failed. */
  begun: Promise<void>;
  isAnswered: boolean;
  hasFailed: boolean;
  /** Others are under way on other sessions. */
  isBeside: boolean;
}

/** A group before it has failed, so that this one is not to be sent to its end. */
class NotInTurn extends Error {
  override readonly name = 'NotInTurn';
}

export interface GroupsUnderWayOptions {
  readonly lanes: Lanes;
  readonly laneKeys: LaneKeys;
  readonly laneUse: LaneUse;
  readonly target: TargetTransaction;
  readonly plans: TablePlans;
  readonly size: GroupSize;
  readonly counter: ApplyCounter;
  readonly ahead: StatementsAhead;
  readonly groupRows: number;
  /** Of the groups that are under way together, unless it is one. */
  readonly mostBytes: number;
  /** False while each transaction has to be looked at first, or rows stand aside. */
  isFree(): boolean;
}

/**
 * Groups that were sent with their COMMIT, one behind the other, before anything was answered: the target always has the next
 * one at hand, and a group is visible after one round trip.
 *
 * That is right because the server itself refuses what is off. Each statement that could touch another number of rows than
 * it has to fails then (guarded-statement.ts), and so does the look at the epoch; a COMMIT of what has failed rolls it
 * back. And each group begins with a look at the checkpoint of the one before it, and fails where that is not there: because a
 * statement has failed, or the COMMIT itself (a deferred check).
 *
 * Parts of a transaction that is larger than a group go the same way, each behind a savepoint, but for the last: its COMMIT waits
 * until all of them are known to be right.
 *
 * So there is a first group that has failed, those before it are committed and those behind it have changed nothing. It is
 * applied again by itself, in a way that tells more; those behind it are sent once more.
 *
 * With several lanes a group that touches no key of those before it is carried out beside them, on a session of its own, and waits at the server for
 * the one before it right before its own checkpoint: commits keep the source's order. What it can't see of those before, or they of it, the server
 * refuses or lets wait: two that wait for each other are a deadlock, of which it ends one. So a group that has failed beside others is begun again
 * alone, as if it had not been tried.
 */
export class GroupsUnderWay {
  readonly #options: GroupsUnderWayOptions;
  readonly #groups: UnderWay[] = [];
  #parts = 0;
  #rows = 0;
  #bytes = 0;
  /** One of them has failed: nothing more is sent until they are cleared away. */
  #isBroken = false;
  /** What came could not be sent since a session waited for its turn; called once it does no more. */
  #onReady: (() => void) | null = null;
  /** What was not taken yet, and what it touches. Nothing but rows is carried out meanwhile, so that it stays so. */
  #looked: { readonly group: Group; readonly keys: TouchedKeys | null } | null = null;

  constructor(options: GroupsUnderWayOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.length;
  }

  /** The rows that are with them. */
  get rows(): number {
    return this.#rows;
  }

  /** Sends the next group behind the others, where it can go this way and the target has use for it. */
  fill(incoming: IncomingParts, feed: PartFeed): boolean {
    incoming.add(feed.take());
    if (!this.#isWorthwhile(incoming)) return false;
    const { size, target } = this.#options;
    const group = nextGroup(incoming.parts, this.#parts, size.limits, target.open);
    const bytes = bytesOf(group);
    if (this.size > 0 && this.#bytes + bytes > this.#options.mostBytes) return false;
    return this.#send(group, bytes);
  }

  /** What became of the first of them, once that is known. What comes meanwhile is sent behind. */
  async first(incoming: IncomingParts, feed: PartFeed, signal: AbortSignal): Promise<Outcome | null> {
    const [first] = this.#groups;
    if (first === undefined) return null;
    const fill = (): boolean => !signal.aborted && this.fill(incoming, feed);
    feed.onMore(fill);
    this.#onReady = fill;
    try {
      // Of few large rows, too: while reading rests, since as much waits as may, nobody tells of more.
      const { groupRows, size } = this.#options;
      let isMore = first.group.rows >= backlogRows(groupRows) || first.bytes >= backlogBytes(size.limits.bytes);
      while (isMore) {
        // What the socket didn't take at once goes out first.
        await new Promise((resolve) => setImmediate(resolve));
        isMore = fill();
      }
      return await first.outcome;
    } finally {
      feed.onMore(null);
      this.#onReady = null;
    }
  }

  /** The first of them is done with: returns how many parts that were. */
  shift(): number {
    const first = this.#groups.shift();
    if (first === undefined) return 0;
    this.#take(first, -1);
    if (this.size === 0) this.#looked = null;
    return first.group.parts.length;
  }

  /** Resolves when all were answered, and the session can be asked for something else. What became of them stays to be looked at. */
  async rest(): Promise<void> {
    this.#looked = null;
    for (const { outcome } of this.#groups) await outcome;
    for (const { clearing } of this.#options.lanes.all) await clearing;
    if (this.#isBroken) this.#options.target.nothingSent();
  }

  /** Those behind one that has failed have changed nothing. False where one of them is committed all the same. */
  async clear(): Promise<boolean> {
    await this.rest();
    const [, ...behind] = await Promise.all(this.#groups.map(({ outcome }) => outcome));
    this.#groups.length = 0;
    this.#parts = 0;
    this.#rows = 0;
    this.#bytes = 0;
    this.#isBroken = false;
    for (const lane of this.#options.lanes.all) {
      lane.clearing = null;
      lane.isHalfSent = false;
    }
    return behind.every(({ kind }) => kind === 'failed');
  }

  #isWorthwhile(incoming: IncomingParts): boolean {
    const { size, lanes, isFree } = this.#options;
    if (incoming.parts.length <= this.#parts || this.#isBroken || !isFree()) return false;
    if (this.size === 0) return true;
    // One is worked on in each lane, and another waits behind it.
    if (this.size >= Math.max(mostGroups, 2 * lanes.all.length)) return false;
    // What is little waits, and grows, until the target has nothing else to do.
    const { limits } = size;
    return incoming.rows - this.#rows >= limits.rows / 2 || incoming.bytes - this.#bytes >= limits.bytes / 2;
  }

  /** False where it can't go this way. */
  #send(group: Group, bytes: number): boolean {
    const { target, counter, ahead, lanes, laneUse } = this.#options;
    const { commit } = group;
    const wasOpen = target.open;
    // After a COMMIT that was refused nothing would be left of the parts before: it waits until they are known to be right.
    if (wasOpen && commit !== null) return false;
    // Parts of a transaction stay on the first session.
    const isPart = wasOpen || commit === null;
    if (isPart && this.#groups.some(({ lane }) => lane !== lanes.main)) return false;
    // Asked again once one of them has sent all of its own.
    if (lanes.all.every(({ isHalfSent }) => isHalfSent)) return false;
    if (!ahead.isPlain(group, wasOpen)) return false;
    const keys = isPart ? null : this.#keysOf(group);
    const met = this.#lastMet(keys);
    const lane = isPart ? lanes.main : this.#laneFor(met);
    const { client } = lane.connection;
    if (lane.isHalfSent || !isBounded(client, mostStatements)) return false;
    const statements = ahead.statements(group);
    if (statements === null) return false;
    const beganMs = counter.now();
    const batch = new Batch(client);
    const before = this.#groups.at(-1) ?? null;
    const elsewhere = this.#groups.filter((other) => other.lane !== lane);
    for (const other of elsewhere) other.isBeside = true;
    const sent: UnderWay = {
      group,
      bytes,
      beganMs,
      lane,
      keys,
      sequence: null,
      begun: Promise.resolve(),
      isAnswered: false,
      hasFailed: false,
      isBeside: elsewhere.length > 0,
      outcome: Promise.resolve({ kind: 'done', group, beganMs }),
    };
    const isBehind = before !== null;
    const sendRows = (to: Batch): void => statements.sendTo(to);
    this.#looked = null;
    if (keys !== null && isBehind) {
      if (met === this.size - 1) laneUse.met();
      else if (lane !== before.lane) laneUse.beside();
    }
    const place = lanes.areSeveral && !isPart ? this.#place(sent, before, elsewhere) : null;
    const done =
      commit === null
        ? target.sendPart(batch, { group, isBehind }, sendRows)
        : target.sendWhole(batch, { group, commit, isBehind, lane: place }, sendRows);
    sent.outcome = done.then(
      (): Outcome => {
        sent.isAnswered = true;
        const next = this.#groups[this.#groups.indexOf(sent) + 1];
        if (next !== undefined && next.lane !== lane) failpoint('lane.committed');
        return { kind: 'done', group, beganMs };
      },
      (error: unknown): Outcome => {
        sent.isAnswered = true;
        sent.hasFailed = true;
        this.#fail(sent, error, wasOpen);
        return { kind: 'failed', group, beganMs, error, isBeside: sent.isBeside };
      },
    );
    this.#groups.push(sent);
    this.#take(sent, 1);
    if (elsewhere.length > 0) failpoint('lane.begun');
    return true;
  }

  /** What it touches, where it may go beside others. Looked for once, however often its lane does not take it. */
  #keysOf(group: Group): TouchedKeys | null {
    const { lanes, laneUse, laneKeys, groupRows } = this.#options;
    if (!lanes.areSeveral || group.rows < backlogRows(groupRows)) return null;
    if (this.#looked !== null && isSame(this.#looked.group, group)) return this.#looked.keys;
    const held = this.#groups.reduce((sum, { keys }) => sum + (keys?.size ?? 0), 0);
    if (held > mostKeys) return null;
    const keys = laneUse.isWorthwhile() ? laneKeys.of(group) : null;
    this.#looked = { group, keys };
    return keys;
  }

  /** The last that touches what this one does; -1: none. */
  #lastMet(keys: TouchedKeys | null): number {
    return this.#groups.findLastIndex((other) => keys === null || other.keys === null || keys.meets(other.keys));
  }

  /**
   * Behind the last group that touches what this one does, on its session or on one that has gone on since: what begins there begins after that was
   * committed. Among these one that has nothing to do, or will have soonest.
   */
  #laneFor(met: number): Lane {
    const { lanes } = this.#options;
    const lastOn = (lane: Lane): number => this.#groups.findLastIndex((other) => other.lane === lane);
    const free = lanes.all.filter((lane) => lastOn(lane) >= met && !lane.isHalfSent);
    return free.toSorted((a, b) => lastOn(a) - lastOn(b))[0] ?? this.#groups.at(-1)?.lane ?? lanes.main;
  }

  #place(sent: UnderWay, before: UnderWay | null, elsewhere: readonly UnderWay[]): LanePlace {
    const { lane } = sent;
    const waits = before !== null && before.lane !== lane;
    lane.isHalfSent = waits;
    return {
      connection: lane.connection,
      isMarked: sent.keys !== null,
      turn: waits ? this.#turn(sent, elsewhere) : null,
      onBegun: (sequence, answered) => {
        sent.sequence = sequence;
        sent.begun = answered;
      },
      onSent: () => {
        if (!lane.isHalfSent) return;
        lane.isHalfSent = false;
        this.#onReady?.();
      },
      isNext: async () => before === null || (await before.outcome).kind === 'done',
    };
  }

  /**
   * Of groups that wait behind another on their session nobody knows when they begin; that those which have begun are waited for at the server
   * without a delay lets it see who waits for whom.
   */
  async *#turn(sent: UnderWay, elsewhere: readonly UnderWay[]): AsyncGenerator<bigint> {
    for (const other of elsewhere) {
      await other.begun;
      // One behind it that has failed is no reason: this one comes to its end, and that one is begun again then.
      const at = this.#groups.indexOf(sent);
      if (this.#groups.some(({ hasFailed }, place) => hasFailed && place < at)) throw new NotInTurn();
      if (!other.isAnswered && other.sequence !== null) yield other.sequence;
    }
  }

  /** Behind all that was sent on its session that is to be free of what has failed. */
  #fail({ lane }: UnderWay, error: unknown, wasOpen: boolean): void {
    const { target, lanes } = this.#options;
    this.#isBroken = true;
    const isLost = !(isPostgresError(error) || error instanceof CountMismatch || error instanceof NotInTurn);
    if (isLost && lanes.areSeveral) lanes.lost();
    // Where the connection is gone, the first error tells.
    const take = (): Promise<unknown> =>
      lane === lanes.main ? target.takeBack(wasOpen) : lane.connection.client.query('rollback');
    lane.clearing ??= take().then(
      () => {},
      () => {},
    );
  }

  #take({ group, bytes }: UnderWay, sign: 1 | -1): void {
    this.#parts += sign * group.parts.length;
    this.#rows += sign * group.rows;
    this.#bytes += sign * bytes;
  }
}

function isSame({ parts: some }: Group, { parts: others }: Group): boolean {
  return some.length === others.length && some.every((part, at) => part === others[at]);
}
