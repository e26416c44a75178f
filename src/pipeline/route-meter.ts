import type { HeartbeatChange } from '../core/change.ts';
import type { ApplyCounts, Consumer, Progress } from '../core/consumer.ts';
import type { ParkedCount } from '../core/parked.ts';
import type { Position, PositionOrder } from '../core/position.ts';
import type { QueueRoom } from '../core/queue-room.ts';
import type { RouteMetrics } from '../core/route-metrics.ts';
import { WorkMeter } from '../core/work-meter.ts';

/** What is measured of a running route. One per worker: totals go on over reconnects. */
export class RouteMeter {
  /** The rows, and where the time goes: given to whoever does the work. */
  readonly work = new WorkMeter();
  readonly #nowMs: () => number;
  readonly #heartbeatMs: number;
  #base: ApplyCounts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
  #current: Pick<Consumer, 'counts' | 'parked'> | null = null;
  #parked: ParkedCount = { count: 0, since: null };
  #lagMs: number | null = null;
  /** The source's clock minus ours. */
  clockOffsetMs = 0;
  #followedAtMs = 0;
  #lastSentAtMs: number | null = null;
  #lastPassedAtMs: number | null = null;
  #lastProgressAtMs: number | null = null;
  /** What the message before has told of. */
  #told: ApplyCounts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
  applied: Position | null = null;
  /** DDL commands that the target goes without. */
  readonly leftOut = new Set<string>();
  /** Up to here transactions are read whole: one of them did not go through before its commit was known. */
  readWholeTo: Position | null = null;
  /** In a worker that follows one that died: it may have died of what came before its commit. */
  readsWhole = false;
  /** How far the queue has been read. */
  sourcePosition: Position | null = null;
  /** How far the source has written its log. */
  written: Position | null = null;
  retainedBytes: number | null = null;
  /** Before the source drops what has not been read. */
  room: QueueRoom | null = null;
  #largestPartBytes = 0;
  #steps = 0;
  #steppedAtMs = 0;
  #appliedAtMs = 0;
  #beatsSinceStep = 0;

  constructor(heartbeatMs: number, nowMs: () => number = Date.now) {
    this.#heartbeatMs = heartbeatMs;
    this.#nowMs = nowMs;
  }

  /** Counts of the Consumer that works now; those of the one before are kept. */
  follow(consumer: Pick<Consumer, 'counts' | 'parked'>): void {
    this.#base = this.counts();
    this.#current = consumer;
    this.#followedAtMs = this.#nowMs();
    this.stepped();
  }

  /** A Consumer is at work: a route streams. */
  get follows(): boolean {
    return this.#current !== null;
  }

  /**
   * Something was applied. What is merely read is no step: heartbeats would be read until the budget is full, and the
   * parts of a large transaction are applied as they are read.
   */
  stepped(): void {
    this.#appliedAtMs = this.#nowMs();
    this.worked();
  }

  /** A server is at work for the route, which is a step, too, although nothing was applied. */
  worked(): void {
    this.#steps++;
    this.#steppedAtMs = this.#nowMs();
    this.#beatsSinceStep = 0;
  }

  measured(part: { readonly bytes: number }): void {
    if (part.bytes > this.#largestPartBytes) this.#largestPartBytes = part.bytes;
  }

  /** At most, of those that came through the queue: a part holds one row at least, and counts twice what came over the wire. */
  get largestRowBytes(): number {
    return this.#largestPartBytes / 2;
  }

  /** A heartbeat was committed at the source: it should come through the queue. */
  beaten(): void {
    this.#beatsSinceStep++;
  }

  get steps(): number {
    return this.#steps;
  }

  get beatsSinceStep(): number {
    return this.#beatsSinceStep;
  }

  /** Nothing has been done for longer than it takes a heartbeat to come through where nothing holds it up. */
  get isStill(): boolean {
    return this.#isLongAgo(this.#steppedAtMs);
  }

  /** When the target was given something last that it has taken, or the session began, in milliseconds since 1970. */
  get appliedAtMs(): number {
    return this.#appliedAtMs;
  }

  /** Nothing has been applied for as long: that the source is at work meanwhile says nothing of the target. */
  get appliesNothing(): boolean {
    return this.#isLongAgo(this.#appliedAtMs);
  }

  #isLongAgo(atMs: number): boolean {
    return this.#current !== null && this.#nowMs() - atMs >= 3 * this.#heartbeatMs;
  }

  unfollow(): void {
    this.#base = this.counts();
    this.#parked = this.parked();
    this.#current = null;
    this.#lastSentAtMs = null;
    this.#lastPassedAtMs = null;
    this.#lagMs = null;
    this.written = null;
  }

  counts(): ApplyCounts {
    const now = this.#current?.counts();
    if (now === undefined) return this.#base;
    const base = this.#base;
    return {
      transactions: base.transactions + now.transactions,
      rows: base.rows + now.rows,
      groups: base.groups + now.groups,
      replays: base.replays + now.replays,
      collisions: base.collisions + now.collisions,
    };
  }

  /** As the last Consumer knows it. */
  parked(): ParkedCount {
    return this.#current?.parked() ?? this.#parked;
  }

  progressed({ applied }: Progress): void {
    this.applied = applied;
    this.#lastProgressAtMs = this.#nowMs();
  }

  /** A heartbeat has come through the queue, behind everything that was committed before it. */
  passed(heartbeat: HeartbeatChange): void {
    this.#lastPassedAtMs = this.#nowMs();
    this.#lastProgressAtMs = this.#lastPassedAtMs;
    this.#lastSentAtMs = heartbeat.sentAtMs - this.clockOffsetMs;
    this.#lagMs = Math.max(0, this.#nowMs() - this.#lastSentAtMs);
  }

  /**
   * The last heartbeat that came through was committed since the route streams: its lag is what changes take now. One of
   * before has also waited for the route to begin.
   */
  get isFresh(): boolean {
    return this.#lastSentAtMs !== null && this.#lastSentAtMs >= this.#followedAtMs;
  }

  /** Null before the first heartbeat. When none comes through any more, the lag grows with the time since the last. */
  get lagMs(): number | null {
    if (this.#lastSentAtMs === null || this.#lagMs === null) return null;
    const sinceSentMs = this.#nowMs() - this.#lastSentAtMs;
    return sinceSentMs > this.#lagMs + 2 * this.#heartbeatMs ? sinceSentMs : this.#lagMs;
  }

  /** What is to be told now; work that was told before is not told again. */
  metrics(order: PositionOrder): RouteMetrics {
    const [atMs, counts, told] = [this.#nowMs(), this.counts(), this.#told];
    this.#told = counts;
    const bytes = (position: Position | null): number | null => (position === null ? null : order.bytes(position));
    return {
      atMs,
      done: {
        transactions: counts.transactions - told.transactions,
        rows: counts.rows - told.rows,
        groups: counts.groups - told.groups,
        replays: counts.replays - told.replays,
        collisions: counts.collisions - told.collisions,
        ...this.work.take(),
      },
      lagMs: this.lagMs,
      heartbeatAgeMs: this.#lastPassedAtMs === null ? null : atMs - this.#lastPassedAtMs,
      lastProgressAtMs: this.#lastProgressAtMs,
      sourceBytes: bytes(this.written),
      targetBytes: bytes(this.applied),
      retainedBytes: this.retainedBytes,
      parked: this.parked().count,
    };
  }
}
