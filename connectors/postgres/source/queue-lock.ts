import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { connectSide, queuePurpose } from './sessions.ts';

/**
 * Held for as long as the route's queue is made. Two who make it at once would each drop what the other one has made so far, and one of them
 * would go on with a slot whose publication is younger. The session waits for nothing: it goes with whoever holds it, however that ends.
 */
export async function lockQueue(route: RouteDefinition): Promise<AsyncDisposable> {
  const client = await connectSide(route.from, route, queuePurpose);
  const end = async (): Promise<void> => {
    client.connection.stream.destroy();
    await client.end().catch(() => {});
  };
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
      [`tidelock.queue ${routeKey(route)}`],
    );
    if (rows[0]?.locked !== true) throw fail(sourceErrors.queueBeingMade, { route: route.name });
  } catch (error) {
    await end();
    throw error;
  }
  return { [Symbol.asyncDispose]: end };
}
