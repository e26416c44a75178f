import type pg from 'pg';
import type { PendingChange } from '../../../src/core/route-state-store.ts';
import type { Reason } from '../../../src/core/route-status.ts';
import { requestChannel } from './wanted.ts';

/** In a transaction: what the engine that has the route is to do next, and that it is woken. */
export async function storePending(client: pg.Client, routeId: number, change: PendingChange): Promise<void> {
  await client.query('update tidelock.routes set pending = $2 where id = $1', [routeId, JSON.stringify(change)]);
  // One that has halted tries again with a later request.
  await client.query(`update tidelock.requests set request = request + 1, requested_at = now() where route_id = $1`, [
    routeId,
  ]);
  await client.query(`select pg_notify($1, '')`, [requestChannel(routeId)]);
}

/** Only of the engine that has the route under this epoch. */
export async function storeFailure(
  client: pg.Client,
  routeId: number,
  { epoch, reason }: { readonly epoch: bigint | null; readonly reason: Reason },
): Promise<void> {
  await client.query(
    `update tidelock.routes set pending = pending || jsonb_build_object('failed', $2::jsonb)
     where id = $1 and pending is not null and epoch = $3`,
    [routeId, JSON.stringify(reason), epoch?.toString() ?? null],
  );
}
