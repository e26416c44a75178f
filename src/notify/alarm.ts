import type { ToldProblem } from '../core/route-status.ts';

/** What is wrong now with one subject of a route; null where nothing is. */
export interface Observation {
  readonly severity: 'warning' | 'critical';
  /** Tells one kind of trouble from another: `state:TL-2104`, `lag`. */
  readonly cause: string;
  /** What passes within this time is told to nobody. */
  readonly holdMs: number;
}

/** What has been told of one subject, and what may be told soon. */
export interface AlarmState {
  readonly told: ToldProblem | null;
  /** Differs from what was told, since when. `severity: null`: nothing is wrong any more. */
  readonly pending: {
    readonly severity: Observation['severity'] | null;
    readonly cause: string;
    readonly sinceMs: number;
  } | null;
  /** When problems began within the last hour: those that were told, and those that came back before a recovery was. */
  readonly problemsMs: readonly number[];
}

export interface Verdict {
  readonly state: AlarmState;
  readonly tell: 'problem' | 'recovery' | null;
}

/** Somebody who hears that all is well goes to sleep: it has to stay well for so long. */
export const recoveryHoldMs = 30_000;
const longestRecoveryHoldMs = 600_000;
const memoryMs = 3_600_000;
/** Beyond these the time does not grow any more. */
const longestMemory = 10;

export function quiet(told: ToldProblem | null): AlarmState {
  return { told, pending: null, problemsMs: [] };
}

/**
 * Whether people are told, as a function of what was told before. Told is what got worse and stayed so: another cause
 * than those that were told of, or a higher severity. What gets better is told once it is well, and stays so; each
 * problem of the last hour doubles that time, so that a route that comes and goes is one problem and not a hundred.
 */
export function advance(state: AlarmState, now: Observation | null, nowMs: number): Verdict {
  const { told } = state;
  const isBack = told !== null && now !== null && state.pending?.severity === null;
  const problemsMs = [...state.problemsMs, ...(isBack ? [nowMs] : [])]
    .filter((at) => nowMs - at < memoryMs)
    .slice(-longestMemory);
  if (!isNews(told, now)) return { state: { told, pending: null, problemsMs }, tell: null };
  const [severity, cause] = [now?.severity ?? null, now?.cause ?? ''];
  const before = state.pending;
  // What goes on getting worse, or changes its cause meanwhile, is held up only once.
  const sinceMs = before !== null && (before.severity === null) === (severity === null) ? before.sinceMs : nowMs;
  if (nowMs - sinceMs < holdMs(now, problemsMs.length))
    return { state: { told, pending: { severity, cause, sinceMs }, problemsMs }, tell: null };
  if (now === null) return { state: { told: null, pending: null, problemsMs }, tell: 'recovery' };
  const isWorse = told === null || (told.severity === 'warning' && now.severity === 'critical');
  const causes = [...(told?.causes ?? []), now.cause];
  const next = { severity: isWorse ? now.severity : told.severity, causes, sinceMs: told?.sinceMs ?? sinceMs };
  return { state: { told: next, pending: null, problemsMs: [...problemsMs, nowMs] }, tell: 'problem' };
}

function isNews(told: ToldProblem | null, now: Observation | null): boolean {
  if (told === null || now === null) return told !== now;
  if (told.severity === 'critical' && now.severity === 'warning') return false;
  return told.severity !== now.severity || !told.causes.includes(now.cause);
}

function holdMs(now: Observation | null, problems: number): number {
  if (now === null) return Math.min(longestRecoveryHoldMs, recoveryHoldMs * 2 ** Math.max(0, problems - 1));
  return now.holdMs;
}
