import { silentLogger } from '../../src/core/logger.ts';
import { type RouteDefinition, routeKey } from '../../src/core/route.ts';
import type { RouteStateStore, SharedState } from '../../src/core/route-state-store.ts';
import { mysqlSource } from './source/mysql-source.ts';
import { mysqlTarget } from './target/mysql-target.ts';

/** For as long as somebody looks a session for each route that is looked at: a store has its own. */
export async function mysqlSharedState(): Promise<SharedState> {
  const stores = new Map<string, Promise<RouteStateStore>>();
  const open = async (route: RouteDefinition): Promise<RouteStateStore> => {
    const options = { route, logger: silentLogger };
    return await mysqlTarget({ ...options, order: mysqlSource(options).order }).state();
  };
  return {
    store: (route) => {
      const key = routeKey(route);
      const store = stores.get(key) ?? open(route);
      stores.set(key, store);
      return store;
    },
    close: async () => {
      await Promise.allSettled([...stores.values()].map(async (store) => await (await store).close()));
    },
  };
}
