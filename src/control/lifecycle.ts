import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../core/route.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { RouteStateStore, StoredRoute, Wanted, WantedOptions } from '../core/route-state-store.ts';
import type { WantedState } from '../core/route-status.ts';
import type { Asked } from './control.ts';
import { evict } from './evict.ts';
import type { JournalEntry } from './journalled.ts';
import type { OpenedRoute } from './open-route.ts';

export interface StartOptions {
  /** Takes the route from the engine that has it, at once, for one that stands by. */
  readonly takeover: boolean;
  /** The table definitions that the source has now are the same at the target. */
  readonly acceptSchemaChange: boolean;
}

export interface PauseOptions {
  /** Null: until somebody resumes it. */
  readonly forMs: number | null;
}

/** What was asked of one route, in the `--json` of the lifecycle commands. */
export interface LifecycleDocument {
  readonly name: string;
  readonly desiredState: WantedState;
  readonly request: number;
  /** False where the route was left as it was: a stopped one is not paused, and only a paused one is resumed. */
  readonly changed: boolean;
  /** An engine has the route now and does what was asked. */
  readonly engine: boolean;
  /** It had halted or was stopped before. */
  readonly rested: boolean;
  /** It is to run, and what is configured is neither what it was applied with last nor asked for yet. */
  readonly unapplied: boolean;
  readonly pausedUntil: string | null;
  /** Only after a takeover: who has taken the route; null where nobody did in time. */
  readonly holder?: { readonly host: string; readonly pid: number } | null;
  /** What the source keeps for a route that rests; null where it can't be asked. Only of stop and pause. */
  readonly retention?: Retention | null;
}

export interface Retention {
  readonly retainedBytes: number | null;
  /** The route's queue is gone: it can't go on from where it was. */
  readonly lost?: true;
  /** From here on the route's health is a warning, or critical: its limits.retained. */
  readonly warnBytes: number;
  readonly criticalBytes: number;
}

interface Request {
  readonly store: RouteStateStore;
  readonly before: StoredRoute | null;
  /** Null where it did not apply. */
  readonly wanted: Wanted | null;
}

export async function startRoute(
  route: OpenedRoute,
  { takeover, acceptSchemaChange }: StartOptions,
  asked: Asked,
  { entry, signal }: { readonly entry: JournalEntry; readonly signal: AbortSignal },
): Promise<LifecycleDocument> {
  // First the request: the engine that is fenced next has seen it already, and leaves the route to another.
  const acceptSchemaChangesTo = acceptSchemaChange ? (await route.source.status()).position : undefined;
  if (!takeover)
    return await documentOf(
      route,
      await want(route, 'running', { acceptSchemaChangesTo, ...said(asked), entry: entry.done }),
    );
  await registered(route);
  await entry.begin();
  const request = await want(route, 'running', { acceptSchemaChangesTo, ...said(asked) });
  const holder = await evict(route, request.store, signal);
  return { ...(await documentOf(route, request)), holder, engine: holder !== null };
}

export async function stopRoute(
  route: OpenedRoute,
  asked: Asked,
  { done: entry }: JournalEntry,
): Promise<LifecycleDocument> {
  const [request, retention] = await Promise.all([
    want(route, 'stopped', { ...said(asked), entry }),
    readRetention(route),
  ]);
  return { ...(await documentOf(route, request)), retention };
}

/** One that is stopped stays so: a pause that ends would start it. */
export async function pauseRoute(
  route: OpenedRoute,
  { forMs }: PauseOptions,
  asked: Asked,
  { done: entry }: JournalEntry,
): Promise<LifecycleDocument> {
  const [request, retention] = await Promise.all([
    want(route, 'paused', { forMs, instead: ['running', 'paused'], ...said(asked), entry }),
    readRetention(route),
  ]);
  return { ...(await documentOf(route, request)), retention };
}

export async function resumeRoute(
  route: OpenedRoute,
  asked: Asked,
  { done: entry }: JournalEntry,
): Promise<LifecycleDocument> {
  return await documentOf(route, await want(route, 'running', { instead: ['paused'], ...said(asked), entry }));
}

/** Also one that is stopped, paused or has halted runs afterwards. */
export async function restartRoute(
  route: OpenedRoute,
  asked: Asked,
  { done: entry }: JournalEntry,
): Promise<LifecycleDocument> {
  return await documentOf(route, await want(route, 'running', { restart: true, ...said(asked), entry }));
}

function said({ by, reason }: Asked): Pick<WantedOptions, 'askedBy' | 'reason'> {
  return { askedBy: by, reason };
}

/** Stores what is wanted, also of a route that was never run: the next `run` finds it. */
async function want(route: OpenedRoute, state: WantedState, options: WantedOptions): Promise<Request> {
  const before = await registered(route);
  const store = await route.store();
  const wanted = await store.setWanted(state, options);
  return { store, before, wanted };
}

/** As it was found: null where it is registered only now. */
async function registered(route: OpenedRoute): Promise<StoredRoute | null> {
  const store = await route.store();
  const before = await store.read();
  if (before === null) {
    await store.migrate();
    await store.register();
  }
  return before;
}

/** A request only asks; whoever runs the route or stands by for it does. */
async function documentOf({ definition }: OpenedRoute, { store, before, wanted }: Request): Promise<LifecycleDocument> {
  const now = await store.read();
  const asked = wanted ?? now?.wanted;
  // Dropped in between.
  if (asked === undefined) throw fail(routeErrors.notRegistered, { route: definition.name });
  const { state, request, pausedUntil } = asked;
  const holder = now?.holder ?? null;
  return {
    name: definition.name,
    desiredState: state,
    request,
    changed: wanted !== null,
    engine: holder !== null && holder.expiresInMs > 0,
    rested: ['failed', 'stopped', 'fenced'].includes(before?.status?.state ?? ''),
    unapplied: state === 'running' && isUnapplied(definition, now),
    pausedUntil,
  };
}

/** Not told where what is configured can't be read here, which is nothing that the request needs. */
function isUnapplied(definition: RouteDefinition, stored: StoredRoute | null): boolean {
  if (stored?.applied == null) return false;
  try {
    const configured = fingerprintOf(definition.describe());
    const isAsked = stored.pending?.to === configured && stored.pending.failed === undefined;
    return !isAsked && configured !== fingerprintOf(stored.applied);
  } catch (error) {
    if (error instanceof TidelockError) return false;
    throw error;
  }
}

/** The request does not wait for a source that can't be reached. */
async function readRetention({ definition, source }: OpenedRoute): Promise<Retention | null> {
  const status = await source.status().catch(() => null);
  if (status === null) return null;
  const { retainedBytes, queue } = status;
  const isLost = queue === 'lost' || queue === 'missing';
  return { retainedBytes, ...definition.limits.retained, ...(isLost && { lost: true }) };
}
