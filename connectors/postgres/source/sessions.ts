import type pg from 'pg';
import { type NodeDefinition, type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { connectPostgres } from '../connect.ts';

/** What a query needs of a connection. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: Record<string, unknown>[] }>;
}

/** Shown in pg_stat_activity and, for the replication session, matched by synchronous_standby_names. */
export function applicationName(route: RouteDefinition): string {
  return routeKey(route);
}

/**
 * Sessions beside the stream. Their commits (marks, heartbeats) wait for the local disk only: where the route itself
 * is the synchronous standby they would else wait for their own arrival.
 */
const localCommit = { synchronous_commit: 'local' };

export function connectSide(node: NodeDefinition, route: RouteDefinition, purpose: string): Promise<pg.Client> {
  const name = `${applicationName(route)} ${purpose}`.slice(-63);
  return connectPostgres(node, { applicationName: name, settings: localCommit });
}

/** One use of a connection. */
export async function withSide<T>(route: RouteDefinition, purpose: string, use: (client: pg.Client) => Promise<T>) {
  const client = await connectSide(route.from, route, purpose);
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}
