/** A worker that has run this long was well: its next crash counts as the first. */
export const steadyMs = 60_000;

const firstDelayMs = 200;
const longestDelayMs = 60_000;

export interface RestartDelay {
  /** Crashes in a row, at least 1. */
  readonly crashes: number;
  /** From 0 up to and not including 1. */
  readonly random: number;
}

/**
 * How long to wait before a worker is started again: twice as long after each crash, 0.2 s (one crash alone
 * is most often a passing one) to 60 s. Half of it is left to
 * chance, so that routes which a common cause has ended don't come back all at once.
 */
export function restartDelayMs({ crashes, random }: RestartDelay): number {
  const fullMs = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(crashes, 16));
  return Math.round(fullMs * (0.5 + random / 2));
}

/** Crashes in a row, counting one that has just happened. */
export function crashesInRow(before: number, ranMs: number): number {
  return ranMs >= steadyMs ? 1 : before + 1;
}
