import { ByteBudget } from '../core/byte-budget.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { LoadProgress } from '../core/route-status.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import { initialLoad } from '../operations/initial-load.ts';
import { MemoryChannel } from '../pipeline/memory-channel.ts';
import type { RouteMeter } from '../pipeline/route-meter.ts';
import { SchemaGuard } from '../pipeline/schema-guard.ts';
import { streamSession } from '../pipeline/stream-session.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';

export interface RouteAttempt {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  readonly epoch: bigint;
  readonly heartbeatMs: number;
  readonly meter: RouteMeter;
  readonly logger: Logger;
  /** Drains. */
  readonly signal: AbortSignal;
  /** Ends what goes on at once. */
  readonly cut: AbortSignal;
  /** A person has accepted the table definitions that the source had by then. */
  readonly acceptSchemaChangesTo: Position | null;
  onLoad(progress: LoadProgress | null): void;
  onStreaming(): void;
  onHeartbeat(): void;
}

/** One run of a route under a held lease: checks, loads where nothing is stored yet, then streams until aborted. */
export async function attemptRoute(attempt: RouteAttempt): Promise<void> {
  const { definition, source, target, store, epoch, signal } = attempt;
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const tables = await source.tables();
  const findings = [
    ...(await source.preflight()),
    ...(await target.preflight(tables.flatMap((table) => mapper.bind(table).tables))),
    // The Collector tells a lost queue by itself, with a code of its own.
  ].filter((finding) => finding.level === 'error' && finding.code !== 'source.slotLost');
  const [first] = findings;
  if (first) {
    const place = { route: definition.name, errors: findings.length, first: `${first.code} ${first.message}` };
    throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
  }
  let checkpoint = (await store.read())?.checkpoint ?? null;
  if (checkpoint === null || checkpoint.phase === 'creating') {
    await initialLoad({ ...attempt, mapper, onProgress: attempt.onLoad });
    attempt.onLoad(null);
    checkpoint = (await store.read())?.checkpoint ?? null;
  }
  if (signal.aborted) return;
  if (checkpoint?.phase !== 'ready') throw fail(routeErrors.notRegistered, { route: definition.name });
  const stored = await store.tables();
  const budget = new ByteBudget(Math.floor(definition.apply.memoryBytes / 4));
  const consumer = await target.consumer({ epoch, checkpoint, sourceNode: source.originName(await source.identity()) });
  const collector = source.collector(checkpoint.source, {
    budget,
    heartbeatMs: attempt.heartbeatMs,
    onIdentity: (changed) => store.setSource(changed),
    onClockOffset: (offsetMs) => {
      attempt.meter.clockOffsetMs = offsetMs;
    },
    onRetention: (level, retainedBytes) => {
      attempt.meter.retention = level;
      attempt.meter.retainedBytes = retainedBytes;
    },
  });
  attempt.onStreaming();
  const guard = new SchemaGuard({
    route: definition.name,
    mapper,
    store,
    order: source.order,
    stored,
    acceptedTo: attempt.acceptSchemaChangesTo,
  });
  const channel = new MemoryChannel();
  const targetNode = await target.identity();
  await streamSession({
    collector,
    consumer,
    channel,
    mapper,
    guard,
    budget,
    meter: attempt.meter,
    groupRows: definition.apply.groupRows,
    groupTimeMs: definition.apply.groupTimeMs,
    targetNode,
    signal,
    cut: attempt.cut,
    onHeartbeat: () => attempt.onHeartbeat(),
  });
}
