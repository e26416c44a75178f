import type { LeftBehind } from '../core/node-inspector.ts';
import { queueName } from '../core/route.ts';
import type { StoredRoute } from '../core/route-state-store.ts';
import type { SourceStatus } from '../core/source.ts';
import { connectorFor } from '../registry.ts';
import { busy, demandIdle } from './demand-idle.ts';
import { dropUnderLease } from './drop-under-lease.ts';
import type { JournalEntry } from './journalled.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';

export interface DropOptions {
  readonly dryRun: boolean;
}

/** `drop --json`: what was removed, or would be. */
export interface DroppedRoute {
  readonly version: 1;
  readonly route: string;
  readonly dropped: boolean;
  readonly source: NodePlace;
  readonly target: NodePlace;
  /** Of a source that keeps nothing for one route alone `parts` is empty. */
  readonly queue: {
    readonly name: string;
    /** What goes; what was given stays. */
    readonly parts: LeftBehind['parts'];
    readonly given: boolean;
    readonly state: SourceStatus['queue'];
    readonly retainedBytes: number | null;
  };
  /** Tables whose state is stored. */
  readonly tables: number;
  readonly targetTables: readonly string[];
  /** Parked transactions, which are lost with it. */
  readonly parked: number;
  /** Statements for an administrator of the source: what its user may not drop. */
  readonly left: readonly string[];
}

/** Removes the route's queue and what is stored about it, while no engine is at work on it. Rows stay. */
export async function dropRoute(
  route: OpenedRoute,
  { dryRun }: DropOptions,
  entry: JournalEntry | null = null,
): Promise<DroppedRoute> {
  const { definition, source } = route;
  const { name, given } = definition;
  const store = await route.store();
  const stored = await store.read();
  demandIdle(name, stored, 'dropped');
  const tables = stored === null ? [] : await store.tables();
  const { queue: state, retainedBytes } = await source.status();
  let left: readonly string[] = [];
  if (!dryRun) {
    if (stored === null) {
      // For its lease: the queue may be of an engine that is about to start.
      await store.migrate();
      await store.register();
    }
    await entry?.begin();
    const takeover = stored !== null && stored.holder !== null;
    await using leftover = await leftoverOf(route, stored);
    const sources = [source, ...(leftover === null ? [] : [leftover.source])];
    const dropped = await dropUnderLease({ stores: [store], sources, takeover });
    if (dropped.refused !== null) throw busy(name, await store.read(), 'dropped');
    left = dropped.left.flat();
  }
  return {
    version: 1,
    route: name,
    dropped: !dryRun,
    source: placeOfNode(definition.from),
    target: placeOfNode(definition.to),
    queue: {
      name: given.slot ?? queueName(definition),
      parts: connectorFor(definition.from.type).inspector(definition.from).left(definition, 'source').parts,
      given: given.slot !== undefined,
      state,
      retainedBytes,
    },
    tables: tables.length,
    targetTables: tables.map(({ target }) => target),
    parked: stored?.parked.count ?? 0,
    left,
  };
}

/** What a rename has left at the source; null where there is nothing, or where it is another route's by now. */
async function leftoverOf({ definition, store }: OpenedRoute, stored: StoredRoute | null): Promise<OpenedRoute | null> {
  const name = stored?.wanted.leftover ?? null;
  if (name === null || !(await (await store()).isFree(name))) return null;
  return openRoute({ ...definition, name });
}
