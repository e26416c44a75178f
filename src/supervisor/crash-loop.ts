export interface CrashRules {
  readonly crashes: number;
  readonly windowMs: number;
}

/** What has ended longer ago has nothing to do with what ends now. */
export const restartsCountMs = 15 * 60_000;

/** With the growing pauses between them, so many crashes take a minute at least. */
export const crashRules: CrashRules = { crashes: 8, windowMs: restartsCountMs };

/** With the crash that has just happened, those that still count. */
export function recentCrashes(
  crashedAtMs: readonly number[],
  nowMs: number,
  { windowMs }: Pick<CrashRules, 'windowMs'>,
): readonly number[] {
  return [...crashedAtMs, nowMs].filter((atMs) => atMs > nowMs - windowMs);
}

/** What kills a worker so often does not go away by starting it once more. */
export function isCrashLoop(recent: readonly number[], { crashes }: CrashRules): boolean {
  return recent.length >= crashes;
}
