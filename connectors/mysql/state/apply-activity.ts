import type { ApplyActivity, Holder } from '../../../src/core/apply-activity.ts';
import type { MysqlSession } from '../connect.ts';
import { applyLock } from './session-locks.ts';

/** States of a session that waits for somebody else: metadata and table locks, LOCK TABLES, a semi-synchronous replica. */
const waits = /^(?:Waiting for .*(?:lock|semi-sync|flush)|User lock)/i;

/** What a session of ours does everybody may see who is its user; whom it waits for, only with PROCESS. */
export async function readApplyActivity(session: MysqlSession, routeId: number): Promise<ApplyActivity> {
  const [row] = await session.query(
    `select p.id, p.command, p.state from information_schema.processlist p where p.id = is_used_lock(?)`,
    [applyLock(routeId)],
  );
  const [id, command, state] = row ?? [];
  if (row === undefined || command === 'Sleep') return { doing: 'idle' };
  if (waits.test(state ?? '')) return { doing: 'waiting', what: state ?? '', holders: [] };
  const holders = await readHolders(session, Number(id)).catch(() => null);
  if (holders === null || holders.length === 0) return { doing: 'working' };
  return { doing: 'waiting', what: 'lock on a row', holders };
}

/** Who holds the locks that the session waits for. MySQL and MariaDB tell of it in different places. */
async function readHolders(session: MysqlSession, id: number): Promise<readonly Holder[]> {
  const from =
    session.node.type === 'mariadb'
      ? `information_schema.innodb_lock_waits w join information_schema.innodb_trx m on m.trx_id = w.requesting_trx_id
         join information_schema.innodb_trx h on h.trx_id = w.blocking_trx_id`
      : `performance_schema.data_lock_waits w join information_schema.innodb_trx m on m.trx_id = w.requesting_engine_transaction_id
         join information_schema.innodb_trx h on h.trx_id = w.blocking_engine_transaction_id`;
  const rows = await session.query(
    `select distinct h.trx_mysql_thread_id, p.user, timestampdiff(microsecond, h.trx_started, sysdate(6)) div 1000
     from ${from} left join information_schema.processlist p on p.id = h.trx_mysql_thread_id where m.trx_mysql_thread_id = ?`,
    [id],
  );
  return rows.map(([holder, user, openMs]) => ({
    session: Number(holder),
    user: user ?? null,
    application: '',
    openMs: openMs === null || openMs === undefined ? null : Math.max(0, Number(openMs)),
  }));
}
