import type { Configuration } from '../config/configuration.ts';
import { namePattern } from '../config/schema/scalars.ts';
import { unknownName } from '../config/unknown-name.ts';
import type { Action } from '../core/action.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import { failpoint } from '../core/failpoint.ts';
import { pause } from '../core/pause.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore, StoredRoute } from '../core/route-state-store.ts';
import type { Asked } from './control.ts';
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

/** What nobody has spoken of for a minute is taken for left behind. */
const noteMs = 10_000;

/**
 * Gives a route another name and keeps its position, while it runs on. Everything that is found by the name is made under the new one before
 * what is stored changes its name, and dropped under the old one after it:
 *
 * 1. the publication, and the capture of commands, beside the old ones;
 * 2. the route passes everything that was under way then, as the queue itself has it confirmed: from there on the new
 *    publication exists for all that is decoded;
 * 3. the slot is copied with its position;
 * 4. what is stored gets the new name and another epoch, in one transaction: from here on the route has it, and the engine
 *    that had it under the old name is over;
 * 5. slot, publication and capture of the old name are dropped.
 *
 * Interrupted before 4 the route runs on under its old name, and the same command begins again; after it the same command does what is
 * left. Where nobody gives it again, the engine that has the route drops what was left behind (`leftover` in what is
 * stored), or the slot would keep the source's log for ever. A queue that was given stays as it is.
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
  const entry = (details: object, result: Action['result'], error: unknown = null): Action => {
    const { code, message } = error instanceof TidelockError ? error : { code: null, message: 'an internal error' };
    return {
      action: 'rename',
      ...asked,
      details: { ...details },
      result,
      code,
      message: error === null ? null : message,
    };
  };
  const refuse = async (error: TidelockError): Promise<never> => {
    await store.actions.write(entry({ to: name }, 'refused', error)).catch(() => {});
    throw error;
  };
  if (stored === null) {
    if (!isThere || !(await wasRenamed(after, route))) return await refuse(fail(routeErrors.neverStarted, { route }));
    await before.source.dropQueue();
    await (await after.store()).noteLeftover(null);
    return answer;
  }
  if (isThere) return await refuse(fail(routeErrors.renameTaken, { route, name }));
  let isBegun = false;
  const begun = (): void => {
    isBegun = true;
  };
  try {
    await copyQueue(before, after.definition, { stored, ...options, begun });
    failpoint('rename.copied');
    await store.rename(name, entry({ from: route }, 'done'), () => before.source.demandTwin(after.definition));
  } catch (error) {
    if (isBegun) await undo(store, after).catch(() => {});
    await store.actions.write(entry({ to: name }, 'failed', error)).catch(() => {});
    throw error;
  }
  failpoint('rename.stored');
  await before.source.dropQueue();
  await (await after.store()).noteLeftover(null);
  return answer;
}

/** Not where the answer of the commit was lost: then the queue of the new name is the route's. What can't be asked is left to the engine. */
async function undo(store: RouteStateStore, after: OpenedRoute): Promise<void> {
  if (!(await (await after.store()).isFree(after.definition.name))) return;
  await after.source.dropQueue();
  await store.noteLeftover(null);
}

async function copyQueue(
  { definition, source, store }: OpenedRoute,
  twin: RouteDefinition,
  {
    stored,
    timeoutMs,
    signal,
    begun,
  }: { readonly stored: StoredRoute; readonly timeoutMs: number; readonly signal: AbortSignal; begun(): void },
): Promise<void> {
  const state = await store();
  const { name: route } = definition;
  if (stored.checkpoint?.phase !== 'ready') throw fail(routeErrors.renameNotYet, { route, why: 'it was never loaded' });
  const deadlineMs = performance.now() + timeoutMs;
  if (definition.given.slot !== undefined) {
    if (definition.ddl !== 'replicate') return;
    const why = 'its slot was given, and it carries commands: set ddl: ignore first';
    throw fail(routeErrors.renameNotYet, { route, why });
  }
  demandRunning(route, stored);
  await state.noteLeftover(twin.name);
  begun();
  const made = await source.makeTwin(twin);
  failpoint('rename.prepared');
  const until = async (why: string, ask: () => Promise<boolean>): Promise<void> => {
    let notedAtMs = performance.now();
    while (!(await ask())) {
      if (performance.now() > deadlineMs || signal.aborted) throw fail(routeErrors.renameNotYet, { route, why });
      if (performance.now() - notedAtMs > noteMs) {
        await state.noteLeftover(twin.name);
        notedAtMs = performance.now();
      }
      await pause(pollMs, signal);
    }
  };
  await until('transactions that are open at the source have not ended in time', () => source.twinIsReady(made));
  const mark = await source.mark();
  await until(`its queue has not confirmed ${mark} in time`, async () => isPast(await source.queuePosition(), mark));
  await source.copyQueue(twin);

  function isPast(confirmed: Position | null, mark: Position): boolean {
    return confirmed !== null && source.order.covers(confirmed, mark);
  }
}

function demandRunning(route: string, { holder, status, wanted }: StoredRoute): void {
  const lives = holder !== null && holder.expiresInMs > 0;
  if (lives && (status?.state === 'running' || status?.state === 'catchingUp')) return;
  const state = lives ? (status?.state ?? 'starting') : wanted.state === 'running' ? 'not running' : wanted.state;
  const first =
    wanted.state !== 'running' || state === 'failed'
      ? `"tidelock start ${route}" first`
      : lives
        ? `wait until "tidelock status ${route}" says that it does`
        : 'start "tidelock run" first';
  const why = `it has to run for that, and it is ${state}: ${first}`;
  throw fail(routeErrors.renameNotYet, { route, why });
}

/** What is left of the old name is the route's own only where this is the route that had it. */
async function wasRenamed(after: OpenedRoute, route: string): Promise<boolean> {
  const entries = await (await after.store()).actions.read({ deployment: false, before: null, limit: 1000 });
  return entries.some(
    ({ action, details, result }) => action === 'rename' && result === 'done' && details.from === route,
  );
}
