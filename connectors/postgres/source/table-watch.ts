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
 * is stored; with types that are not the server's own, what enums call their values and composites are made of, the rows of tables included; its entries of publications, which are others once it was out of one, and since when it is in its schema and a partition of what it is one of, by which it has some; of a partitioned table with all its partitions. Only tables that can be carried, and those that could be before they were made unlogged. No lock is taken: it would be waited for behind whoever
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
    SELECT md5(concat((SELECT string_agg(concat(e.oid, e.enumlabel, ':', e.xmin), ',' ORDER BY e.oid) FROM pg_enum e), ' ', (
      SELECT string_agg(concat(t.attrelid, ':', t.attnum), ',' ORDER BY t.attrelid, t.attnum)
      FROM composite c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped)))
  ), listed AS MATERIALIZED (
    SELECT prrelid AS oid, string_agg(oid::text, ',' ORDER BY oid) AS entries FROM pg_publication_rel GROUP BY prrelid
  ), schemas AS MATERIALIZED (
    SELECT namespace, string_agg(entry::text, ',' ORDER BY entry) AS entries FROM (${publishedSchemas}) s GROUP BY namespace
  ), placed AS MATERIALIZED (
    SELECT c.oid, concat(l.entries, '/', s.entries, '@', (SELECT string_agg(d.xmin::text, ',') FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.refclassid = 'pg_namespace'::regclass)) AS digest
    FROM pg_class c LEFT JOIN listed l ON l.oid = c.oid LEFT JOIN schemas s ON s.namespace = c.relnamespace
    WHERE c.relkind IN ('r', 'p')
  ), lineage (oid, kind, digest) AS (
    -- Of partitions, what is above them, from the top: each by itself would look through all that there are.
    SELECT i.inhrelid, c.relkind, concat(above.digest, '@', i.xmin)
    FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p' AND NOT p.relispartition
    JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN placed above ON above.oid = i.inhparent
    UNION ALL
    SELECT i.inhrelid, c.relkind, concat(l.digest, ' ', above.digest, '@', i.xmin)
    FROM lineage l JOIN pg_inherits i ON i.inhparent = l.oid AND l.kind = 'p'
    JOIN pg_class c ON c.oid = i.inhrelid LEFT JOIN placed above ON above.oid = i.inhparent
  )
  SELECT n.nspname AS schema, c.relname AS name, c.relpersistence = 'p' AS logged, md5(string_agg(d.digest, ' ' ORDER BY m.oid)) AS digest
  FROM member m
  JOIN pg_class c ON c.oid = m.root
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class part ON part.oid = m.oid
  LEFT JOIN placed own ON own.oid = part.oid
  LEFT JOIN lineage above ON above.oid = part.oid
  CROSS JOIN LATERAL (
    SELECT concat((SELECT p.xmin::text FROM pg_publication p WHERE p.pubname = ${quoteLiteral(publication ?? '')}), ':', part.oid, ':', part.relfilenode, ':', string_agg(a.xmin::text, ',' ORDER BY a.attnum),
      CASE WHEN bool_or(a.atttypid >= 16384) THEN (SELECT digest FROM types) END, ':',
      own.digest, ':', above.digest) AS digest
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
