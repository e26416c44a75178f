import type pg from 'pg';
import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { tableLabel } from '../../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../../identifiers.ts';
import { carriedSequences, readSequenceRights } from '../../sequences.ts';
import type { CatalogueTable } from '../catalogue.ts';

type Found = Omit<Finding, 'node'>;

interface Rights {
  readonly user: string;
  readonly closed: readonly string[];
  readonly unreadable: readonly string[];
}

/**
 * What the user lacks to read the tables themselves: the queue needs none of it, the load does. Where it is to become a
 * member of the owner first, that may give it all.
 */
export async function readingRights(client: pg.Client, tables: readonly CatalogueTable[]): Promise<Found[]> {
  const { rows } = await client.query<Rights>(
    `SELECT current_user::text AS user,
       ARRAY(SELECT DISTINCT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = ANY ($1::oid[]) AND NOT has_schema_privilege(n.oid, 'USAGE') ORDER BY 1) AS closed,
       ARRAY(SELECT o::text FROM unnest($1::oid[]) o WHERE NOT has_table_privilege(o, 'SELECT')) AS unreadable`,
    [tables.map(({ oid }) => oid)],
  );
  const { user = '', closed = [], unreadable = [] } = rows[0] ?? {};
  const name = quoteIdentifier(user);
  return [
    ...closed.map((schema) => ({
      level: 'error' as const,
      code: 'source.schemaUsage',
      message: `user ${name} may not use schema ${quoteIdentifier(schema)}, so it cannot load the tables there`,
      remedy: 'Grant it.',
      statement: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${name};`,
    })),
    ...tables
      .filter(({ oid }) => unreadable.includes(oid))
      .map(({ table }) => ({
        level: 'error' as const,
        code: 'source.tableSelect',
        table: tableLabel(table),
        message: `user ${name} may not read ${tableLabel(table)}, so it cannot load it`,
        remedy: 'Grant it.',
        statement: `GRANT SELECT ON ${quoteTable(table)} TO ${name};`,
      })),
  ];
}

/** Only where the route carries the values of sequences by itself. */
export async function sequenceRights(
  client: pg.Client,
  route: RouteDefinition,
  tables: readonly CatalogueTable[],
): Promise<Found[]> {
  if (route.sequencesEveryMs === null) return [];
  const missing = await readSequenceRights(
    client,
    await carriedSequences(
      client,
      route.sequences,
      tables.map(({ table }) => table),
    ),
    ['SELECT'],
  );
  return missing.map(({ sequence, user, privileges }) => ({
    level: 'warning',
    code: 'source.sequencePrivilege',
    message: `user ${quoteIdentifier(user)} may not read sequence ${tableLabel(sequence)}: its values are not carried`,
    remedy: 'Grant it.',
    statement: `GRANT ${privileges.join(', ')} ON SEQUENCE ${quoteTable(sequence)} TO ${quoteIdentifier(user)};`,
  }));
}
