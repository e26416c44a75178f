import type { Queryable } from '../source/sessions.ts';

export interface IdentityIndex {
  readonly index: string;
  readonly columns: readonly string[];
}

/**
 * By the oid of the table: an index that ALTER TABLE ... REPLICA IDENTITY USING INDEX takes, the one with the fewest columns.
 * Unique, valid, checked at once, over the whole table, without expressions and generated columns, all its columns NOT NULL.
 */
export async function readIdentityIndexes(client: Queryable): Promise<Map<string, IdentityIndex>> {
  const { rows } = await client.query(`
    SELECT DISTINCT ON (i.indrelid) i.indrelid::text AS oid, c.relname::text AS index, a.columns
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p')
    JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'tidelock')
    CROSS JOIN LATERAL (
      SELECT array_agg(a.attname::text ORDER BY k.place) AS columns, bool_and(a.attnotnull AND a.attgenerated = '') AS fits
      FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    ) a
    WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND a.fits
    ORDER BY i.indrelid, i.indisprimary DESC, cardinality(a.columns), c.relname`);
  return new Map(
    rows.map(({ oid, index, columns }) => [String(oid), { index: String(index), columns: columns as string[] }]),
  );
}
