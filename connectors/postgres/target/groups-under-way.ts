import { backlogRows, type PartFeed } from '../../../src/core/consumer.ts';
import type { ApplyCounter } from '../../sql/apply/apply-counter.ts';
import { bytesOf, type Group, nextGroup } from '../../sql/apply/group.ts';
import type { GroupSize } from '../../sql/apply/group-size.ts';
import type { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch } from './batch.ts';
import { isBounded, mostStatements } from './bound-statements.ts';
import type { StatementsAhead } from './statements-ahead.ts';
import type { TablePlans } from './table-plans.ts';
import type { TargetTransaction } from './target-transaction.ts';

/** More would only wait at the target: one is worked on, the others bridge the way there. */
const mostGroups = 4;

/** What became of a group: committed, or of one that is a part of a transaction, carried out. */
export type Outcome = { readonly group: Group; readonly beganMs: number | null } & (
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: unknown }
);

interface UnderWay {
  readonly group: Group;
  readonly bytes: number;
  readonly beganMs: number | null;
  readonly outcome: Promise<Outcome>;
}

export interface GroupsUnderWayOptions {
  readonly connection: ApplyConnection;
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
 */
export class GroupsUnderWay {
  readonly #options: GroupsUnderWayOptions;
  readonly #groups: UnderWay[] = [];
  #parts = 0;
  #rows = 0;
  #bytes = 0;
  /** One of them has failed: nothing more is sent until they are cleared away. */
  #isBroken = false;
  #isStill: Promise<void> = Promise.resolve();

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
    try {
      let isMore = first.group.rows >= backlogRows(this.#options.groupRows);
      while (isMore) {
        // What the socket didn't take at once goes out first.
        await new Promise((resolve) => setImmediate(resolve));
        isMore = fill();
      }
      return await first.outcome;
    } finally {
      feed.onMore(null);
    }
  }

  /** The first of them is done with: returns how many parts that were. */
  shift(): number {
    const first = this.#groups.shift();
    if (first === undefined) return 0;
    this.#take(first, -1);
    return first.group.parts.length;
  }

  /** Resolves when all were answered, and the session can be asked for something else. What became of them stays to be looked at. */
  async rest(): Promise<void> {
    for (const { outcome } of this.#groups) await outcome;
    await this.#isStill;
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
    return behind.every(({ kind }) => kind === 'failed');
  }

  #isWorthwhile(incoming: IncomingParts): boolean {
    const { size, connection, isFree } = this.#options;
    if (incoming.parts.length <= this.#parts || this.#isBroken || !isFree()) return false;
    if (!isBounded(connection.client, mostStatements)) return false;
    if (this.size === 0) return true;
    if (this.size >= mostGroups) return false;
    // What is little waits, and grows, until the target has nothing else to do.
    const { limits } = size;
    return incoming.rows - this.#rows >= limits.rows / 2 || incoming.bytes - this.#bytes >= limits.bytes / 2;
  }

  /** False where it can't go this way. */
  #send(group: Group, bytes: number): boolean {
    const { connection, target, counter, ahead } = this.#options;
    const { commit } = group;
    const wasOpen = target.open;
    // After a COMMIT that was refused nothing would be left of the parts before: it waits until they are known to be right.
    if (wasOpen && commit !== null) return false;
    const statements = ahead.statements(group, wasOpen);
    if (statements === null) return false;
    const beganMs = counter.now();
    const batch = new Batch(connection.client);
    const isBehind = this.size > 0;
    const sendRows = (to: Batch): void => statements.sendTo(to);
    const done =
      commit === null
        ? target.sendPart(batch, { group, isBehind }, sendRows)
        : target.sendWhole(batch, { group, commit, isBehind }, sendRows);
    const outcome = done.then(
      (): Outcome => ({ kind: 'done', group, beganMs }),
      (error: unknown): Outcome => {
        this.#fail(wasOpen);
        return { kind: 'failed', group, beganMs, error };
      },
    );
    const sent = { group, bytes, beganMs, outcome };
    this.#groups.push(sent);
    this.#take(sent, 1);
    return true;
  }

  /** Behind all that was sent the session is to be free of what has failed. */
  #fail(wasOpen: boolean): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    // Where the connection is gone, the first error tells.
    this.#isStill = this.#options.target.takeBack(wasOpen).catch(() => {});
  }

  #take({ group, bytes }: UnderWay, sign: 1 | -1): void {
    this.#parts += sign * group.parts.length;
    this.#rows += sign * group.rows;
    this.#bytes += sign * bytes;
  }
}
