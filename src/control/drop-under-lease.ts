import { failpoint } from '../core/failpoint.ts';
import type { LeaseHolder, RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import { LeaseKeeper, whileKept } from '../supervisor/lease-keeper.ts';
import { freshHolder } from './fresh-holder.ts';

export interface DropUnderLease {
  /** Where something is stored about the route. */
  readonly stores: readonly RouteStateStore[];
  /** Whose queues go. */
  readonly sources: readonly Source[];
  /** From an engine that has halted or is stopped, which is fenced by it. */
  readonly takeover: boolean;
}

export interface Dropped {
  /** The engine that has the route, which is left alone then: nothing was dropped. */
  readonly refused: LeaseHolder | null;
  /** For each source the statements for what its user may not drop. */
  readonly left: readonly (readonly string[])[];
}

/**
 * Removes everything of a route: first its queue, since what is stored tells that there may be one, then what is stored.
 *
 * The lease is kept all the time, and the route is wanted stopped from the beginning: an engine that takes it over from a
 * command that has died rests, and the command given again goes on where it was.
 */
export async function dropUnderLease({ stores, sources, takeover }: DropUnderLease): Promise<Dropped> {
  const left: (readonly string[])[] = [];
  const holder = freshHolder();
  try {
    for (const store of stores) {
      const attempt = await store.acquireLease(holder, takeover);
      if (!attempt.granted) {
        await release(stores);
        return { refused: attempt.holder, left };
      }
      await store.setWanted('stopped', { reason: 'it is being dropped' });
    }
    const confirm = async (): Promise<void> => {
      failpoint('drop.leased');
      for (const store of stores) await store.renewLease(null);
    };
    await allKept(stores, new AbortController().signal, async () => {
      for (const source of sources) left.push(await source.dropQueue(confirm));
    });
    failpoint('drop.queue');
    for (const store of stores) await store.drop();
  } catch (error) {
    // Whoever gives the command again need not wait until it has expired.
    await release(stores);
    throw error;
  }
  return { refused: null, left };
}

async function allKept(
  [store, ...more]: readonly RouteStateStore[],
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (store === undefined) await run(signal);
  else await whileKept(new LeaseKeeper(store, () => null), signal, (kept) => allKept(more, kept, run));
}

async function release(stores: readonly RouteStateStore[]): Promise<void> {
  for (const store of stores) await store.releaseLease().catch(() => {});
}
