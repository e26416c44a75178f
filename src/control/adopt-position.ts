import type { MakeEntry } from '../core/action.ts';
import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { queueName, type RouteDefinition } from '../core/route.ts';
import type { StoredCheckpoint } from '../core/route-state-store.ts';
import type { SourceStatus } from '../core/source.ts';
import { demandIdle } from './demand-idle.ts';
import { freshHolder } from './fresh-holder.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';
import type { RouteReader } from './route-readings.ts';

/** `position --json`. */
export interface PositionDocument {
  readonly version: 1;
  readonly route: string;
  readonly sourceNode: string;
  readonly targetNode: string;
  readonly phase: StoredCheckpoint['phase'] | null;
  readonly checkpoint: string | null;
  /** The end of the source's log. */
  readonly source: string;
  readonly queue: {
    readonly state: SourceStatus['queue'];
    readonly position: string | null;
    readonly retainedBytes: number | null;
  };
}

export interface AdoptOptions {
  /** True: the queue's own. */
  readonly position: string | true;
  readonly dryRun: boolean;
}

/** `position --adopt --json`. */
export interface AdoptedPosition {
  readonly version: 1;
  readonly route: string;
  readonly position: string;
  /** The checkpoint that it takes the place of. */
  readonly before: string | null;
  readonly target: NodePlace;
  readonly adopted: boolean;
}

export async function readPosition(definition: RouteDefinition, reader: RouteReader): Promise<PositionDocument> {
  // In this order: no checkpoint is beyond the end of the log then.
  const stored = await reader.store(definition, (store) => store.read());
  const { position, retainedBytes, queue, queuePosition } = await reader.source(definition, { now: true });
  const checkpoint = stored?.checkpoint ?? null;
  return {
    version: 1,
    route: definition.name,
    sourceNode: definition.from.name,
    targetNode: definition.to.name,
    phase: checkpoint?.phase ?? null,
    checkpoint: checkpoint?.phase === 'ready' ? checkpoint.position : null,
    source: position,
    queue: { state: queue, position: queuePosition, retainedBytes },
  };
}

/** Accepts where the route goes on, while no engine is at work on it. */
export async function adoptPosition(
  route: OpenedRoute,
  options: AdoptOptions,
  entry: MakeEntry | null = null,
): Promise<AdoptedPosition> {
  const { definition, source } = route;
  const { name } = definition;
  const store = await route.store();
  const stored = await store.read();
  demandIdle(name, stored, 'adopted');
  const position = options.position === true ? await source.queuePosition() : source.order.parse(options.position);
  if (position === null) {
    throw fail(sourceErrors.slotMissing, { route: name, slot: definition.given.slot ?? queueName(definition) });
  }
  const before = stored?.checkpoint?.phase === 'ready' ? stored.checkpoint.position : null;
  const answer = { version: 1, route: name, position, before, target: placeOfNode(definition.to) } as const;
  if (options.dryRun) return { ...answer, adopted: false };
  const identity = await source.identity();
  await store.migrate();
  await store.register();
  // Under a lease of its own: an engine that starts meanwhile waits, one that has halted is fenced and can't interfere.
  const attempt = await store.acquireLease(freshHolder(), stored?.holder != null);
  if (!attempt.granted) demandIdle(name, await store.read(), 'adopted');
  await store.setReady(identity, position, { entry: entry === null ? undefined : () => entry({ position, before }) });
  await store.releaseLease();
  return { ...answer, adopted: true };
}
