import { unknownName } from '../config/unknown-name.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { LiveService } from './live-service.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** A route's metrics, with times as all documents have them. */
export function metricsAnswer(live: LiveService, route: string, routes: readonly string[]) {
  if (!routes.includes(route)) throw unknownName('route', route, routes);
  const metrics = live.metrics(route);
  if (metrics === null) throw fail(routeErrors.noEngine, { route, since: ' in this service' });
  const { at, perTable, history } = metrics;
  return {
    ...metrics,
    at: iso(at),
    perTable: [...perTable],
    history: history.map((sample) => ({ ...sample, at: iso(sample.at) })),
  };
}
