import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { demandApart } from '../state/demand-apart.ts';

interface RegisterOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly routeId: number;
}

/** Stores which tables the route carries after a command, and as what, in the open target transaction. */
export async function registerTables({ tables, stored, table }: DdlChange, options: RegisterOptions): Promise<void> {
  const { client, route, routeId } = options;
  if (tables?.kind === 'dropped')
    await client.query('delete from tidelock.tables where route_id = $1 and source = any ($2::text[])', [
      routeId,
      tables.names.map(tableLabel),
    ]);
  await followLoads(client, routeId, { tables, stored });
  if (stored === undefined) return;
  const { source, target, fingerprint, definition } = stored;
  const before = tables?.kind === 'renamed' ? tableLabel(tables.from) : source;
  if (tables?.kind !== 'created') {
    await client.query(
      `update tidelock.tables set source = $3, target = $4, fingerprint = $5, definition = $6 where route_id = $1 and source = $2`,
      [routeId, before, source, target, fingerprint, JSON.stringify(definition)],
    );
    return;
  }
  const { rowCount } = await client.query(
    `insert into tidelock.tables (route_id, source, target, fingerprint, definition) values ($1, $2, $3, $4, $5)
     on conflict do nothing`,
    [routeId, source, target, fingerprint, JSON.stringify(definition)],
  );
  if (rowCount === 1) {
    await demandApart(client, { route: route.name, routeId }, [stored]);
    return;
  }
  const { rows } = await client.query<{ key: string }>(
    'select r.key from tidelock.tables t join tidelock.routes r on r.id = t.route_id where t.target = $1',
    [target],
  );
  throw fail(routeErrors.tableOwned, {
    route: route.name,
    table: table === null ? source : tableLabel(table),
    owner: rows[0]?.key ?? 'another route',
  });
}

/** A load of a table that is gone has ended; one of a table that has another name goes on under that. */
async function followLoads(
  client: pg.Client,
  routeId: number,
  { tables, stored }: { readonly tables: DdlChange['tables']; readonly stored: DdlChange['stored'] | undefined },
): Promise<void> {
  if (tables?.kind === 'dropped')
    await client.query('delete from tidelock.loads where route_id = $1 and source = any ($2::text[])', [
      routeId,
      tables.names.map(tableLabel),
    ]);
  if (tables?.kind !== 'renamed' || stored === undefined) return;
  const { source, target } = stored;
  // Of a load that has ended long ago under that name.
  await client.query('delete from tidelock.loads where route_id = $1 and source = $2', [routeId, source]);
  await client.query(
    'update tidelock.loads set source = $3, targets = jsonb_build_array($4::text) where route_id = $1 and source = $2',
    [routeId, tableLabel(tables.from), source, target],
  );
}
