import type { LoadWait } from '../../core/load.ts';
import { pause } from '../../core/pause.ts';
import type { LoadLimits } from '../../core/route.ts';

export interface LoadPaceOptions {
  readonly limits: LoadLimits;
  /** How late changes are at the target; null where that is not known. */
  lagMs(): number | null;
  /** What the loads wait for now; null: for nothing. */
  onWait?(wait: LoadWait | null): void;
  readonly nowMs?: () => number;
  readonly rest?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The lag is measured with each heartbeat only. */
const lookMs = 250;
/** No more of a second's allowance is read at once, so that what is allowed in a second is not all used at its beginning. */
const chunkSeconds = 0.25;

/**
 * How fast the loads of a route may read: all tables together keep to rows and bytes a second and to a share of the time, and rest
 * while changes are late at the target. What a chunk was is only known when it was read, so that the next one waits for it.
 */
export class LoadPace {
  readonly #options: LoadPaceOptions;
  readonly #nowMs: () => number;
  readonly #rest: (ms: number, signal: AbortSignal) => Promise<void>;
  #freeAtMs = Number.NEGATIVE_INFINITY;
  #wait: LoadWait = 'rate';
  #told: LoadWait | null = null;

  constructor(options: LoadPaceOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#rest = options.rest ?? pause;
  }

  /** How many rows, and bytes, a chunk may have at most. */
  get mostRows(): number {
    return share(this.#options.limits.rowsPerSecond);
  }

  get mostBytes(): number {
    return share(this.#options.limits.bytesPerSecond);
  }

  /** Until a chunk may be read. Rejects where the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const { limits, lagMs } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const lag = limits.lagMs === null ? null : lagMs();
      const leftMs = this.#freeAtMs - this.#nowMs();
      const wait = lag !== null && lag > (limits.lagMs ?? 0) ? 'lag' : leftMs > 0 ? this.#wait : null;
      this.#tell(wait);
      if (wait === null) return;
      await this.#rest(wait === 'lag' ? lookMs : Math.min(leftMs, lookMs), signal);
    }
  }

  /** A chunk was read. */
  took({ rows, bytes, ms }: { readonly rows: number; readonly bytes: number; readonly ms: number }): void {
    const { rowsPerSecond, bytesPerSecond, maxLoad } = this.#options.limits;
    const rateMs = 1000 * Math.max(per(rows, rowsPerSecond), per(bytes, bytesPerSecond));
    const shareMs = maxLoad === null ? 0 : ms / maxLoad - ms;
    const nowMs = this.#nowMs();
    // The time that reading took counts for the rate: it is the beginning of the chunk from which on the rows are reckoned.
    const freeAtMs = Math.max(Math.max(this.#freeAtMs, nowMs - ms) + rateMs, nowMs + shareMs);
    this.#wait = shareMs > 0 && freeAtMs === nowMs + shareMs ? 'share' : 'rate';
    this.#freeAtMs = freeAtMs;
  }

  #tell(wait: LoadWait | null): void {
    if (wait === this.#told) return;
    this.#told = wait;
    this.#options.onWait?.(wait);
  }
}

function share(perSecond: number | null): number {
  return perSecond === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(perSecond * chunkSeconds));
}

function per(amount: number, perSecond: number | null): number {
  return perSecond === null ? 0 : amount / perSecond;
}
