import type { MysqlSession } from '../connect.ts';

/** What a route's sessions at its target are there for. */
export type SessionUse = 'apply' | 'load' | 'repair' | 'control';

const uses: readonly SessionUse[] = ['apply', 'load', 'repair', 'control'];

/**
 * A route's sessions are found by the named lock that each holds as long as it lives: the server tells whose it is, and lets it go with the session. Ids of
 * sessions in a table would be those of others after a restart of the server.
 */
export function applyLock(routeId: number): string {
  return lockName(routeId, 'apply');
}

function lockName(routeId: number, use: SessionUse): string {
  return `tidelock.route ${routeId} ${use}`;
}

/** False where another session of the route has not ended within the time. */
export async function takeSessionLock(
  session: MysqlSession,
  routeId: number,
  use: SessionUse,
  seconds: number,
): Promise<boolean> {
  const [row] = await session.query('select get_lock(?, ?)', [lockName(routeId, use), seconds]);
  return row?.[0] === '1';
}

export async function leaveSessionLock(session: MysqlSession, routeId: number, use: SessionUse): Promise<void> {
  await session.query('select release_lock(?)', [lockName(routeId, use)]);
}

/**
 * Ends the route's sessions but this one. Those of another user can only be ended with CONNECTION_ADMIN (MariaDB: CONNECTION ADMIN): they are left.
 * Numbers of connections are not given out again, so that nobody else is hit who came meanwhile.
 */
export async function endSessions(session: MysqlSession, routeId: number, of = uses): Promise<void> {
  for (const use of of) {
    const [row] = await session.query('select is_used_lock(?), connection_id()', [lockName(routeId, use)]);
    const [holder = null, own = null] = row ?? [];
    if (holder === null || holder === own) continue;
    // Gone by now, or not ours to end: the epoch keeps it from writing either way.
    await session.query(`kill connection ${Number(holder)}`).catch(() => {});
    // It ends once it has rolled back.
    const [freed] = await session.query('select get_lock(?, 1)', [lockName(routeId, use)]);
    if (freed?.[0] === '1') await leaveSessionLock(session, routeId, use);
  }
}
