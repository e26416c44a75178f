import type { HeartbeatChange } from '../core/change.ts';
import type { ApplyCounts, Consumer, Progress } from '../core/consumer.ts';
import type { ParkedCount } from '../core/parked.ts';
import type { Position } from '../core/position.ts';

/** What is measured of a running route. One per worker: totals go on over reconnects. */
export class RouteMeter {
  readonly #nowMs: () => number;
  readonly #heartbeatMs: number;
  #base: ApplyCounts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
  #current: Pick<Consumer, 'counts' | 'parked'> | null = null;
  #parked: ParkedCount = { count: 0, since: null };
  #lagMs: number | null = null;
  /** The source's clock minus ours. */
  clockOffsetMs = 0;
  #lastSentAtMs: number | null = null;
  applied: Position | null = null;
  /** How far the queue has been read. */
  sourcePosition: Position | null = null;
  retainedBytes: number | null = null;
  retention: 'ok' | 'warn' | 'critical' = 'ok';

  constructor(heartbeatMs: number, nowMs: () => number = Date.now) {
    this.#heartbeatMs = heartbeatMs;
    this.#nowMs = nowMs;
  }

  /** Counts of the Consumer that works now; those of the one before are kept. */
  follow(consumer: Pick<Consumer, 'counts' | 'parked'>): void {
    this.#base = this.counts();
    this.#current = consumer;
  }

  unfollow(): void {
    this.#base = this.counts();
    this.#parked = this.parked();
    this.#current = null;
    this.#lastSentAtMs = null;
    this.#lagMs = null;
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
  }

  /** A heartbeat has come through the queue, behind everything that was committed before it. */
  passed(heartbeat: HeartbeatChange): void {
    this.#lastSentAtMs = heartbeat.sentAtMs - this.clockOffsetMs;
    this.#lagMs = Math.max(0, this.#nowMs() - this.#lastSentAtMs);
  }

  /** Null before the first heartbeat. When none comes through any more, the lag grows with the time since the last. */
  get lagMs(): number | null {
    if (this.#lastSentAtMs === null || this.#lagMs === null) return null;
    const sinceSentMs = this.#nowMs() - this.#lastSentAtMs;
    return sinceSentMs > this.#lagMs + 2 * this.#heartbeatMs ? sinceSentMs : this.#lagMs;
  }
}
