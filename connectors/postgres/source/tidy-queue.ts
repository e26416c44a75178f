import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { dropCapture } from './ddl-capture.ts';
import { lockMs, lockNotAvailable } from './publish-tables.ts';
import { queueNames } from './queue-names.ts';
import type { Queryable } from './sessions.ts';

/**
 * Tables that the route does not mean any more leave its own publication, where the server would decode and send them for
 * nothing. What was written before is decoded with the publication of its time. One that it carries under the name that it had
 * (`carried`: oids) stays: its next row halts the route.
 */
export async function tidyQueue(
  client: Queryable,
  route: RouteDefinition,
  carried: readonly string[],
): Promise<readonly string[]> {
  if (route.ddl === 'ignore') await dropCapture(client, route).catch(unlessForbidden);
  const { publication, ownsPublication } = queueNames(route);
  if (!ownsPublication) return [];
  const { rows } = await client.query(`
    SELECT c.oid::text AS id, n.nspname AS schema, c.relname AS name FROM pg_publication p
    JOIN pg_publication_rel r ON r.prpubid = p.oid
    JOIN pg_class c ON c.oid = r.prrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pubname = ${quoteLiteral(publication)} AND pg_has_role(p.pubowner, 'USAGE')`);
  const tables = rows
    .filter(({ id }) => !carried.includes(String(id)))
    .map(({ schema, name }) => ({ schema: String(schema), name: String(name) }))
    .filter(({ schema, name }) => route.tables.select(schema, name) === null);
  if (tables.length === 0) return [];
  const list = tables.map((table) => `ONLY ${quoteTable(table)}`).join(', ');
  try {
    // One transaction. Who holds a lock on one may be at a COMMIT that waits for the route: they leave at another start.
    await client.query(
      `SET LOCAL lock_timeout = ${lockMs}; ALTER PUBLICATION ${quoteIdentifier(publication)} DROP TABLE ${list}`,
    );
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error;
    return [];
  }
  return tables.map(tableLabel);
}

/** An administrator has made the event triggers, and has to drop them: they only write what nobody reads. */
function unlessForbidden(error: unknown): void {
  if (sqlState(error) !== '42501') throw error;
}
