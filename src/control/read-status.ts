import type { Configuration } from '../config/configuration.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { ConcernTimes } from './concern-times.ts';
import type { RouteReader } from './route-readings.ts';
import { type RouteView, routeView } from './route-view.ts';

export interface StatusDocument {
  readonly version: 1;
  readonly routes: readonly RouteView[];
}

/** All or some of the routes, asked side by side. */
export async function readStatus(
  configuration: Configuration,
  names: readonly string[],
  { reader, concernTimes }: { readonly reader: RouteReader; readonly concernTimes: ConcernTimes },
): Promise<StatusDocument> {
  const routes = await Promise.all(
    names.map(async (name) => {
      const definition = configuration.routes.demand(name, 'route');
      const [stored, source] = await Promise.all([
        answer(() => reader.store(definition, (store) => store.read())),
        answer(() => reader.source(definition)),
      ]);
      return routeView({ definition, stored, source, seenSince: concernTimes.look(name) });
    }),
  );
  return { version: 1, routes };
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
