import type { PendingChange } from '../../../src/core/route-state-store.ts';
import type { Reason } from '../../../src/core/route-status.ts';
import type { MysqlSession } from '../connect.ts';

/** In a transaction: what the engine that has the route is to do next. */
export async function storePending(session: MysqlSession, routeId: number, change: PendingChange): Promise<void> {
  await session.change('update tidelock.routes set pending = ? where id = ?', [JSON.stringify(change), routeId]);
  // One that has halted tries again with a later request.
  await session.change('update tidelock.requests set request = request + 1 where route_id = ?', [routeId]);
}

/** In a transaction. Only of the engine that has the route under this epoch. */
export async function storeFailure(
  session: MysqlSession,
  routeId: number,
  { epoch, reason }: { readonly epoch: bigint | null; readonly reason: Reason },
): Promise<void> {
  const [row] = await session.query(
    'select pending from tidelock.routes where id = ? and pending is not null and epoch = ? for update',
    [routeId, epoch?.toString() ?? null],
  );
  if (row === undefined) return;
  const pending = JSON.stringify({ ...JSON.parse(row[0] ?? '{}'), failed: reason });
  await session.change('update tidelock.routes set pending = ? where id = ?', [pending, routeId]);
}
