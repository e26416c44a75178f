import { performance } from 'node:perf_hooks';

/** Until a start is over, and how often it is looked whether there is nothing to do. */
const lookMs = 10_000;

/** Of the time: the heartbeats of an idle route take less. */
const idleShare = 0.05;

/**
 * Gives back, once, what the start has left. V8 keeps the pages of what it has read and compiled: 18 of 92 MB resident, and 18 of the 46 MB that a
 * worker does not share with others. Collecting all stops the worker for a tenth of a second, so it is done when the worker first has nothing to do.
 */
export function settleMemory(): void {
  const collect = (globalThis as { gc?: (options: object) => void }).gc;
  // Where the process was started without --expose-gc.
  if (collect === undefined) return;
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const { utilization } = performance.eventLoopUtilization(before);
    before = performance.eventLoopUtilization();
    if (utilization > idleShare) return;
    clearInterval(timer);
    // The flavour that lets go of compilation caches and empty pages, too.
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, lookMs);
  timer.unref();
}
