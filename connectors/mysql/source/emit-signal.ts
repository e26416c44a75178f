import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { MysqlSession } from '../connect.ts';
import { makeSignals, writeSignal } from '../own-database.ts';
import { readServerFacts } from '../server-facts.ts';
import { formatPosition } from './position/binlog-position.ts';
import { readEnd } from './start-check.ts';

/** Microseconds since 1970 by the server's clock: of this moment, not of the statement's beginning. */
export const serverMicros = 'CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS UNSIGNED)';

/** A transaction of its own that says nothing but when it was written; gives the server's clock then, in milliseconds. */
export async function emitHeartbeat(session: MysqlSession, route: RouteDefinition): Promise<number> {
  return await emitTimed(session, 'heartbeat', route);
}

/** Whoever has passed the position has everything that was committed before the call. */
export async function emitMark(session: MysqlSession, route: RouteDefinition): Promise<Position> {
  await makeSignals(session);
  await emitTimed(session, 'mark', route);
  return formatPosition(await readEnd(session, await readServerFacts(session)));
}

/** A transaction of its own: what was committed before is in front of it, and seen by every snapshot that is taken once this resolves. */
export async function emitWatermark(session: MysqlSession, route: RouteDefinition, id: string): Promise<void> {
  const content = JSON.stringify({ v: 1, watermark: id });
  await session.query(writeSignal, ['watermark', routeKey(route), content, content]);
}

async function emitTimed(session: MysqlSession, kind: 'heartbeat' | 'mark', route: RouteDefinition): Promise<number> {
  const [row] = await session.query(`SELECT ${serverMicros}`);
  const micros = Number(row?.[0]);
  // What is the same as before would not be logged.
  const content = JSON.stringify({ v: 1, sentAtMs: Math.floor(micros / 1_000), micros });
  await session.query(writeSignal, [kind, routeKey(route), content, content]);
  return micros / 1_000;
}
