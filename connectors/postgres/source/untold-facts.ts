import type pg from 'pg';
import type { TableFacts } from '../../../src/core/table-facts.ts';

/**
 * Of enums what they call their values, of composites which attributes they have, by their numbers: of types that columns are made of directly or within arrays,
 * domains, composites and ranges. The rows of a table are a composite, too.
 */
const labelsQuery = `
  WITH RECURSIVE used (relation, num, oid) AS (
    SELECT attrelid, attnum, atttypid FROM pg_attribute
    WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped AND atttypid >= 16384
    UNION
    SELECT u.relation, u.num, p.oid FROM used u JOIN pg_type t ON t.oid = u.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype WHERE t.typtype = 'd'
      UNION ALL SELECT t.typelem WHERE t.typelem <> 0
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
      UNION ALL SELECT r.rngtypid FROM pg_range r WHERE t.typtype = 'm' AND r.rngmultitypid = t.oid
    ) p (oid) WHERE p.oid >= 16384
  ), types AS (
    SELECT relation, oid, array_agg(num ORDER BY num) AS columns FROM used GROUP BY relation, oid
  )
  SELECT u.relation::int8::text AS id, jsonb_object_agg(l.id, l.label) AS labels,
    jsonb_object_agg(l.id, l.stamp) FILTER (WHERE l.stamp IS NOT NULL) AS stamps,
    (SELECT concat(e.oid, '@', e.xmin) FROM pg_event_trigger e WHERE e.evtname = $2 AND e.evtenabled = 'A') AS told_by,
    jsonb_object_agg(l.id, jsonb_build_object('columns', u.columns, 'schema', CASE WHEN NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') THEN n.nspname::text END,
      'table', CASE WHEN c.relkind <> 'c' THEN c.oid::int8::text END)) AS labelled
  FROM types u
  JOIN pg_type t ON t.oid = u.oid
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  CROSS JOIN LATERAL (
    SELECT e.oid::int8::text, e.enumlabel::text, e.xmin::text FROM pg_enum e WHERE e.enumtypid = u.oid
    UNION ALL
    SELECT 'attributes of ' || t.typrelid::int8, COALESCE((SELECT string_agg(a.attnum::text, ',' ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), ''), NULL
    WHERE t.typtype = 'c'
  ) l (id, label, stamp) GROUP BY u.relation`;

export type Labels = Required<Pick<TableFacts, 'labels' | 'labelled'>> & Pick<TableFacts, 'labelStamps' | 'toldBy'>;

/** By the table's id. Not asked for where all columns are of the server's own types. `trigger` tells the route commands. */
export async function readLabels(
  client: pg.Client,
  tables: readonly TableFacts[],
  trigger: string | null,
): Promise<ReadonlyMap<string, Labels>> {
  const ids = tables.flatMap(({ id, columns }) =>
    columns.some(({ type }) => !type.startsWith('pg_catalog.')) ? [id] : [],
  );
  if (ids.length === 0) return new Map();
  const { rows } = await client.query<LabelsRow>({
    name: 'tl_labels',
    text: labelsQuery,
    values: [ids, trigger],
  });
  return new Map(
    rows.map(({ id, labels, labelled, stamps, told_by: toldBy }) => [
      id,
      { labels, labelled, ...(stamps !== null && { labelStamps: stamps }), ...(toldBy !== null && { toldBy }) },
    ]),
  );
}

interface LabelsRow extends Required<Pick<TableFacts, 'labels' | 'labelled'>> {
  readonly id: string;
  readonly stamps: NonNullable<TableFacts['labelStamps']> | null;
  readonly told_by: string | null;
}

/** The publication of a route, as TableFacts.published needs it. */
export interface WatchedPublication {
  readonly name: string;
  /** The route alters it by itself. */
  readonly isOwned: boolean;
}

/**
 * As SQL with the columns publication, entry and namespace: the schemas that publications have. By what depends on what, which servers without such publications
 * (PostgreSQL 14) have, too.
 */
export const publishedSchemas = `
  SELECT own.refobjid AS publication, own.objid AS entry, its.refobjid AS namespace
  FROM pg_depend own
  JOIN pg_depend its ON its.classid = own.classid AND its.objid = own.objid AND its.refclassid = 'pg_namespace'::regclass
  WHERE own.classid = to_regclass('pg_catalog.pg_publication_namespace') AND own.refclassid = 'pg_publication'::regclass`;

/**
 * Entries of the table's own, of tables that it is a partition of, and of schemas that these are in. By one of a table above it is in the publication only while it is
 * attached, by a schema while it is in that one: behind `@` is what is another text once it was not. Without those that bring no change of the table, or not all, while there
 * are others: of its own where rows come under the name of a table above it that is listed; where they come under its own and it has a filter there, all but its own schema.
 * Behind a `#` the stamp of the publication itself, where only others alter it: what it publishes may have been something else for a while.
 */
const publishedQuery = `
  WITH schemas AS MATERIALIZED (${publishedSchemas})
  SELECT t.oid::int8::text AS id, p.oid::int8::text || CASE
    WHEN p.puballtables THEN CASE WHEN p.pubviaroot AND EXISTS (SELECT FROM pg_partition_ancestors(t.oid) a WHERE a.relid <> t.oid) THEN '.' ELSE '' END
    ELSE '.' || coalesce((SELECT string_agg(e.id, ',' ORDER BY e.id) FROM (
    SELECT e.id, CASE WHEN p.pubviaroot THEN NOT (up.attached = '' AND bool_or(up.attached <> '') OVER ())
      ELSE up.attached = '' AND e.is_schema OR NOT bool_or(e.is_filtered AND up.attached = '') OVER () END AS brings
    FROM (
      SELECT t.oid, ''
      UNION ALL
      SELECT a.relid::oid, '@' || (
        SELECT string_agg(i.xmin::text, '+' ORDER BY b.level) FROM pg_partition_ancestors(t.oid) WITH ORDINALITY b (relid, level)
        JOIN pg_inherits i ON i.inhrelid = b.relid WHERE b.level < a.level)
      FROM pg_partition_ancestors(t.oid) WITH ORDINALITY a (relid, level) WHERE a.level > 1
    ) up (oid, attached) CROSS JOIN LATERAL (
      SELECT r.oid::int8 || up.attached, false, to_jsonb(r) ->> 'prqual' IS NOT NULL OR to_jsonb(r) ->> 'prattrs' IS NOT NULL
      FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = up.oid
      UNION ALL
      SELECT 'n' || s.entry::int8 || up.attached || '@' || d.xmin::text, true, false FROM schemas s JOIN pg_depend d
        ON d.classid = 'pg_class'::regclass AND d.objid = up.oid AND d.objsubid = 0 AND d.refclassid = 'pg_namespace'::regclass
      WHERE s.publication = p.oid AND d.refobjid = s.namespace
    ) e (id, is_schema, is_filtered)) e WHERE e.brings), '') END || CASE WHEN $3 THEN '' ELSE '#' || p.xmin::text END AS entry
  FROM pg_publication p CROSS JOIN unnest($2::oid[]) t (oid) WHERE p.pubname = $1`;

/** TableFacts.published by the table's id. */
export async function readPublished(
  client: pg.Client,
  { name, isOwned }: WatchedPublication,
  tables: readonly TableFacts[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ id: string; entry: string }>({
    name: 'tl_published',
    text: publishedQuery,
    values: [name, tables.map(({ id }) => id), isOwned],
  });
  return new Map(rows.map(({ id, entry }) => [id, `${name} ${entry}`]));
}
