import type pg from 'pg';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { fingerprintOf } from '../../../src/core/route-description.ts';
import type { StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';
import { demandApart, lockForShares } from './demand-apart.ts';

type Named = Pick<RouteDefinition, 'name'>;

/** What the route was applied with from this transaction on, and what is pending then. Under the lock of the route's row. */
export async function storeApplied(
  client: pg.Client,
  routeId: number,
  { applied, pending }: Pick<TablesChange, 'applied' | 'pending'>,
): Promise<void> {
  await client.query('update tidelock.routes set applied = $2, fingerprint = $3, pending = $4 where id = $1', [
    routeId,
    JSON.stringify(applied),
    fingerprintOf(applied),
    pending === undefined ? null : JSON.stringify(pending),
  ]);
}

/** In the transaction that makes it true. */
export async function storeChange(
  client: pg.Client,
  route: Named,
  routeId: number,
  { removed, tables, applied, pending }: TablesChange,
): Promise<void> {
  await lockForShares(client, tables);
  await client.query('delete from tidelock.tables where route_id = $1 and source = any ($2)', [
    routeId,
    [...removed, ...tables.map(({ source }) => source)],
  ]);
  // A load of a table that the route no longer carries has nowhere to go on.
  await client.query('delete from tidelock.loads where route_id = $1 and source = any ($2)', [routeId, removed]);
  await registerTables(client, route, routeId, tables);
  await storeApplied(client, routeId, { applied, pending });
}

/** Beside those that are registered. Throws where another route has rows of one of the targets, or another table of this one does. */
export async function registerTables(
  client: pg.Client,
  route: Named,
  routeId: number,
  tables: readonly StoredTable[],
): Promise<void> {
  const place = { route: route.name, routeId };
  await lockForShares(client, tables);
  await demandApart(client, place, tables);
  for (const { source, target, fingerprint, definition, loadedTo, owns } of tables) {
    const text = definition === null ? null : JSON.stringify(definition);
    await client.query(
      `insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to, owns) values ($1, $2, $3, $4, $5, $6, $7)`,
      [routeId, source, target, fingerprint, text, loadedTo ?? null, owns?.text ?? null],
    );
  }
  await demandApart(client, place, tables);
}
