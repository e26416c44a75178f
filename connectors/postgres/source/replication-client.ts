import type pg from 'pg';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { clientConfig, connectFirst } from '../connect.ts';
import { sideName } from './sessions.ts';

/** A session that understands replication commands beside simple queries (no bound values). */
export async function connectReplication(route: RouteDefinition, purpose: string): Promise<pg.Client> {
  return await connectFirst(route.from, (settings, host) => {
    const config = clientConfig(settings, host, { applicationName: sideName(route, purpose) });
    // The driver passes `replication` on to the server; its type declarations don't have it.
    return { ...config, replication: 'database' } as pg.ClientConfig;
  });
}
