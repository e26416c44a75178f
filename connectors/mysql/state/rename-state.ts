import type { Action } from '../../../src/core/action.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { errnoOf } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { writeAction } from './mysql-action-journal.ts';
import { endSessions } from './session-locks.ts';
import { inTransaction, lockErrors, nowMs } from './statements.ts';

export interface RenameState {
  readonly session: MysqlSession;
  readonly routeId: number;
  /** deployment/route. */
  readonly from: string;
  readonly to: string;
  readonly entry: Action;
  confirm(): Promise<void>;
}

/** Each waits for locks as long as the control session does. */
const attempts = 8;

/**
 * One transaction, or the engine that has the route would be fenced by a command that dies between two. It waits for the apply transaction that is open; where that
 * takes long, or the next one is faster, the apply session is ended: its engine connects again. The route's row is locked first and the lease is not before the
 * end, so that the engine can renew it meanwhile.
 */
export async function renameState(rename: RenameState): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1) await endSessions(rename.session, rename.routeId, ['apply']);
    try {
      await inTransaction(rename.session, () => renamed(rename));
      return;
    } catch (error) {
      if (!lockErrors.has(errnoOf(error) ?? 0)) throw error;
      if (attempt === attempts) throw fail(routeErrors.epochLocked, { route: nameOf(rename.from) });
    }
  }
}

async function renamed({ session, routeId, from, to, entry, confirm }: RenameState): Promise<void> {
  if (!(await isFree(session, to))) throw fail(routeErrors.renameTaken, { route: nameOf(from), name: nameOf(to) });
  const changed = await session.change(
    `update tidelock.routes set route_key = ?, epoch = epoch + 1, leftover = ?, leftover_at_ms = ${nowMs} where id = ? and route_key = ?`,
    [to, nameOf(from), routeId, from],
  );
  if (changed !== 1) throw fail(routeErrors.notRegistered, { route: nameOf(from) });
  await confirm();
  await session.change('update tidelock.actions set route_key = ? where route_key = ?', [to, from]);
  await writeAction(session, to, entry);
  // Whoever has the route under its new name need not wait.
  await session.change('update tidelock.leases set expires_at_ms = 0, claim = claim + 1 where route_id = ?', [routeId]);
}

export async function isFree(session: MysqlSession, key: string): Promise<boolean> {
  const [row] = await session.query('select 1 from tidelock.routes where route_key = ?', [key]);
  return row === undefined;
}

/**
 * The same, behind a rename that is under way: its COMMIT may have been sent by a command that has lost its connection since. Throws where that has not
 * ended in time.
 */
export async function isSettledFree(session: MysqlSession, key: string): Promise<boolean> {
  const deployment = key.slice(0, key.indexOf('/') + 1);
  await session.query('select id from tidelock.routes where left(route_key, ?) = ? lock in share mode', [
    deployment.length,
    deployment,
  ]);
  return await isFree(session, key);
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
