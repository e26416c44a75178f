import { createHash } from 'node:crypto';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';

/** Of the function that tells a route's commands, and what the names of its event triggers begin with: a route's own, since each has its own life. */
export function captureName(route: RouteDefinition): string {
  return `tidelock_ddl_${createHash('sha256').update(routeKey(route)).digest('hex').slice(0, 16)}`;
}

/** The event trigger that tells what commands have made and altered; null where the route carries none. */
export function commandTrigger(route: RouteDefinition): string | null {
  return route.ddl === 'replicate' ? `${captureName(route)}_end` : null;
}
