import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { fingerprintOf } from '../../../src/core/route-description.ts';
import type { StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import { sqlState } from '../classify-error.ts';
import { demandApart, lockForShares } from './demand-apart.ts';
import { inTransaction } from './state-schema.ts';

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

/** What was committed at the source before the position is not taken of these. */
export async function storeLoadedTo(
  client: pg.Client,
  routeId: number,
  sources: readonly string[],
  position: string,
): Promise<void> {
  await client.query('update tidelock.tables set loaded_to = $3 where route_id = $1 and source = any ($2)', [
    routeId,
    sources,
    position,
  ]);
}

export async function readTables(client: pg.Client, routeId: number): Promise<readonly StoredTable[]> {
  const { rows } = await client.query<StoredTable>(
    'select source, target, fingerprint, definition, loaded_to as "loadedTo" from tidelock.tables where route_id = $1 order by source',
    [routeId],
  );
  return rows;
}

/** These instead of all that are registered. Throws where another route owns one of the targets. */
export async function replaceTables(
  client: pg.Client,
  place: { readonly route: string; readonly routeId: number },
  tables: readonly StoredTable[],
): Promise<void> {
  const targets = tables.map(({ target }) => target);
  try {
    await inTransaction(client, async () => {
      await lockForShares(client, tables);
      await client.query('delete from tidelock.tables where route_id = $1', [place.routeId]);
      await demandApart(client, place, tables);
      // In one statement: there may be thousands.
      await client.query(
        `insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to, owns)
         select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[]::jsonb[], $6::text[], $7::text[])`,
        [
          place.routeId,
          tables.map(({ source }) => source),
          targets,
          tables.map(({ fingerprint }) => fingerprint),
          tables.map(({ definition }) => (definition === null ? null : JSON.stringify(definition))),
          tables.map(({ loadedTo }) => loadedTo ?? null),
          tables.map(({ owns }) => owns?.text ?? null),
        ],
      );
      await demandApart(client, place, tables);
    });
  } catch (error) {
    throw sqlState(error) === '23505' ? await tableOwned(client, place, targets, error) : error;
  }
}

async function tableOwned(
  client: pg.Client,
  { route, routeId }: { readonly route: string; readonly routeId: number },
  targets: readonly string[],
  cause: unknown,
): Promise<unknown> {
  const { rows } = await client.query<{ target: string; key: string }>(
    `select t.target, r.key from tidelock.tables t join tidelock.routes r on r.id = t.route_id
     where t.target = any($1) and t.route_id <> $2 limit 1`,
    [targets, routeId],
  );
  if (!rows[0]) return cause;
  return fail(routeErrors.tableOwned, { route, table: rows[0].target, owner: rows[0].key }, cause);
}

/** Notes on a table's stored definition what a look at the catalogue has halted at. */
export async function storeHalted(
  client: pg.Client,
  routeId: number,
  { source, halted }: { readonly source: string; readonly halted: NonNullable<TableDefinition['halted']> },
): Promise<void> {
  await client.query(
    `update tidelock.tables set definition = definition || jsonb_build_object('halted', $3::jsonb)
     where route_id = $1 and source = $2 and definition is not null`,
    [routeId, source, JSON.stringify(halted)],
  );
}
