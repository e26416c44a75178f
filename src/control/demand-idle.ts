import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { StoredRoute } from '../core/route-state-store.ts';

/** Throws where an engine is at work on the route. One that has halted or is stopped keeps the lease and does nothing. */
export function demandIdle(route: string, stored: StoredRoute | null, action: string): void {
  const holder = stored?.holder ?? null;
  if (holder === null || holder.expiresInMs <= 0) return;
  const state = stored?.status?.state ?? 'starting';
  if (['stopped', 'failed', 'fenced'].includes(state)) return;
  throw fail(routeErrors.stillRunning, { route, state, host: holder.host, pid: holder.pid, action });
}
