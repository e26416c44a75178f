import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { fingerprintOf, type RouteDescription } from '../../../src/core/route-description.ts';
import type { StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';

type Named = Pick<RouteDefinition, 'name'>;

/** What the route was applied with from this transaction on; nothing is pending then. Under the lock of the route's row. */
export async function storeApplied(client: pg.Client, routeId: number, applied: RouteDescription): Promise<void> {
  await client.query('update tidelock.routes set applied = $2, fingerprint = $3, pending = null where id = $1', [
    routeId,
    JSON.stringify(applied),
    fingerprintOf(applied),
  ]);
}

/** In the transaction that makes it true. */
export async function storeChange(
  client: pg.Client,
  route: Named,
  routeId: number,
  { removed, tables, applied }: TablesChange,
): Promise<void> {
  await client.query('delete from tidelock.tables where route_id = $1 and source = any ($2)', [
    routeId,
    [...removed, ...tables.map(({ source }) => source)],
  ]);
  // A load of a table that the route no longer carries has nowhere to go on.
  await client.query('delete from tidelock.loads where route_id = $1 and source = any ($2)', [routeId, removed]);
  await registerTables(client, route, routeId, tables);
  await storeApplied(client, routeId, applied);
}

/** Beside those that are registered. Throws where another route, or another table of this one, has one of the targets. */
export async function registerTables(
  client: pg.Client,
  route: Named,
  routeId: number,
  tables: readonly StoredTable[],
): Promise<void> {
  for (const { source, target, fingerprint, definition, loadedTo } of tables) {
    const { rows } = await client.query<{ key: string }>(
      'select r.key from tidelock.tables t join tidelock.routes r on r.id = t.route_id where t.target = $1',
      [target],
    );
    if (rows[0]) throw fail(routeErrors.tableOwned, { route: route.name, table: target, owner: rows[0].key });
    await client.query(
      `insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to) values ($1, $2, $3, $4, $5, $6)`,
      [routeId, source, target, fingerprint, definition === null ? null : JSON.stringify(definition), loadedTo ?? null],
    );
  }
}
