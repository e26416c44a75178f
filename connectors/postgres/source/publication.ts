import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import type { CatalogueTable } from './catalogue.ts';
import { queueNames } from './queue-names.ts';
import type { Queryable } from './sessions.ts';

export interface Publication {
  readonly owned: boolean;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  /** Operations that it leaves out. */
  readonly missingOperations: readonly string[];
  /** Labels of its tables; with `filtered` for those of which it carries only some rows or columns. */
  readonly tables: ReadonlyMap<string, { readonly schema: string; readonly name: string; readonly filtered: boolean }>;
}

/** A table as a publication knows it. */
export interface PublishedTable {
  /** pg_class.relkind */
  readonly kind: string;
  readonly table: TableName;
}

/** Text without bound values, so that a replication session can run it too. */
export async function readPublication(client: Queryable, name: string): Promise<Publication | null> {
  const literal = quoteLiteral(name);
  const { rows } = await client.query(`
    SELECT puballtables, pubviaroot, pubinsert, pubupdate, pubdelete, pubtruncate,
      pg_has_role(pubowner, 'USAGE') AS owned, to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL AS schemas
    FROM pg_publication WHERE pubname = ${literal}`);
  const row = rows[0];
  if (row === undefined) return null;
  const tables = await client.query(membersQuery(literal, row.schemas === true));
  return {
    owned: row.owned === true,
    allTables: row.puballtables === true,
    viaRoot: row.pubviaroot === true,
    missingOperations: ['insert', 'update', 'delete', 'truncate'].filter((name) => row[`pub${name}`] !== true),
    tables: new Map(
      tables.rows.map(({ schema, name, filtered }) => {
        const table = { schema: String(schema), name: String(name) };
        return [tableLabel(table), { ...table, filtered: filtered === true }];
      }),
    ),
  };
}

/**
 * As pg_publication_tables, which would open each table: a start would wait for whoever has one locked, and a COMMIT that waits for the
 * route has its locks until the route has started. Schemas are published, and row filters and column lists are there, from 15 on; to_jsonb gives what the
 * version has.
 */
function membersQuery(publication: string, hasSchemas: boolean): string {
  const publishable = `c.relkind IN ('r', 'p') AND pg_relation_is_publishable(c.oid)`;
  return `
    WITH RECURSIVE pub AS (
      SELECT oid, puballtables, pubviaroot FROM pg_publication WHERE pubname = ${publication}
    ), listed AS (
      SELECT c.oid, c.relkind FROM pub JOIN pg_class c ON pub.puballtables AND ${publishable}
      UNION
      SELECT c.oid, c.relkind FROM pub JOIN pg_publication_rel r ON r.prpubid = pub.oid JOIN pg_class c ON c.oid = r.prrelid
      ${
        hasSchemas
          ? `UNION
      SELECT c.oid, c.relkind FROM pub JOIN pg_publication_namespace s ON s.pnpubid = pub.oid
      JOIN pg_class c ON c.relnamespace = s.pnnspid AND ${publishable}`
          : ''
      }
    ), member AS (
      SELECT oid, relkind FROM listed
      UNION
      SELECT c.oid, c.relkind FROM pub CROSS JOIN member m
      JOIN pg_inherits i ON i.inhparent = m.oid AND m.relkind = 'p' JOIN pg_class c ON c.oid = i.inhrelid
      WHERE NOT pub.pubviaroot
    ), below AS (
      SELECT i.inhrelid AS oid FROM listed l JOIN pg_inherits i ON i.inhparent = l.oid AND l.relkind = 'p'
      UNION
      SELECT i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid
    )
    SELECT n.nspname AS schema, c.relname AS name, COALESCE((
        SELECT to_jsonb(r) ->> 'prqual' IS NOT NULL OR to_jsonb(r) ->> 'prattrs' IS NOT NULL
        FROM pg_publication_rel r WHERE r.prpubid = pub.oid AND r.prrelid = c.oid), false) AS filtered
    FROM pub CROSS JOIN member m
    JOIN pg_class c ON c.oid = m.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN below b ON b.oid = c.oid
    WHERE CASE WHEN pub.pubviaroot
      THEN NOT c.relispartition OR b.oid IS NULL
      ELSE m.relkind = 'r' END`;
}

/** All operations, and a partitioned table under its own name wherever its rows are stored. */
const publicationOptions = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`;

/**
 * ONLY: a child of a table with inheritance is a table of its own. It means nothing for partitions. PostgreSQL 14 takes
 * the word TABLE once, newer ones take it so, too.
 */
function tableList(tables: readonly Pick<PublishedTable, 'table'>[]): string {
  return `TABLE ${tables.map(({ table }) => `ONLY ${quoteTable(table)}`).join(', ')}`;
}

export function createPublicationStatement(name: string, tables: readonly PublishedTable[]): string {
  const forTables = tables.length > 0 ? ` FOR ${tableList(tables)}` : '';
  return `CREATE PUBLICATION ${quoteIdentifier(name)}${forTables} WITH (${publicationOptions})`;
}

export function addToPublicationStatement(name: string, tables: readonly PublishedTable[]): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} ADD ${tableList(tables)};`;
}

/** Changes nothing; whoever decodes looks at the publication again. */
export function touchPublicationStatement(name: string): string {
  return `ALTER PUBLICATION ${quoteIdentifier(name)} SET (${publicationOptions})`;
}

/**
 * Why the publication does not carry everything of `tables`, with the statement that mends it, and labels of those that it does not have, or not whole; null where it does.
 */
export function publicationGap(
  name: string,
  publication: Publication,
  tables: readonly PublishedTable[],
): { readonly why: string; readonly statement: string; readonly tables: readonly string[] } | null {
  const alter = `ALTER PUBLICATION ${quoteIdentifier(name)}`;
  const missing = tables.filter(({ table }) => !publication.tables.has(tableLabel(table)));
  const filtered = tables.filter(({ table }) => publication.tables.get(tableLabel(table))?.filtered);
  const elsewhere = publication.viaRoot ? [] : tables.filter(({ kind }) => kind === 'p');
  const lacks = publication.missingOperations.length > 0 ? tables : [...missing, ...filtered, ...elsewhere];
  const lacking = [...new Set(lacks.map(({ table }) => tableLabel(table)))];
  if (publication.missingOperations.length > 0 || elsewhere.length > 0)
    return {
      why: publication.missingOperations.length
        ? `it does not publish ${publication.missingOperations.join(', ')}`
        : 'it publishes partitions under their own names',
      statement: `${alter} SET (${publicationOptions});`,
      tables: lacking,
    };
  if (missing.length > 0)
    return {
      why: `it does not contain ${missing.map(({ table }) => tableLabel(table)).join(', ')}`,
      statement: addToPublicationStatement(name, missing),
      tables: lacking,
    };
  const [first] = filtered;
  if (first !== undefined)
    return {
      why: `it filters rows or columns of ${tableLabel(first.table)}`,
      statement: `${alter} DROP TABLE ${quoteTable(first.table)}, then ADD it without a filter;`,
      tables: lacking,
    };
  return null;
}

export interface PublicationCheckOptions {
  readonly route: RouteDefinition;
  readonly tables: readonly CatalogueTable[];
  /** Labels of tables that the route has replicated before. */
  readonly replicated: readonly string[];
}

/**
 * Before each start. A table that the route names, or has replicated before, and that the publication lacks halts the
 * route: its changes since it was left out are lost to the queue, so adding it silently would hide a gap. Tables that
 * only a glob matches and that were never replicated were made since; they are returned for a warning.
 */
export async function checkPublication(
  client: Queryable,
  { route, tables, replicated }: PublicationCheckOptions,
): Promise<readonly CatalogueTable[]> {
  const name = queueNames(route).publication;
  const publication = await readPublication(client, name);
  if (publication === null) throw fail(sourceErrors.publicationMissing, { route: route.name, publication: name });
  const exact = new Set(route.tables.exact.map(tableLabel));
  const demanded = new Set([...exact, ...replicated]);
  const labels = new Set(tables.map(({ table }) => tableLabel(table)));
  for (const label of exact)
    if (!labels.has(label)) throw fail(sourceErrors.tableMissing, { route: route.name, table: label });
  const isNew = ({ table }: CatalogueTable): boolean =>
    !demanded.has(tableLabel(table)) && !publication.tables.has(tableLabel(table));
  const gap = publicationGap(
    name,
    publication,
    tables.filter((table) => !isNew(table)),
  );
  if (gap !== null) throw fail(sourceErrors.publicationIncomplete, { route: route.name, publication: name, ...gap });
  return tables.filter(isNew);
}
