import type pg from 'pg';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type NodeDefinition, type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { connectPostgres } from '../connect.ts';

/** What a query needs of a connection. */
export interface Queryable {
  query(
    text: string | { readonly name: string; readonly text: string },
    values?: unknown[],
  ): Promise<{ readonly rows: Record<string, unknown>[] }>;
}

/** Shown in pg_stat_activity and, for the replication session, matched by synchronous_standby_names. */
export function applicationName(route: RouteDefinition): string {
  return routeKey(route);
}

/**
 * Sessions beside the stream. Their commits (marks, heartbeats) wait for the local disk only: where the route itself
 * is the synchronous standby they would else wait for their own arrival. To compile a query of the catalogue takes longer than to run it.
 */
const sideSettings = { synchronous_commit: 'local', jit: 'off' };

/** Of the sessions that drop and make a queue: whoever takes the route over ends them. */
export const queuePurpose = 'queue';

export function connectSide(node: NodeDefinition, route: RouteDefinition, purpose: string): Promise<pg.Client> {
  return connectPostgres(node, { applicationName: sideName(route, purpose), settings: sideSettings });
}

export function sideName(route: RouteDefinition, purpose: string): string {
  return `${applicationName(route)} ${purpose}`.slice(-63);
}

/** Ends the route's sessions for this purpose, as far as this user may, and waits until they are gone. */
export async function endSideSessions(client: Queryable, route: RouteDefinition, purpose: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = $1
       AND (usename = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))`,
    [sideName(route, purpose)],
  );
}

/** Catalogue queries take a second where there are thousands of tables; the end of a session is waited for up to 6. */
const answerMs = 20_000;

/** A server that froze, or a network that lost a message, would else be waited for without an end. */
export function noAnswer(node: NodeDefinition): TidelockError {
  return fail(nodeErrors.unreachable, { node: node.name, why: 'the server does not answer' });
}

/** Ends the session where `run`, which works on it, takes too long. */
export async function answeredInTime<T>(client: pg.Client, node: NodeDefinition, run: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => client.connection.stream.destroy(noAnswer(node)), answerMs);
  try {
    return await run();
  } finally {
    clearTimeout(timer);
  }
}

/** One use of a connection, for what is answered soon. */
export async function withSide<T>(route: RouteDefinition, purpose: string, use: (client: pg.Client) => Promise<T>) {
  const client = await connectSide(route.from, route, purpose);
  try {
    return await answeredInTime(client, route.from, () => use(client));
  } finally {
    await client.end().catch(() => {});
  }
}
