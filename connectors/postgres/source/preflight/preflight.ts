import type pg from 'pg';
import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { moneyDecimals, moneyFindings } from '../../money-decimals.ts';
import { readCatalogue, selectTables } from '../catalogue.ts';
import { captureFindings } from '../ddl-capture.ts';
import { isSelected } from '../table-filter.ts';
import { checkServer } from './check-server.ts';
import { checkTables } from './check-tables.ts';

/** What has to be mended at the source before the route can run. Changes nothing. */
export async function preflight(client: pg.Client, route: RouteDefinition): Promise<readonly Finding[]> {
  const { from, to } = route;
  const found = [...(await checkServer(client, route)), ...(await captureFindings(client, route))];
  const catalogue = await readCatalogue(client);
  found.push(...(await checkTables(client, route, catalogue)));
  if (to.type === 'postgres') return found;
  const tables = selectTables(catalogue, (schema, name) => isSelected(route, schema, name)).map(({ table }) => {
    const excluded = route.tables.select(table.schema, table.name)?.excludedColumns ?? [];
    return { ...table, columns: table.columns.filter(({ name }) => !excluded.includes(name)) };
  });
  return [...found, ...(await moneyFindings(from.name, tables, () => moneyDecimals(from)))];
}
