import { silentLogger } from '../core/logger.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import { openTarget } from '../pipeline/bridge/bridged-target.ts';
import { connectorFor } from '../registry.ts';

/** Both sides of a route as commands need them. Nothing connects before it is used. */
export interface OpenedRoute extends AsyncDisposable {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  /** Opened with the first call, the same one each time. */
  store(): Promise<RouteStateStore>;
}

export function openRoute(definition: RouteDefinition): OpenedRoute {
  const options = { route: definition, logger: silentLogger };
  const source = connectorFor(definition.from.type).source(options);
  const target = openTarget(connectorFor, { ...options, order: source.order });
  let store: Promise<RouteStateStore> | null = null;
  return {
    definition,
    source,
    target,
    store: () => {
      store ??= target.state();
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await store?.then(
        (opened) => opened.close(),
        () => {},
      );
      await source.close();
      await target.close();
    },
  };
}
