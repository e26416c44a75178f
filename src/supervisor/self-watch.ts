import type { WorkerVitals } from '../core/route-metrics.ts';
import type { MemoryUse } from './memory-limit.ts';
import type { SignOfLife } from './sign-of-life.ts';
import { VitalsWatch } from './vitals-watch.ts';

/** A stand-still is told for so long after it. */
const rememberedMs = 60_000;

/** What only the route knows. */
export type RouteFacts = Omit<SignOfLife, 'vitals'>;

/** Measures this process for its Supervisor, and for the route that it runs. */
export class SelfWatch {
  readonly #watch = new VitalsWatch();
  #vitals = this.#watch.take();
  #facts: () => RouteFacts = () => ({ memoryLimitBytes: null, progress: null });
  #blocked: { readonly ms: number; readonly atMs: number } | null = null;

  /** Whoever runs the route tells more of it. */
  describe(facts: () => RouteFacts): void {
    this.#facts = facts;
  }

  /** As of the last take(). */
  get vitals(): WorkerVitals {
    return this.#vitals;
  }

  get memory(): MemoryUse {
    return { rssBytes: this.#vitals.memory.rss, limitBytes: this.#facts().memoryLimitBytes };
  }

  /** The longest stand-still of the last minute. */
  get blockedMs(): number {
    return this.#blocked === null || performance.now() - this.#blocked.atMs > rememberedMs ? 0 : this.#blocked.ms;
  }

  take(): SignOfLife {
    this.#vitals = this.#watch.take();
    const { max } = this.#vitals.eventLoopDelayMs;
    if (max >= this.blockedMs) this.#blocked = { ms: max, atMs: performance.now() };
    return { vitals: this.#vitals, ...this.#facts() };
  }
}
