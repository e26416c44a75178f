import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { StoredRoute } from '../core/route-state-store.ts';

/** Throws where an engine is at work on the route. One that has halted or is stopped keeps the lease and does nothing. */
export function demandIdle(route: string, stored: StoredRoute | null, action: string): void {
  const holder = stored?.holder ?? null;
  if (holder === null || holder.expiresInMs <= 0) return;
  const state = stored?.status?.state ?? 'starting';
  if (['stopped', 'failed', 'fenced'].includes(state)) return;
  throw busy(route, stored, action);
}

/** Who has it. */
export function busy(route: string, stored: StoredRoute | null, action: string): TidelockError {
  const state = stored?.status?.state ?? 'starting';
  const { host = 'unknown', pid = 0 } = stored?.holder ?? {};
  return fail(routeErrors.stillRunning, { route, state, host, pid, action });
}
