import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { WorkerVitals } from '../core/route-metrics.ts';

/**
 * Looks this often whether the event loop turns in time; what is held up for less is seen in part, or not. Each look wakes
 * the process: with 20 ms that took a third of all CPU time of an idle route.
 */
const resolutionMs = 100;

type Vitals = Pick<WorkerVitals, 'memory'> & {
  readonly eventLoopDelayMs: Omit<WorkerVitals['eventLoopDelayMs'], 'longest'>;
};

/** Memory and event-loop delay of this process. */
export class VitalsWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#delay.enable();
  }

  /** The delay is that since the last call. */
  take(): Vitals {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const late = (ns: number): number => Math.max(0, ns / 1e6 - resolutionMs);
    const delay = this.#delay;
    // Without a single look there is nothing to tell: a loop that stood still has been seen by nobody but its Supervisor.
    const isEmpty = delay.count === 0;
    const eventLoopDelayMs = {
      p50: isEmpty ? 0 : late(delay.percentile(50)),
      p99: isEmpty ? 0 : late(delay.percentile(99)),
      max: isEmpty ? 0 : late(delay.max),
    };
    delay.reset();
    return { memory: { rss, heapUsed, heapTotal, external }, eventLoopDelayMs };
  }
}
