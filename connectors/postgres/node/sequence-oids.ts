import type pg from 'pg';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { TableName } from '../../../src/core/table.ts';
import { carriedSequences } from '../sequences.ts';

/** Oids of the sequences whose values the route carries, here those of its tables' columns and those that it names. */
export async function sequenceOids(
  client: pg.Client,
  route: RouteDefinition,
  tables: readonly TableName[],
): Promise<string[]> {
  const names = await carriedSequences(client, route.sequences, tables);
  const { rows } = await client.query<{ oid: string }>(
    `select c.oid::text as oid from unnest($1::text[], $2::text[]) w (schema, name)
     join pg_namespace n on n.nspname = w.schema join pg_class c on c.relnamespace = n.oid and c.relname = w.name`,
    [names.map(({ schema }) => schema), names.map(({ name }) => name)],
  );
  return rows.map(({ oid }) => oid);
}
