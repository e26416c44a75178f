import type { Configuration } from '../../config/configuration.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Position } from '../../core/position.ts';
import type { RouteStateStore, Wanted } from '../../core/route-state-store.ts';
import type { WantedState } from '../../core/route-status.ts';
import type { OpenedRoute } from '../open-route.ts';

/** The routes that a lifecycle verb is about: those named, or all of them with --all. */
export function chosenRoutes(configuration: Configuration, named: readonly string[], all: boolean): string[] {
  if (all === named.length > 0) {
    throw fail(configErrors.arguments, { why: all ? 'give route names or --all, not both' : 'name a route, or --all' });
  }
  const names = all ? [...configuration.routes.keys()] : [...new Set(named)];
  // Before the first of them is touched: a wrong name among several changes nothing.
  for (const name of names) configuration.routes.demand(name, 'route');
  return names;
}

/** Stores what is wanted, also of a route that was never run: the next `run` finds it. */
export async function want(
  route: OpenedRoute,
  state: WantedState,
  acceptSchemaChangesTo?: Position,
): Promise<{ readonly store: RouteStateStore; readonly wanted: Wanted; readonly rested: boolean }> {
  const store = await route.store();
  const stored = await store.read();
  if (stored === null) {
    await store.migrate();
    await store.register();
  }
  const rested = ['failed', 'stopped', 'fenced'].includes(stored?.status?.state ?? '');
  return { store, wanted: await store.setWanted(state, acceptSchemaChangesTo), rested };
}
