import type { JournalLimits } from '../../../src/core/route.ts';
import type { MysqlSession } from '../connect.ts';
import { nowMs } from './statements.ts';

interface Place {
  readonly routeId: number;
  readonly routeKey: string;
}

/** What operators have done with the route, and what became of parked transactions, beyond these limits. */
export async function pruneJournals(
  session: MysqlSession,
  { routeId, routeKey }: Place,
  limits: JournalLimits,
): Promise<void> {
  await pruneActions(session, routeKey, limits);
  await pruneParkedJournal(session, routeId, limits);
}

async function pruneActions(session: MysqlSession, key: string, { keepMs, entries }: JournalLimits): Promise<void> {
  const deployment = key.slice(0, key.indexOf('/') + 1);
  const [last] = await session.query(
    `select id from tidelock.actions where route_key = ? order by id desc limit 1 offset ${Math.floor(entries)}`,
    [key],
  );
  await session.change(
    `delete from tidelock.actions where (route_key = ? and id <= ?)
       or (left(route_key, char_length(?)) = ? and at < sysdate(6) - interval ? microsecond
         and (route_key = ? or route_key not in (select route_key from tidelock.routes)))`,
    [key, last?.[0] ?? '0', deployment, deployment, keepMs * 1_000, key],
  );
}

/** But for what somebody who has asked for it may still read. */
async function pruneParkedJournal(
  session: MysqlSession,
  routeId: number,
  { keepMs, entries }: JournalLimits,
): Promise<void> {
  const [last] = await session.query(
    `select id from tidelock.journal where route_id = ? order by id desc limit 1 offset ${Math.floor(entries)}`,
    [routeId],
  );
  await session.change(
    `delete from tidelock.journal where route_id = ? and (at < sysdate(6) - interval ? microsecond or id <= ?)
       and (request_id is null or request_id not in (select id from tidelock.parking_requests
         where done_at_ms is null or done_at_ms > ${nowMs} - 86400000))`,
    [routeId, keepMs * 1_000, last?.[0] ?? '0'],
  );
}
