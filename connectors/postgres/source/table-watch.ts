import { tableLabel } from '../../../src/core/table.ts';
import { quoteLiteral } from '../identifiers.ts';
import type { Queryable } from './sessions.ts';
import { publishedSchemas } from './untold-facts.ts';

export interface TableWatchOptions {
  /** One that only others alter, whose alterations touch all tables; null where the route has its own. */
  readonly publication: string | null;
  /** A table that the route means and does not carry. */
  isNew(schema: string, name: string): boolean;
  isCarried(schema: string, name: string): boolean;
  onNewTables(tables: readonly string[]): void;
  onTouched(tables: readonly string[]): void;
}

/**
 * A table with a digest of what changes when its definition is touched or its rows are written anew: stamps of its columns, and where it
 * is stored; with types that are not the server's own, what enums call their values and composites are made of, the rows of tables included; its entries of publications, which are others once it was out of one; of a partitioned table with all its partitions. Only tables that can be carried, and those that could be before they were made unlogged. No lock is taken: it would be waited for behind whoever
 * alters a partition.
 */
const tablesQuery = (publication: string | null): string => `
  WITH RECURSIVE member (root, oid, kind) AS (
    SELECT c.oid, c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'tidelock')
    UNION ALL
    SELECT m.root, i.inhrelid, p.relkind FROM member m
    JOIN pg_inherits i ON i.inhparent = m.oid AND NOT i.inhdetachpending JOIN pg_class p ON p.oid = i.inhrelid
    WHERE m.kind = 'p'
  ), composite (oid) AS MATERIALIZED (
    -- Those that columns, domains or ranges are made of, also as arrays.
    SELECT DISTINCT COALESCE(NULLIF(t.typrelid, 0), e.typrelid) FROM pg_depend d
    JOIN pg_type t ON t.oid = d.refobjid LEFT JOIN pg_type e ON e.oid = t.typelem
    WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid >= 16384 AND d.deptype = 'n'
      AND d.classid IN ('pg_class'::regclass, 'pg_type'::regclass)
  ), types (digest) AS MATERIALIZED (
    SELECT md5(concat((SELECT string_agg(e.oid::text || e.enumlabel, ',' ORDER BY e.oid) FROM pg_enum e), ' ', (
      SELECT string_agg(concat(t.attrelid, ':', t.attnum), ',' ORDER BY t.attrelid, t.attnum)
      FROM composite c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped)))
  ), schemas AS MATERIALIZED (${publishedSchemas})
  SELECT n.nspname AS schema, c.relname AS name, c.relpersistence = 'p' AS logged, md5(string_agg(d.digest, ' ' ORDER BY m.oid)) AS digest
  FROM member m
  JOIN pg_class c ON c.oid = m.root
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class part ON part.oid = m.oid
  CROSS JOIN LATERAL (
    SELECT concat((SELECT p.xmin::text FROM pg_publication p WHERE p.pubname = ${quoteLiteral(publication ?? '')}), ':', part.oid, ':', part.relfilenode, ':', string_agg(a.xmin::text, ',' ORDER BY a.attnum),
      CASE WHEN bool_or(a.atttypid >= 16384) THEN (SELECT digest FROM types) END, ':',
      (SELECT string_agg(r.oid::text, ',' ORDER BY r.oid) FROM pg_publication_rel r WHERE r.prrelid = part.oid), ':',
      CASE WHEN part.relispartition THEN (SELECT string_agg(r.oid::text, ',' ORDER BY r.oid)
        FROM pg_partition_ancestors(part.oid) up JOIN pg_publication_rel r ON r.prrelid = up.relid) END, ':',
      (SELECT string_agg(s.entry::text, ',' ORDER BY s.entry) FROM schemas s WHERE s.namespace = part.relnamespace
        OR part.relispartition AND s.namespace IN (
          SELECT p.relnamespace FROM pg_partition_ancestors(part.oid) up JOIN pg_class p ON p.oid = up.relid))) AS digest
    FROM pg_attribute a WHERE a.attrelid = part.oid AND a.attnum > 0
  ) d
  GROUP BY n.nspname, c.relname, c.relpersistence
  ORDER BY 1, 2`;

/** Looks at the catalogue now and then, and tells which tables have appeared, and which were touched since the look before. The first look touches all. */
export class TableWatch {
  readonly #options: TableWatchOptions;
  readonly #query: string;
  #digests = new Map<string, string>();
  #newTables = '';

  constructor(options: TableWatchOptions) {
    this.#options = options;
    this.#query = tablesQuery(options.publication);
  }

  async look(client: Queryable): Promise<void> {
    const { isNew, isCarried, onNewTables, onTouched } = this.#options;
    const { rows } = await client.query(this.#query);
    const appeared: string[] = [];
    const touched: string[] = [];
    const digests = new Map<string, string>();
    for (const row of rows) {
      const table = { schema: String(row.schema), name: String(row.name) };
      const label = tableLabel(table);
      if (row.logged === true && isNew(table.schema, table.name)) appeared.push(label);
      if (!isCarried(table.schema, table.name)) continue;
      const digest = String(row.digest);
      digests.set(label, digest);
      if (this.#digests.get(label) !== digest) touched.push(label);
    }
    this.#digests = digests;
    if (touched.length > 0) onTouched(touched);
    const seen = appeared.join();
    if (seen !== this.#newTables && appeared.length > 0) onNewTables(appeared);
    this.#newTables = seen;
  }
}
