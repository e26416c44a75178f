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
  return connectPostgres(node, { applicationName: sideName(route, purpose), settings: localCommit });
}

export function sideName(route: RouteDefinition, purpose: string): string {
  return `${applicationName(route)} ${purpose}`.slice(-63);
}

/** Ends the route's sessions for this purpose, as far as this user may, and waits until they are gone. */
export async function endSideSessions(client: Queryable, route: RouteDefinition, purpose: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = $1
       AND (usename = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))`,
    [sideName(route, purpose)],
  );
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
