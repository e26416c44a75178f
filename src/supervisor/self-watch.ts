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
  readonly #everyMs: number;
  #vitals: WorkerVitals;
  #tookAtMs = performance.now();
  #facts: () => RouteFacts = () => ({ memoryLimitBytes: null, progress: null });
  /** Of the last minute. */
  #delays: readonly { readonly ms: number; readonly atMs: number }[] = [];

  /** `everyMs`: how often take() is called. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
    const { memory, eventLoopDelayMs } = this.#watch.take();
    this.#vitals = { memory, eventLoopDelayMs: { ...eventLoopDelayMs, longest: eventLoopDelayMs.max } };
  }

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
    const sinceMs = performance.now() - rememberedMs;
    return Math.max(0, ...this.#delays.filter(({ atMs }) => atMs >= sinceMs).map(({ ms }) => ms));
  }

  take(): SignOfLife {
    const vitals = this.#watch.take();
    // What came right after the look before is not in the histogram, which begins with its second turn.
    const nowMs = performance.now();
    const lateMs = nowMs - this.#tookAtMs - this.#everyMs;
    this.#tookAtMs = nowMs;
    const max = Math.max(vitals.eventLoopDelayMs.max, lateMs);
    this.#delays = [...this.#delays.filter(({ atMs }) => atMs >= nowMs - rememberedMs), { ms: max, atMs: nowMs }];
    this.#vitals = { ...vitals, eventLoopDelayMs: { ...vitals.eventLoopDelayMs, max, longest: this.blockedMs } };
    return { vitals: this.#vitals, ...this.#facts() };
  }
}
