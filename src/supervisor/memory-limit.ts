/** What Node, the engine's code and the garbage between two collections need, whatever the route does. */
const baseBytes = 256 * 2 ** 20;

export interface MemoryUse {
  readonly rssBytes: number;
  /** Null where it is not known yet. */
  readonly limitBytes: number | null;
}

export interface MemoryNeeds {
  /** limits.memory, where somebody has set it. */
  readonly setBytes: number | null;
  readonly budgetBytes: number;
  /** The largest row that the route has met, or may meet. */
  readonly largestRowBytes: number;
}

/** Promise 6: the byte budget and four times the largest row, beside what the process itself needs. */
export function memoryLimitBytes({ setBytes, budgetBytes, largestRowBytes }: MemoryNeeds): number {
  return setBytes ?? baseBytes + budgetBytes + 4 * largestRowBytes;
}

/** From here on health is a warning. */
const warnShare = 0.9;

export function nearsLimit({ rssBytes, limitBytes }: MemoryUse): boolean {
  return limitBytes !== null && rssBytes >= limitBytes * warnShare;
}

/** One sign of life above the limit may be garbage that goes with the next collection. */
const looksAbove = 3;

const firstPauseMs = 30 * 60_000;
const longestPauseMs = 24 * 60 * 60_000;

/** What is remembered of a route from one worker to the next. */
export interface MemoryHistory {
  /** Signs of life in a row that were above the limit. */
  readonly above: number;
  readonly restarts: number;
  /** No restart before that, on the caller's clock. */
  readonly notBeforeMs: number;
}

export const noMemoryHistory: MemoryHistory = { above: 0, restarts: 0, notBeforeMs: Number.NEGATIVE_INFINITY };

/**
 * Whether a worker is to be started again since it uses too much. Never a loop: a restart that has not helped is
 * followed by the next only after half an hour, then after twice as long each time.
 */
export function judgeMemory(
  before: MemoryHistory,
  { rssBytes, limitBytes }: MemoryUse,
  nowMs: number,
): { readonly history: MemoryHistory; readonly restart: boolean } {
  const above = limitBytes !== null && rssBytes >= limitBytes ? before.above + 1 : 0;
  if (above < looksAbove || nowMs < before.notBeforeMs) return { history: { ...before, above }, restart: false };
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** before.restarts);
  return { history: { above: 0, restarts: before.restarts + 1, notBeforeMs: nowMs + pauseMs }, restart: true };
}
