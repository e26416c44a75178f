import { randomUUID } from 'node:crypto';
import type { MysqlSession } from '../connect.ts';
import { dropState, underStateLock } from './state-schema.ts';
import { inTransaction } from './statements.ts';

/** The route's rows, where they are missing. Under the lock under which the tables would be dropped. */
export async function registerRoute(session: MysqlSession, node: string, key: string): Promise<void> {
  await underStateLock(session, node, () =>
    inTransaction(session, async () => {
      if ((await readRouteId(session, key)) === null)
        await session.change('insert into tidelock.routes (route_key, registration) values (?, ?)', [
          key,
          randomUUID(),
        ]);
      for (const table of ['requests', 'leases'])
        await session.change(
          `insert ignore into tidelock.${table} (route_id) select id from tidelock.routes where route_key = ?`,
          [key],
        );
    }),
  );
}

/** What tells this registration from a later one of the same name. Null where the route has none. */
export async function readRegistration(session: MysqlSession, key: string): Promise<string | null> {
  const [row] = await session.query('select registration from tidelock.routes where route_key = ?', [key]);
  return row?.[0] ?? null;
}

export async function readRouteId(session: MysqlSession, key: string): Promise<number | null> {
  const [row] = await session.query('select id from tidelock.routes where route_key = ?', [key]);
  return row === undefined ? null : Number(row[0]);
}

/** All that is stored about the route, and the tables after the last one. `holdLease`, in the same transaction: false where there is nothing. */
export async function dropRoute(
  session: MysqlSession,
  { node, key }: { readonly node: string; readonly key: string },
  holdLease: () => Promise<boolean>,
): Promise<void> {
  // No route begins meanwhile: the last one takes the tables along.
  await underStateLock(session, node, async () => {
    await inTransaction(session, async () => {
      if (await holdLease()) await session.change('delete from tidelock.routes where route_key = ?', [key]);
    });
    const [row] = await session.query('select 1 from tidelock.routes limit 1');
    if (row === undefined) await dropState(session);
  });
}
