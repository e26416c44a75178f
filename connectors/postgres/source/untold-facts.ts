import type pg from 'pg';
import type { TableFacts } from '../../../src/core/table-facts.ts';

/**
 * Of enums what they call their values, of composites which attributes they have, by their numbers: of types that columns are made of directly or within arrays,
 * domains, composites and ranges.
 */
const labelsQuery = `
  WITH RECURSIVE used (relation, oid) AS (
    SELECT attrelid, atttypid FROM pg_attribute
    WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped AND atttypid >= 16384
    UNION
    SELECT u.relation, p.oid FROM used u JOIN pg_type t ON t.oid = u.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid FROM pg_range r WHERE t.typtype = 'm' AND r.rngmultitypid = t.oid
    ) p (oid) WHERE p.oid >= 16384
  )
  SELECT u.relation::int8::text AS id, jsonb_object_agg(l.id, l.label) AS labels
  FROM used u CROSS JOIN LATERAL (
    SELECT e.oid::int8::text, e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = u.oid
    UNION ALL
    SELECT 'attributes of ' || t.typrelid::int8, string_agg(a.attnum::text, ',' ORDER BY a.attnum)
    FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.oid = u.oid AND t.typtype = 'c' GROUP BY t.typrelid
  ) l (id, label) GROUP BY u.relation`;

/** TableFacts.labels by the table's id. Not asked for where all columns are of the server's own types. */
export async function readLabels(
  client: pg.Client,
  tables: readonly TableFacts[],
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const ids = tables.flatMap(({ id, columns }) =>
    columns.some(({ type }) => !type.startsWith('pg_catalog.')) ? [id] : [],
  );
  if (ids.length === 0) return new Map();
  const { rows } = await client.query<{ id: string; labels: Record<string, string> }>({
    name: 'tl_labels',
    text: labelsQuery,
    values: [ids],
  });
  return new Map(rows.map(({ id, labels }) => [id, labels]));
}

/** A table that is taken out and put back has another entry, of its own or of a table that it is a partition of; one that all tables or a schema bring has none. */
const publishedQuery = `
  SELECT t.oid::int8::text AS id, p.oid::int8::text || coalesce('.' || (
    SELECT min(r.oid::int8)::text FROM pg_publication_rel r WHERE r.prpubid = p.oid
      AND (r.prrelid = t.oid OR r.prrelid IN (SELECT a.relid FROM pg_partition_ancestors(t.oid) a))), '') AS entry
  FROM pg_publication p CROSS JOIN unnest($2::oid[]) t (oid) WHERE p.pubname = $1`;

/** TableFacts.published by the table's id. */
export async function readPublished(
  client: pg.Client,
  publication: string,
  tables: readonly TableFacts[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ id: string; entry: string }>({
    name: 'tl_published',
    text: publishedQuery,
    values: [publication, tables.map(({ id }) => id)],
  });
  return new Map(rows.map(({ id, entry }) => [id, `${publication} ${entry}`]));
}
