import type pg from 'pg';
import type { ApplyActivity, Holder } from '../../../src/core/apply-activity.ts';

interface ActivityRow {
  readonly session: number;
  readonly state: string | null;
  readonly waitType: string | null;
  readonly wait: string | null;
  readonly holders: readonly Holder[];
}

/** Names and users of sessions are there for everybody to see; what a session of ours does, too. A prepared transaction has no session: 0. */
const query = `
  select a.pid as session, a.state, a.wait_event_type as "waitType", a.wait_event as wait,
    coalesce((
      select json_agg(json_build_object('session', p.pid, 'user', b.usename,
        'application', case p.pid when 0 then 'a prepared transaction' else coalesce(b.application_name, '') end,
        'openMs', round(extract(epoch from clock_timestamp() - b.xact_start) * 1000)) order by b.xact_start)
      from (select distinct unnest(pg_blocking_pids(a.pid)) as pid) p left join pg_stat_activity b on b.pid = p.pid
    ), '[]') as holders
  from pg_stat_activity a
  where a.datname = current_database() and starts_with(a.application_name, $1)`;

export async function readApplyActivity(client: pg.Client, routeId: number): Promise<ApplyActivity> {
  const { rows } = await client.query<ActivityRow>(query, [`tidelock ${routeId} apply `]);
  if (rows.some(isWorking)) return { doing: 'working' };
  // A lane waits for its turn, too: what holds up the one that it waits for is the reason.
  const own = new Set(rows.map(({ session }) => session));
  const waits = rows.filter(isWaiting);
  const waiting = waits.find(({ holders }) => holders.some(({ session }) => !own.has(session))) ?? waits[0];
  if (waiting === undefined) return { doing: 'idle' };
  const what = waiting.waitType === 'Lock' ? `lock on ${waiting.wait}` : 'a synchronous standby';
  return { doing: 'waiting', what, holders: waiting.holders };
}

/** A COMMIT waits for a standby that has to confirm it. */
function isWaiting({ state, waitType, wait }: ActivityRow): boolean {
  return state === 'active' && (waitType === 'Lock' || wait === 'SyncRep');
}

/** A session that reads from its client or writes to it waits for us. */
function isWorking(row: ActivityRow): boolean {
  return row.state === 'active' && !isWaiting(row) && row.waitType !== 'Client';
}
