import type { Logger } from '../core/logger.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';

export interface LeftQueue {
  /** Of the route under the name that an interrupted rename was about to give it, or has taken from it. */
  readonly name: string;
  readonly source: Source;
  readonly store: RouteStateStore;
  readonly logger: Logger;
}

/** Drops it, or the source would keep its log for ever. Not where a route has that name by now. */
export async function tidyLeftover({ name, source, store, logger }: LeftQueue): Promise<void> {
  if ((await store.isFree(name)) && (await source.status()).queue !== 'active') {
    await source.dropQueue(async () => {
      if (!(await store.isFree(name))) throw new RangeError('a route of that name has begun');
    });
    logger.warn({ name }, 'a rename was interrupted: what it has left at the source is dropped');
  }
  await store.noteLeftover(null);
}
