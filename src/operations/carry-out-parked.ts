import type { Logger } from '../core/logger.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import { WorkMeter } from '../core/work-meter.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';

export interface CarryOutOptions {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  /** Of the lease that is held. */
  readonly epoch: bigint;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Of the worker; a command has none. */
  readonly meter?: WorkMeter;
}

/**
 * Does what was asked about parked transactions of a route that does not stream: it is stopped, has halted, or can't
 * reach its source. Only its target is needed for it. To be called under the lease.
 */
export async function carryOutParked(options: CarryOutOptions): Promise<void> {
  const { definition, source, target, store, epoch, logger, signal, meter = new WorkMeter() } = options;
  const checkpoint = (await store.read())?.checkpoint ?? null;
  // Nothing was ever applied, so nothing is parked.
  if (checkpoint?.phase !== 'ready') return;
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const consumer = await target.consumer({
    epoch,
    checkpoint,
    sourceNode: source.originName(checkpoint.source),
    map: async (...asked) => mapper.remap(...asked),
    share: (share) => mapper.share(share),
    meter,
  });
  try {
    await consumer.carryOut(signal);
    logger.info({ parked: consumer.parked().count }, 'parked transactions were looked after');
  } finally {
    await consumer.close();
  }
}
