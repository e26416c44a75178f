import type pg from 'pg';
import type { Action } from '../../../src/core/action.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { sqlState } from '../classify-error.ts';
import { writeAction } from './postgres-action-journal.ts';
import { inTransaction } from './state-schema.ts';

export interface RenameState {
  readonly client: pg.Client;
  readonly routeId: number;
  /** deployment/route. */
  readonly from: string;
  readonly to: string;
  readonly entry: Action;
  confirm(): Promise<void>;
}

/** Less than a renewal of the lease waits for anything that this transaction holds. */
const lockMs = 1_000;
const attempts = 8;
const settleMs = 10_000;

/**
 * One transaction, or the engine that has the route would be fenced by a command that dies between two. It waits for the
 * apply transaction that is open; where that takes long, or the next one is faster, the apply sessions are ended: their engine connects again.
 * The route's row is locked first and the lease is not before the end, so that the engine can renew it meanwhile.
 */
export async function renameState(rename: RenameState): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1) await endApplySessions(rename);
    try {
      await inTransaction(rename.client, () => renamed(rename));
      return;
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error;
      if (attempt === attempts) throw fail(routeErrors.epochLocked, { route: nameOf(rename.from) });
    }
  }
}

async function renamed({ client, routeId, from, to, entry, confirm }: RenameState): Promise<void> {
  await client.query(`set local lock_timeout = ${lockMs}`);
  const [deployment = '', name = ''] = to.split('/');
  if (!(await isFree(client, deployment, name))) throw fail(routeErrors.renameTaken, { route: nameOf(from), name });
  const { rowCount } = await client.query(
    `update tidelock.routes set key = $3, epoch = epoch + 1, leftover = $4, leftover_at = clock_timestamp()
     where id = $1 and key = $2`,
    [routeId, from, to, nameOf(from)],
  );
  if (rowCount !== 1) throw fail(routeErrors.notRegistered, { route: nameOf(from) });
  await confirm();
  await client.query('update tidelock.actions set route_key = $2 where route_key = $1', [from, to]);
  await writeAction(client, to, entry);
  // Whoever has the route under its new name need not wait.
  await client.query(`update tidelock.leases set expires_at = 'epoch', claim = claim + 1 where route_id = $1`, [
    routeId,
  ]);
}

export async function isFree(client: pg.Client, deployment: string, name: string): Promise<boolean> {
  const { rows } = await client.query('select from tidelock.routes where key = $1', [`${deployment}/${name}`]);
  return rows.length === 0;
}

/**
 * The same, behind a rename that is under way: its COMMIT may have been sent by a command that has lost its connection since. Throws where that has not
 * ended in time.
 */
export async function isSettledFree(client: pg.Client, deployment: string, name: string): Promise<boolean> {
  await inTransaction(client, async () => {
    await client.query(`set local lock_timeout = ${settleMs}`);
    await client.query('select from tidelock.routes where starts_with(key, $1) for share', [`${deployment}/`]);
  });
  return isFree(client, deployment, name);
}

async function endApplySessions({ client, routeId }: RenameState): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid, 1000) from pg_stat_activity
     where datname = current_database() and starts_with(application_name, $1)
       and (usename = current_user or (select rolsuper from pg_roles where rolname = current_user))`,
    [`tidelock ${routeId} apply `],
  );
}

function nameOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}
