import { queueName } from '../core/route.ts';
import type { SourceStatus } from '../core/source.ts';
import { demandIdle } from './demand-idle.ts';
import { freshHolder } from './fresh-holder.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';

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
  /** Slot and publication; one that was given stays. */
  readonly queue: {
    readonly name: string;
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
export async function dropRoute(route: OpenedRoute, { dryRun }: DropOptions): Promise<DroppedRoute> {
  const { definition, source } = route;
  const { name, given } = definition;
  const store = await route.store();
  const stored = await store.read();
  demandIdle(name, stored, 'dropped');
  const tables = stored === null ? [] : await store.tables();
  const { queue: state, retainedBytes } = await source.status();
  let left: readonly string[] = [];
  if (!dryRun) {
    if (stored !== null) {
      // An engine that starts meanwhile finds the lease taken; one that has halted is fenced and makes no new queue.
      const attempt = await store.acquireLease(freshHolder(), stored.holder !== null);
      if (!attempt.granted) demandIdle(name, await store.read(), 'dropped');
    }
    // The queue first: what is stored tells that there may be one.
    left = await source.dropQueue();
    await store.drop();
  }
  return {
    version: 1,
    route: name,
    dropped: !dryRun,
    source: placeOfNode(definition.from),
    target: placeOfNode(definition.to),
    queue: { name: given.slot ?? queueName(definition), given: given.slot !== undefined, state, retainedBytes },
    tables: tables.length,
    targetTables: tables.map(({ target }) => target),
    parked: stored?.parked.count ?? 0,
    left,
  };
}
