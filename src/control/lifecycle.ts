import type { Position } from '../core/position.ts';
import type { RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { WantedState } from '../core/route-status.ts';
import { evict } from './evict.ts';
import type { OpenedRoute } from './open-route.ts';

export interface StartOptions {
  /** Takes the route from the engine that has it, at once, for one that stands by. */
  readonly takeover: boolean;
  /** The table definitions that the source has now are the same at the target. */
  readonly acceptSchemaChange: boolean;
}

/** What was asked of one route, in the `--json` of the lifecycle commands. */
export interface LifecycleDocument {
  readonly name: string;
  readonly desiredState: WantedState;
  readonly request: number;
  /** Only after a takeover: who has taken the route; null where nobody did in time. */
  readonly holder?: { readonly host: string; readonly pid: number } | null;
  /** An engine has the route now and does what was asked. */
  readonly engine: boolean;
  /** It had halted or was stopped before. */
  readonly rested: boolean;
}

export async function startRoute(
  route: OpenedRoute,
  { takeover, acceptSchemaChange }: StartOptions,
  signal: AbortSignal,
): Promise<LifecycleDocument> {
  // First the request: the engine that is fenced next has seen it already, and leaves the route to another.
  const accepted = acceptSchemaChange ? (await route.source.status()).position : undefined;
  const { store, ...asked } = await want(route, 'running', accepted);
  if (takeover) {
    const holder = await evict(route, store, signal);
    return { ...documentOf(route, asked), holder, engine: holder !== null };
  }
  return { ...documentOf(route, asked), engine: await hasEngine(store) };
}

export async function stopRoute(route: OpenedRoute): Promise<LifecycleDocument> {
  const { store, ...asked } = await want(route, 'stopped');
  return { ...documentOf(route, asked), engine: await hasEngine(store) };
}

function documentOf(
  { definition }: OpenedRoute,
  { wanted, rested }: { readonly wanted: Wanted; readonly rested: boolean },
): Omit<LifecycleDocument, 'engine'> {
  return { name: definition.name, desiredState: wanted.state, request: wanted.request, rested };
}

/** Stores what is wanted, also of a route that was never run: the next `run` finds it. */
async function want(
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

/** A request only asks; whoever runs the route or stands by for it does. */
async function hasEngine(store: RouteStateStore): Promise<boolean> {
  const holder = (await store.read())?.holder ?? null;
  return holder !== null && holder.expiresInMs > 0;
}
