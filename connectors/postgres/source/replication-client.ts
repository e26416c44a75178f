import pg from 'pg';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { clientConfig } from '../connect.ts';
import { sideName } from './sessions.ts';

/** A session that understands replication commands beside simple queries (no bound values). */
export async function connectReplication(route: RouteDefinition, purpose: string): Promise<pg.Client> {
  const settings = route.from.connection();
  let last: unknown;
  let address = '';
  for (const host of settings.hosts) {
    const config = clientConfig(settings, host, { applicationName: sideName(route, purpose) });
    // The driver passes `replication` on to the server; its type declarations don't have it.
    const client = new pg.Client({ ...config, replication: 'database' } as pg.ClientConfig);
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      last = error;
      address = `${host.host}:${host.port}`;
      await client.end().catch(() => {});
    }
  }
  throw classifyPostgresError(last, route.from.name, address);
}
