import type { Position } from '../../../src/core/position.ts';
import type { MysqlSession } from '../connect.ts';

/** Under the lock of the route's row. */
export async function storeFirstCheckpoint(session: MysqlSession, routeId: number, position: Position): Promise<void> {
  const [last] = await session.query('select coalesce(max(sequence), 0) from tidelock.checkpoints where route_id = ?', [
    routeId,
  ]);
  await session.change('insert into tidelock.checkpoints (route_id, sequence, position) values (?, ?, ?)', [
    routeId,
    (BigInt(last?.[0] ?? 0) + 1n).toString(),
    position,
  ]);
}
