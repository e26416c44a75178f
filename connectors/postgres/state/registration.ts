import type pg from 'pg';
import { dropState, inTransaction, schemaLock } from './state-schema.ts';

/** The route's rows, where they are missing. Not while the last route takes the schema along. */
export async function registerRoute(client: pg.Client, key: string): Promise<void> {
  await inTransaction(client, async () => {
    await client.query('select pg_advisory_xact_lock_shared($1)', [schemaLock]);
    await client.query(`insert into tidelock.routes (key) values ($1) on conflict do nothing`, [key]);
    await client.query(
      `insert into tidelock.requests (route_id) select id from tidelock.routes where key = $1 on conflict do nothing`,
      [key],
    );
  });
}

/** What tells this registration from a later one of the same name: ids begin anew with the schema. Null where the route has none. */
export async function readRegistration(client: pg.Client, key: string): Promise<string | null> {
  const { rows } = await client.query<{ registration: string }>(
    `select id || '@' || extract(epoch from created_at) as registration from tidelock.routes where key = $1`,
    [key],
  );
  return rows[0]?.registration ?? null;
}

export async function readRouteId(client: pg.Client, key: string): Promise<number | null> {
  const { rows } = await client.query<{ id: number }>('select id from tidelock.routes where key = $1', [key]);
  return rows[0]?.id ?? null;
}

/** All that is stored about the route, and the schema after the last one. `holdLease`, in the same transaction: false where there is nothing. */
export async function dropRoute(client: pg.Client, key: string, holdLease: () => Promise<boolean>): Promise<void> {
  await inTransaction(client, async () => {
    if (!(await holdLease())) return;
    await client.query('delete from tidelock.routes where key = $1', [key]);
    // Only now: routes that begin elsewhere wait for it.
    await client.query('select pg_advisory_xact_lock($1)', [schemaLock]);
    const { rows } = await client.query('select from tidelock.routes limit 1');
    if (rows.length === 0) await dropState(client);
  });
}
