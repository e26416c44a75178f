import type { Configuration } from '../config/configuration.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { RouteStateStore, StoredRoute } from '../core/route-state-store.ts';
import { renamedTo } from '../operations/renamed-route.ts';
import type { ConcernTimes } from './concern-times.ts';
import type { RouteReader } from './route-readings.ts';
import { type BetweenWorkers, type RouteAnswers, type RouteView, routeView } from './route-view.ts';

export interface StatusDocument {
  readonly version: 1;
  readonly routes: readonly RouteView[];
}

export interface StatusReading {
  readonly reader: RouteReader;
  readonly concernTimes: ConcernTimes;
  /** Of a service, for its own routes. */
  between?(route: string): BetweenWorkers | null;
}

/** All or some of the routes, asked side by side. */
export async function readStatus(
  configuration: Configuration,
  names: readonly string[],
  { reader, concernTimes, between = () => null }: StatusReading,
): Promise<StatusDocument> {
  const routes = await Promise.all(
    names.map(async (name) => {
      const definition = configuration.routes.demand(name, 'route');
      const [found, source] = await Promise.all([
        answer(() => reader.store(definition, readStored(name))),
        answer(() => reader.source(definition)),
      ]);
      const seenSince = concernTimes.look(name);
      const stored = 'code' in found ? { stored: found } : found;
      return routeView({ definition, ...stored, source, seenSince, between: between(name) });
    }),
  );
  return { version: 1, routes };
}

/** Where nothing is stored, it may be under another name. */
function readStored(name: string): (store: RouteStateStore) => Promise<Pick<RouteAnswers, 'renamedTo'> & Found> {
  return async (store) => {
    const stored = await store.read();
    return stored === null ? { stored, renamedTo: await renamedTo(store.actions, name) } : { stored };
  };
}

interface Found {
  readonly stored: StoredRoute | null;
}

/** A side that can't be asked is an answer too. */
async function answer<T>(ask: () => Promise<T>): Promise<T | TidelockError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TidelockError && error.recovery !== 'usage') return error;
    throw error;
  }
}
