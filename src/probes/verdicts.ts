import type { Health, RouteState } from '../core/route-status.ts';
import type { RouteConditions } from '../supervisor/route-conditions.ts';

export interface RouteHealth {
  readonly route: string;
  readonly state: RouteState;
  readonly health: Health;
  /** TL code of the reason, or of what is not well beside the state. */
  readonly code: string | null;
}

/** Null where there is no such route. */
export function routeHealth(conditions: RouteConditions, route: string): RouteHealth | null {
  const condition = conditions.of(route);
  if (condition === null) return null;
  const { state, health, status } = condition;
  return { route, state, health, code: status?.reason?.code ?? status?.concerns?.[0]?.code ?? null };
}

/** A route does what it is there for, or a person wants that it rests for a while. */
export function isHealthy({ state }: RouteHealth): boolean {
  return state === 'running' || state === 'paused';
}

/**
 * Ready: this service has at least one route, or stands by for one, so that it would be missed. Each route has its own
 * health: one that fails must not take the others' service away.
 */
export function readiness(
  conditions: RouteConditions,
  draining: boolean,
): { readonly ok: boolean; readonly leads: number; readonly standsBy: number; readonly routes: number } {
  const all = conditions.routes().flatMap((route) => conditions.of(route) ?? []);
  const leads = all.filter((condition) => condition.leads).length;
  const standsBy = all.filter(({ state }) => state === 'standby').length;
  return { ok: !draining && (all.length === 0 || leads + standsBy > 0), leads, standsBy, routes: all.length };
}
