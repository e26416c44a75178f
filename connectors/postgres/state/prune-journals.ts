import type pg from 'pg';
import type { JournalLimits } from '../../../src/core/route.ts';

export interface PruneJournals {
  readonly client: pg.Client;
  readonly routeId: number;
  /** deployment/route. */
  readonly routeKey: string;
  readonly limits: JournalLimits;
}

/** More of them at once would keep the renewals of the lease waiting on this connection; the rest goes with the next time. */
const most = 20_000;

/**
 * The route's own by number and by age; by age also what dropped routes of the deployment have left, which nobody else
 * looks after.
 */
export async function pruneJournals({ client, routeId, routeKey, limits }: PruneJournals): Promise<void> {
  const { keepMs, entries } = limits;
  const deployment = routeKey.slice(0, routeKey.indexOf('/') + 1);
  await client.query(
    `delete from tidelock.actions where id in (
       select id from tidelock.actions a where
         (starts_with(route_key, $1) and at < clock_timestamp() - $3 * interval '1 ms'
           and not exists (select from tidelock.routes r where r.key = a.route_key and r.key <> $2))
         or (route_key = $2 and id <= (select id from tidelock.actions where route_key = $2 order by id desc offset $4 limit 1))
       order by id limit ${most})`,
    [deployment, routeKey, keepMs, entries],
  );
  await client.query(
    `delete from tidelock.journal where id in (
       select id from tidelock.journal j where route_id = $1
         and (at < clock_timestamp() - $2 * interval '1 ms'
           or id <= (select id from tidelock.journal where route_id = $1 order by id desc offset $3 limit 1))
         and not exists (select from tidelock.parking_requests q
           where q.id = j.request_id and (q.done_at is null or q.done_at > now() - interval '1 day'))
       order by id limit ${most})`,
    [routeId, keepMs, entries],
  );
  await client.query(
    `delete from tidelock.parking_requests where route_id = $1 and done_at < now() - interval '1 day'`,
    [routeId],
  );
}
