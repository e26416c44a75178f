import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { PublishedTable } from './publication.ts';
import { publicationGap, readPublication } from './publication.ts';
import { queueNames } from './queue-names.ts';
import type { Queryable } from './sessions.ts';

export interface PublicationWatchOptions {
  readonly route: RouteDefinition;
  isCarried(schema: string, name: string): boolean;
}

/** A partition comes under the name of its table. */
const tablesQuery = `
  SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema')`;

/**
 * Why changes of tables that the route carries are not published any more; null where all are. The stream itself tells
 * nothing of it: what a publication leaves out is passed over, and from PostgreSQL 18 on so is all where it is gone. A
 * table that is gone from the source is none of its business.
 */
export async function lookAtPublication(
  client: Queryable,
  { route, isCarried }: PublicationWatchOptions,
): Promise<TidelockError | null> {
  const name = queueNames(route).publication;
  const { rows } = await client.query(tablesQuery);
  const tables = rows
    .map(
      (row): PublishedTable => ({
        kind: String(row.kind),
        table: { schema: String(row.schema), name: String(row.name) },
      }),
    )
    .filter(({ table }) => isCarried(table.schema, table.name));
  const publication = await readPublication(client, name);
  if (publication === null) return fail(sourceErrors.publicationMissing, { route: route.name, publication: name });
  const gap = publicationGap(name, publication, tables);
  return gap && fail(sourceErrors.publicationIncomplete, { route: route.name, publication: name, ...gap });
}
