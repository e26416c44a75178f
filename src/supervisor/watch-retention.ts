import { asTidelockError } from '../core/errors/defect.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { Source } from '../core/source.ts';
import type { RouteMeter } from '../pipeline/route-meter.ts';

/** A route that rests is nobody's who reads its queue; a look takes a connection, which is closed again. */
const everyMs = 60_000;

export interface RestingRoute {
  readonly source: Source;
  readonly meter: RouteMeter;
  readonly logger: Logger;
}

/** What the source keeps for a route that is stopped, paused or has halted grows until its disk is full: it goes on being measured. */
export async function watchRetention({ source, meter, logger }: RestingRoute, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const { retainedBytes, room = null, position } = await source.status();
      meter.retainedBytes = retainedBytes;
      meter.room = room;
      meter.written = position;
    } catch (error) {
      logger.debug({ reason: asTidelockError(error).message }, 'what the source keeps could not be measured');
    }
    await pause(everyMs, signal);
  }
}
