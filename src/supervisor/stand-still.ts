import type { ProgressReport } from './sign-of-life.ts';

/** Each restart that has not helped lets the next one wait for twice as long, up to so many times. */
const longestFactor = 16;

/** What is remembered of a route from one worker to the next. */
export interface StandStill {
  readonly steps: number;
  /** Signs of life in a row without a step, while one was due. */
  readonly looks: number;
  /** Signs of life with a step since the last restart. */
  readonly moves: number;
  /** Restarts that have not helped. */
  readonly restarts: number;
}

export const moving: StandStill = { steps: 0, looks: 0, moves: 0, restarts: 0 };

/**
 * Whether a worker is to be started again since its route stands still while its source moves on. What counts are signs
 * of life (`patience` of them), not the clock: a worker or a Supervisor that was frozen has missed nothing.
 *
 * Nothing is due while the source itself commits nothing, while a server works on a statement or reads its log, and
 * while another session holds the route up at the target: a new worker would wait for the same.
 */
export function judgeProgress(
  before: StandStill,
  report: ProgressReport | null,
  patience: number,
): { readonly now: StandStill; readonly restart: boolean } {
  // A new worker counts from zero.
  if (report === null) return { now: { ...before, steps: 0, looks: 0 }, restart: false };
  if (report.steps !== before.steps) {
    // A few steps after a restart are no proof: it may stand still at the same place.
    const moves = before.moves + 1;
    const restarts = moves >= patience ? 0 : before.restarts;
    return { now: { steps: report.steps, looks: 0, moves, restarts }, restart: false };
  }
  if (!report.due || report.waits) return { now: { ...before, looks: 0 }, restart: false };
  const looks = before.looks + 1;
  if (looks < patience * Math.min(longestFactor, 2 ** before.restarts))
    return { now: { ...before, looks }, restart: false };
  return { now: { steps: 0, looks: 0, moves: 0, restarts: before.restarts + 1 }, restart: true };
}
