import type { MakeEntry } from '../../core/action.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { silentLogger } from '../../core/logger.ts';
import type { ParkedTransaction, ParkingOutcome, ParkingRequest } from '../../core/parked.ts';
import { pause } from '../../core/pause.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import type { RouteStatus } from '../../core/route-status.ts';
import { carryOutParked } from '../../operations/carry-out-parked.ts';
import { LeaseKeeper, whileKept } from '../../supervisor/lease-keeper.ts';
import type { Asked } from '../control.ts';
import { freshHolder } from '../fresh-holder.ts';
import type { OpenedRoute } from '../open-route.ts';
import { chosenParked } from './chosen-parked.ts';

const pollMs = 100;

export interface ParkedRequest {
  readonly action: ParkingRequest['action'];
  readonly ids: readonly string[] | 'all';
  /** Takes along what they wait for. */
  readonly withEarlier: boolean;
  /** How long to wait for the engine; the request stays. */
  readonly timeoutMs: number;
  /** Of an earlier answer, to go on waiting for it: nothing is asked for again. */
  readonly request?: number;
}

/** `parked retry --json` and `parked discard --json`. */
export interface ParkedRequestDocument extends ParkingOutcome {
  readonly version: 1;
  readonly route: string;
  /** Null where nothing is stored about the route. */
  readonly request: number | null;
  /** False where it was not carried out in time: it is stored and will be. */
  readonly done: boolean;
}

const nothing: ParkingOutcome = { applied: [], failed: [], waiting: [], discarded: [] };

/** By the engine that has the route; where none has, here, under the lease. */
export async function askParked(
  route: OpenedRoute,
  request: ParkedRequest,
  asked: Asked,
  { entry, signal }: { readonly entry?: MakeEntry; readonly signal: AbortSignal },
): Promise<ParkedRequestDocument> {
  const { name } = route.definition;
  const store = await route.store();
  const deadlineMs = performance.now() + request.timeoutMs;
  if ((await store.read()) === null) {
    chosen(name, [], request.ids);
    return { version: 1, route: name, request: null, done: true, ...nothing };
  }
  const number = request.request ?? (await ask({ name, store, asked, ...(entry && { entry }) }, request));
  for (;;) {
    const outcome = await store.parked.outcome(number);
    if (outcome !== null) return { version: 1, route: name, request: number, done: true, ...outcome };
    if (performance.now() > deadlineMs || signal.aborted) {
      return { version: 1, route: name, request: number, done: false, ...nothing };
    }
    const stored = await store.read();
    if (stored !== null && (stored.holder === null || stored.holder.expiresInMs <= 0)) {
      await underOwnLease(route, store, stored.status, signal);
    }
    await pause(pollMs, signal);
  }
}

/** Null for all. */
function chosen(
  route: string,
  parked: readonly ParkedTransaction[],
  ids: ParkedRequest['ids'],
): readonly number[] | null {
  return ids === 'all' ? null : [...new Set(ids)].map((id) => chosenParked(route, parked, id).id);
}

interface Asking {
  readonly name: string;
  readonly store: RouteStateStore;
  readonly asked: Asked;
  readonly entry?: MakeEntry;
}

async function ask(
  { name: route, store: { parked: store }, asked: { by, reason }, entry }: Asking,
  { action, ids: named, withEarlier }: ParkedRequest,
): Promise<number> {
  const ids = chosen(route, await store.list(), named);
  if (action === 'retry' && ids !== null && !withEarlier) {
    for (const id of ids) {
      const earlier = (await store.earlier([id])).filter((one) => !ids.includes(one));
      if (earlier.length > 0) {
        const list = earlier.slice(0, 10).join(', ') + (earlier.length > 10 ? ', ...' : '');
        throw fail(routeErrors.parkedWaits, { route, id, earlier: list });
      }
    }
  }
  return await store.ask({ action, ids, withEarlier, reason, askedBy: by }, entry);
}

/** Nothing where an engine has come and taken the lease meanwhile: it does what was asked. */
async function underOwnLease(
  { definition, source, target }: OpenedRoute,
  store: RouteStateStore,
  status: RouteStatus | null,
  signal: AbortSignal,
): Promise<void> {
  await store.migrate();
  const lease = await store.acquireLease(freshHolder(), false);
  if (!lease.granted) return;
  const run = (kept: AbortSignal) =>
    carryOutParked({ definition, source, target, store, epoch: lease.epoch, logger: silentLogger, signal: kept });
  try {
    // The route is what it was: with the lease its last status is stored again.
    if (status === null) await run(signal);
    else await whileKept(new LeaseKeeper(store, () => status), signal, run);
  } finally {
    await store.releaseLease();
  }
}
