import { TidelockError } from '../core/errors/tidelock-error.ts';
import { pause } from '../core/pause.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import { freshHolder } from './fresh-holder.ts';
import type { OpenedRoute } from './open-route.ts';

/** An engine that stands by asks for the lease every few seconds. */
const takenMs = 15_000;

/**
 * Raises the epoch, which ends the engine that has the route, and leaves the lease free for one that stands by. Returns
 * who has it then, null where nobody took it in time.
 */
export async function evict(
  route: OpenedRoute,
  store: RouteStateStore,
  signal: AbortSignal,
): Promise<{ readonly host: string; readonly pid: number } | null> {
  const own = freshHolder();
  await store.acquireLease(own, true);
  // Whoever takes the lease now ends the session that had it, perhaps before it has answered.
  await store.releaseLease().catch((error: unknown) => {
    if (!(error instanceof TidelockError) || error.recovery !== 'retry') throw error;
  });
  const reader = await route.target.state();
  try {
    const deadlineMs = performance.now() + takenMs;
    while (performance.now() < deadlineMs && !signal.aborted) {
      const holder = (await reader.read())?.holder ?? null;
      if (holder !== null && holder.supervisor !== own.supervisor) return { host: holder.host, pid: holder.pid };
      await pause(100, signal);
    }
    return null;
  } finally {
    await reader.close();
  }
}
