import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Reason } from '../core/route-status.ts';

/** How a worker ended that was not told to. */
export interface WorkerDeath {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It was killed since it said nothing for so long; null where it was not. */
  readonly silentMs: number | null;
  /** What it has said that it dies of. */
  readonly error: string | null;
}

/** The reason of a route whose worker has died once. */
export function deathReason(route: string, death: WorkerDeath): Reason {
  const { silentMs } = death;
  if (silentMs !== null) return asReason(fail(supervisionErrors.workerSilent, { route, silentMs }));
  return asReason(fail(supervisionErrors.workerDied, { route, end: endText(death) }));
}

/** The reason of a route whose worker is not started any more. */
export function crashLoopReason(
  route: string,
  { death, crashes, windowMs }: { readonly death: WorkerDeath; readonly crashes: number; readonly windowMs: number },
): Reason {
  const place = { route, crashes, minutes: Math.round(windowMs / 60_000), end: endText(death) };
  return asReason(fail(supervisionErrors.crashLoop, place));
}

function endText({ exitCode, signal, silentMs, error }: WorkerDeath): string {
  if (silentMs !== null) return `said nothing for ${Math.round(silentMs / 1000)} s`;
  const how = signal === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`;
  return error === null ? how : `${how}: ${error}`;
}

export function asReason({ code, message, remedy }: Reason): Reason {
  return { code, message, ...(remedy !== undefined && { remedy }) };
}
