import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type {
  ColumnSchema,
  DatabaseSchema,
  ForeignKeySchema,
  SchemaComparison,
  SchemaStatement,
  SqlText,
  TableSchema,
} from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { compareParts } from './compare-parts.ts';
import { readSchema } from './read-schema.ts';
import { isSameSql, isSameText, sqlText } from './sql-text.ts';
import { columnDdl, commentsOn, createPartition, createSequence, createTable, literal } from './table-ddl.ts';

interface ComparisonOptions {
  /** For messages. */
  readonly route: string;
  readonly node: string;
  /** What becomes of cascades when the route writes. Switched off they act all the same on a table with a deferrable unique constraint. */
  readonly cascades: 'act' | 'switchedOff' | 'allowed';
}

/** What the database lacks of the description, and what of it is otherwise there. Reads only. */
export async function compareSchema(
  client: pg.Client,
  expected: DatabaseSchema,
  { route, node, cascades }: ComparisonOptions,
): Promise<SchemaComparison> {
  const there = await readSchema(client, expected.tables);
  const typeTexts = await readTypeTexts(client, expected);
  const typeOf = (column: ColumnSchema): string =>
    column.typeText ?? typeTexts.get(typeKey(column)) ?? quotedType(column.type);
  const before: Omit<SchemaStatement, 'half'>[] = [];
  const after: Omit<SchemaStatement, 'half'>[] = [];
  const findings: Finding[] = [];
  const place = (table: TableSchema): TableSchema | undefined =>
    there.tables.find(({ schema, name }) => schema === table.schema && name === table.name);

  const stops = (key: ForeignKeySchema): boolean => {
    if (cascades === 'allowed' || !/CASCADE|SET/.test(key.actions)) return false;
    const isReferenced = (table: TableSchema): boolean => tableLabel(table) === tableLabel(key.references);
    return (
      cascades === 'act' ||
      [...expected.tables, ...there.tables]
        .filter(isReferenced)
        .some(({ indexes }) => indexes.some(({ deferrable }) => deferrable !== 'no'))
    );
  };
  const saysTheSame = expected.translated === true ? isSameSql : isSameText;
  const relations = await readExisting(client, expected);
  for (const schema of relations.missingSchemas)
    before.push({ what: `schema ${schema}`, text: `CREATE SCHEMA ${quoteIdentifier(schema)}` });
  // A domain may have the next value of one as its default.
  for (const sequence of expected.sequences)
    if (!relations.relations.has(tableLabel(sequence)))
      before.push({ what: `sequence ${tableLabel(sequence)}`, text: createSequence(sequence) });
  for (const type of expected.types)
    if (!relations.types.has(keyOf(type.kind, type)) && type.kind !== 'schema')
      before.push({ what: `${type.kind} ${tableLabel(type)}`, text: type.statement });
  for (const table of parentsFirst(expected.tables)) {
    const existing = place(table);
    const label = tableLabel(table);
    if (existing === undefined) before.push({ what: `table ${label}`, text: createTable(table, typeOf) });
    else findings.push(...differences({ table, existing, route, node, typeOf, saysTheSame }));
    const holdsRows = existing !== undefined && existing.partitionedBy === null;
    const partitions = holdsRows ? [] : table.partitions;
    for (const partition of partitions)
      if (!existing?.partitions.some(({ schema, name }) => schema === partition.schema && name === partition.name))
        before.push({ what: `partition ${tableLabel(partition)} of ${label}`, text: createPartition(partition) });
    for (const text of commentsOn(table, existing)) before.push({ what: `comment of ${label}`, text });
    const isPartitioned = existing === undefined ? table.partitionedBy !== null : existing.partitionedBy !== null;
    const parts = compareParts(table, existing, {
      isPartitioned,
      route,
      node,
      taken: relations.indexes,
      stops,
      saysTheSame,
    });
    before.push(...parts.before);
    after.push(...parts.after);
    findings.push(...parts.findings);
    for (const partition of partitions) {
      const own = existing?.partitions.find(
        ({ schema, name }) => schema === partition.schema && name === partition.name,
      );
      for (const text of commentsOn(partition, own)) before.push({ what: `comment of ${tableLabel(partition)}`, text });
      const ofPartition = compareParts(partition, own, {
        isPartitioned: partition.partitionedBy !== null,
        route,
        node,
        taken: relations.indexes,
        stops,
        saysTheSame,
      });
      before.push(...ofPartition.before);
      after.push(...ofPartition.after);
      findings.push(...ofPartition.findings);
    }
  }
  for (const sequence of expected.sequences) {
    const { ownedBy } = sequence;
    if (ownedBy === null || relations.owned.has(tableLabel(sequence))) continue;
    before.push({
      what: `owner of sequence ${tableLabel(sequence)}`,
      text: `ALTER SEQUENCE ${quoteTable(sequence)} OWNED BY ${quoteTable(ownedBy.table)}.${quoteIdentifier(ownedBy.column)}`,
    });
  }
  return {
    statements: [
      ...before.map((statement) => ({ half: 'before' as const, ...statement })),
      // Keys that others point to come before those that point.
      ...after
        .toSorted((a, b) => Number(a.what.startsWith('foreign key')) - Number(b.what.startsWith('foreign key')))
        .map((statement) => ({ half: 'after' as const, ...statement })),
    ],
    findings,
  };
}

function parentsFirst(tables: readonly TableSchema[]): readonly TableSchema[] {
  const sorted: TableSchema[] = [];
  const add = (table: TableSchema): void => {
    if (sorted.includes(table)) return;
    for (const parent of tables)
      if (table.inherits.some((name) => tableLabel(name) === tableLabel(parent))) add(parent);
    sorted.push(table);
  };
  for (const table of tables) add(table);
  return sorted;
}

interface TableDifference {
  readonly table: TableSchema;
  readonly existing: TableSchema;
  readonly route: string;
  readonly node: string;
  typeOf(column: ColumnSchema): string;
  saysTheSame(one: SqlText, other: SqlText): boolean;
}

/** Of the columns of a table that is there. Types that do not fit are told by the preflight, which knows which do. */
function differences({ table, existing, route, node, typeOf, saysTheSame }: TableDifference): Finding[] {
  const label = tableLabel(table);
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  const finding = (level: Finding['level'], what: string, statement: string): Finding => {
    const { code, message, remedy } = fail(targetErrors.schemaDiffers, { route, table: label, what });
    return { level, code, node, table: label, message, remedy, statement: `${statement};` };
  };
  return table.columns.flatMap((column): Finding[] => {
    const name = quoteIdentifier(column.name);
    const there = existing.columns.find((other) => other.name === column.name);
    const said = `column ${column.name}`;
    if (there === undefined)
      return [finding('error', `${said} is not there`, `${alter} ADD COLUMN ${columnDdl(column, typeOf(column))}`)];
    const found: Finding[] = [];
    if (column.notNull && !there.notNull)
      found.push(finding('warning', `${said} takes NULL`, `${alter} ALTER COLUMN ${name} SET NOT NULL`));
    if (!column.notNull && there.notNull && there.generated === null && there.identity === null)
      found.push(finding('error', `${said} does not take NULL`, `${alter} ALTER COLUMN ${name} DROP NOT NULL`));
    if (column.collation !== there.collation)
      found.push(
        finding(
          'warning',
          `${said} has another collation`,
          `${alter} ALTER COLUMN ${name} TYPE ${typeOf(column)} COLLATE ${column.collation ?? 'pg_catalog."default"'}`,
        ),
      );
    const value = (of: ColumnSchema): SqlText => (of.nextOf ? [tableLabel(of.nextOf)] : (of.default ?? []));
    if (
      !saysTheSame(value(column), value(there)) &&
      there.generated === null &&
      there.identity === null &&
      column.identity === null
    ) {
      const text = column.nextOf
        ? `nextval(${literal(quoteTable(column.nextOf)).trimStart()}::regclass)`
        : column.default && sqlText(column.default);
      found.push(
        finding(
          'warning',
          text ? `${said} has another default` : `${said} has a default`,
          `${alter} ALTER COLUMN ${name} ${text ? `SET DEFAULT ${text}` : 'DROP DEFAULT'}`,
        ),
      );
    }
    if ((column.identity === null) !== (there.identity === null) && there.generated === null)
      found.push(
        finding(
          'warning',
          column.identity === null ? `${said} is an identity` : `${said} is no identity`,
          `${alter} ALTER COLUMN ${name} ${column.identity === null ? 'DROP IDENTITY' : `ADD GENERATED ${column.identity.always ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`}`,
        ),
      );
    return found;
  });
}

function typeKey({ type, modifier }: Pick<ColumnSchema, 'type' | 'modifier'>): string {
  return `${type} ${modifier}`;
}

function quotedType(type: string): string {
  const dot = type.indexOf('.');
  return quoteTable({ schema: type.slice(0, dot), name: type.slice(dot + 1) });
}

/** Of the types that a transform has made. */
async function readTypeTexts(client: pg.Client, { tables }: DatabaseSchema): Promise<ReadonlyMap<string, string>> {
  const wanted = tables.flatMap(({ columns }) => columns.filter(({ typeText }) => typeText === null));
  const { rows } = await client.query<{ type: string; modifier: number; text: string }>(
    `SELECT w.type, w.modifier, format_type(t.oid, w.modifier) AS text FROM unnest($1::text[], $2::int[]) w (type, modifier)
     JOIN pg_type t ON true JOIN pg_namespace n ON n.oid = t.typnamespace AND n.nspname || '.' || t.typname = w.type`,
    [wanted.map(({ type }) => type), wanted.map(({ modifier }) => modifier)],
  );
  return new Map(rows.map((row) => [typeKey(row), row.text]));
}

interface Existing {
  readonly missingSchemas: readonly string[];
  readonly types: ReadonlySet<string>;
  readonly relations: ReadonlySet<string>;
  /** Sequences that belong to a column. */
  readonly owned: ReadonlySet<string>;
  /** Indexes of the schemas, by label. */
  readonly indexes: ReadonlySet<string>;
}

function keyOf(kind: string, { schema, name }: TableName): string {
  if (kind === 'extension') return `extension ${name}`;
  return `${kind === 'collation' ? 'collation' : 'type'} ${tableLabel({ schema, name })}`;
}

async function readExisting(client: pg.Client, expected: DatabaseSchema): Promise<Existing> {
  const { tables, sequences, types } = expected;
  const schemas = [
    ...new Set(
      [...tables, ...tables.flatMap(({ partitions }) => partitions), ...sequences, ...types].map(
        ({ schema }) => schema,
      ),
    ),
  ];
  const { rows } = await client.query<{ kind: string; schema: string; name: string }>(
    `SELECT 'schema' AS kind, nspname AS schema, nspname AS name FROM pg_namespace WHERE nspname = ANY ($1)
     UNION ALL SELECT 'extension', n.nspname, extname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
     UNION ALL SELECT 'type', n.nspname, typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ANY ($1)
     UNION ALL SELECT 'collation', n.nspname, collname FROM pg_collation t JOIN pg_namespace n ON n.oid = t.collnamespace WHERE n.nspname = ANY ($1)
     UNION ALL SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'index' ELSE 'relation' END, n.nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1)
     UNION ALL SELECT 'owned', n.nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = ANY ($1) AND c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0)`,
    [schemas],
  );
  const labels = (kind: string): Set<string> =>
    new Set(rows.flatMap((row) => (row.kind === kind ? [tableLabel(row)] : [])));
  const there = new Set(rows.flatMap(({ kind, name }) => (kind === 'schema' ? [name] : [])));
  return {
    missingSchemas: schemas.filter((schema) => !there.has(schema)),
    types: new Set(rows.map((row) => keyOf(row.kind, row))),
    relations: labels('relation'),
    owned: labels('owned'),
    indexes: labels('index'),
  };
}
