import type pg from 'pg';
import type { CatalogueTable } from './catalogue.ts';

// pg_partition_tree gives an ordinary table nothing before 18 where it is no partition: ask for both.
const query = `
  SELECT COALESCE(sum(pg_table_size(t.oid)), 0)::text AS bytes FROM (
    SELECT r.oid::oid FROM unnest($1::oid[]) AS r (oid)
    UNION SELECT p.relid::oid FROM unnest($1::oid[]) AS r (oid), pg_partition_tree(r.oid::regclass) p
  ) t`;

/** Size of the tables' rows, of their partitions and of what is stored beside them, without indexes. */
export async function tablesBytes(client: pg.Client, tables: readonly CatalogueTable[]): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(query, [tables.map(({ oid }) => oid)]);
  return Number(rows[0]?.bytes);
}
