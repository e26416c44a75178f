import type pg from 'pg';
import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { readCatalogue } from '../catalogue.ts';
import { captureFindings } from '../ddl-capture.ts';
import { checkServer } from './check-server.ts';
import { checkTables } from './check-tables.ts';

/** What has to be mended at the source before the route can run. Changes nothing. */
export async function preflight(client: pg.Client, route: RouteDefinition): Promise<readonly Finding[]> {
  return [
    ...(await checkServer(client, route)),
    ...(await captureFindings(client, route)),
    ...(await checkTables(client, route, await readCatalogue(client))),
  ];
}
