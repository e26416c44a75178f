import type { Configuration } from '../config/configuration.ts';
import { namePattern } from '../config/schema/scalars.ts';
import { unknownName } from '../config/unknown-name.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import { failpoint } from '../core/failpoint.ts';
import { pause } from '../core/pause.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { StoredRoute } from '../core/route-state-store.ts';
import type { Asked } from './control.ts';
import { freshHolder } from './fresh-holder.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';

export interface RenameOptions {
  readonly name: string;
  /** How long the route may take to get past what is under way. */
  readonly timeoutMs: number;
}

/** `rename --json`. */
export interface RenamedRoute {
  readonly version: 1;
  readonly route: string;
  readonly name: string;
  readonly renamed: true;
  /** The configuration names it like that already. */
  readonly configured: boolean;
}

const pollMs = 100;

/**
 * Gives a route another name and keeps its position. Everything that is found by the name is made under the new one before what is stored
 * changes its name, and dropped under the old one after it:
 *
 * 1. the publication, and the capture of commands, beside the old ones, while the route runs on;
 * 2. the route passes everything that was under way then, as the queue itself has it confirmed: from there on the new
 *    publication exists for all that is decoded;
 * 3. the lease is taken, which ends the engine's work, and the slot is copied with its position;
 * 4. what is stored gets the new name, in one transaction: from here on the route has it;
 * 5. slot, publication and capture of the old name are dropped.
 *
 * Interrupted before 4 the route has its old name, and the same command begins again; after it the same command does what is
 * left. A queue that was given stays as it is.
 */
export async function renameRoute(
  configuration: Configuration,
  route: string,
  options: RenameOptions & { readonly asked: Asked; readonly signal: AbortSignal },
): Promise<RenamedRoute> {
  const { name, asked } = options;
  const { routes } = configuration;
  if (!namePattern.test(name))
    throw fail(configErrors.arguments, {
      why: `${name} is no name of a route: small letters, digits and single hyphens, at most 30`,
    });
  if (routes.has(route) && routes.has(name)) throw fail(routeErrors.renameTaken, { route, name });
  const definition = routes.get(route) ?? routes.get(name);
  if (definition === undefined) throw unknownName('route', route, [...routes.keys()]);
  await using before = openRoute({ ...definition, name: route });
  await using after = openRoute({ ...definition, name });
  const store = await before.store();
  const stored = await store.read();
  const isThere = (await (await after.store()).read()) !== null;
  const answer = { version: 1, route, name, renamed: true, configured: routes.has(name) } as const;
  if (stored === null) {
    if (!isThere || !(await wasRenamed(after, route))) throw fail(routeErrors.neverStarted, { route });
    await before.source.dropQueue();
    return answer;
  }
  if (isThere) throw fail(routeErrors.renameTaken, { route, name });
  try {
    await moveQueue(before, after.definition, { stored, ...options });
    const entry = {
      action: 'rename',
      ...asked,
      details: { from: route },
      result: 'done',
      code: null,
      message: null,
    } as const;
    await store.rename(name, entry);
  } catch (error) {
    const { code, message } = error instanceof TidelockError ? error : { code: null, message: 'an internal error' };
    const entry = { action: 'rename', ...asked, details: { to: name }, result: 'failed', code, message } as const;
    await store.actions.write(entry).catch(() => {});
    await store.releaseLease().catch(() => {});
    throw error;
  }
  failpoint('rename.stored');
  await before.source.dropQueue();
  return answer;
}

async function moveQueue(
  { definition, source, store }: OpenedRoute,
  twin: RouteDefinition,
  {
    stored,
    timeoutMs,
    signal,
  }: { readonly stored: StoredRoute; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const state = await store();
  const { name: route } = definition;
  if (stored.checkpoint?.phase !== 'ready') throw fail(routeErrors.renameNotYet, { route, why: 'it was never loaded' });
  const deadlineMs = performance.now() + timeoutMs;
  if (definition.given.slot === undefined) {
    demandRunning(route, stored);
    const made = await source.makeTwin(twin);
    failpoint('rename.prepared');
    const until = async (why: string, ask: () => Promise<boolean>): Promise<void> => {
      while (!(await ask())) {
        if (performance.now() > deadlineMs || signal.aborted) throw fail(routeErrors.renameNotYet, { route, why });
        await pause(pollMs, signal);
      }
    };
    await until('transactions that are open at the source have not ended in time', () => source.twinIsReady(made));
    const mark = await source.mark();
    await until(`its queue has not confirmed ${mark} in time`, async () => isPast(await source.queuePosition(), mark));
  } else if (definition.ddl === 'replicate') {
    throw fail(routeErrors.renameNotYet, {
      route,
      why: 'its slot was given, and it carries commands: set ddl: ignore first',
    });
  }
  await state.acquireLease(freshHolder(), true);
  await source.copyQueue(twin);
  failpoint('rename.copied');

  function isPast(confirmed: Position | null, mark: Position): boolean {
    return confirmed !== null && source.order.covers(confirmed, mark);
  }
}

function demandRunning(route: string, { holder, status }: StoredRoute): void {
  const lives = holder !== null && holder.expiresInMs > 0;
  if (lives && (status?.state === 'running' || status?.state === 'catchingUp')) return;
  const why = `it has to run for that, and its state is ${lives ? (status?.state ?? 'starting') : 'not running'}`;
  throw fail(routeErrors.renameNotYet, { route, why });
}

/** What is left of the old name is the route's own only where this is the route that had it. */
async function wasRenamed(after: OpenedRoute, route: string): Promise<boolean> {
  const entries = await (await after.store()).actions.read({ deployment: false, before: null, limit: 1000 });
  return entries.some(
    ({ action, details, result }) => action === 'rename' && result === 'done' && details.from === route,
  );
}
