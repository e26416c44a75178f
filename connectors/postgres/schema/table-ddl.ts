import type { TableName } from '../../../src/core/table.ts';
import type {
  CheckSchema,
  ColumnSchema,
  IndexSchema,
  PartitionSchema,
  SequenceSchema,
  TableSchema,
} from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { constraintDdl } from './index-ddl.ts';
import { sqlText } from './sql-text.ts';

/** Whole: with what rows have to hold when they come. `typeOf` knows the types that a transform has made. */
export function createTable(table: TableSchema, typeOf: (column: ColumnSchema) => string): string {
  const parts = [
    ...table.columns.map((column) => columnDdl(column, typeOf(column))),
    ...table.checks.filter(({ suffix }) => !isUnchecked(suffix)).map(checkDdl),
    ...table.indexes.filter(isKey).map((index) => constraintDdl(index)),
  ];
  const inherits = table.inherits.length === 0 ? '' : ` INHERITS (${table.inherits.map(quoteTable).join(', ')})`;
  return `CREATE TABLE ${quoteTable(table)} (\n  ${parts.join(',\n  ')}\n)${inherits}${storageDdl(table)}`;
}

export function createPartition(partition: PartitionSchema): string {
  const parts = [
    ...partition.checks.filter(({ suffix }) => !isUnchecked(suffix)).map(checkDdl),
    ...partition.indexes.filter(isKey).map((index) => constraintDdl(index)),
  ];
  const own = parts.length === 0 ? '' : ` (\n  ${parts.join(',\n  ')}\n)`;
  return `CREATE TABLE ${quoteTable(partition)} PARTITION OF ${quoteTable(partition.parent)}${own} ${partition.bound}${storageDdl(partition)}`;
}

function storageDdl({ partitionedBy, options }: Pick<TableSchema, 'partitionedBy' | 'options'>): string {
  const by = partitionedBy === null ? '' : ` PARTITION BY ${sqlText(partitionedBy)}`;
  return options.length === 0 ? by : `${by} WITH (${options.join(', ')})`;
}

/** The load needs it: each row is found by it. */
export function isKey({ constraint }: IndexSchema): boolean {
  return constraint === 'primary';
}

/** Rows may be there that do not hold it: it comes behind them, and looks at later ones only. */
export function isUnchecked(suffix: string): boolean {
  return suffix.includes('NOT VALID');
}

export function columnDdl(column: ColumnSchema, type: string): string {
  const { name, notNull, collation, nextOf, generated, identity } = column;
  const made =
    generated !== null
      ? ` GENERATED ALWAYS AS (${sqlText(generated.value)}) ${generated.stored ? 'STORED' : 'VIRTUAL'}`
      : identity !== null
        ? ` GENERATED ${identity.always ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY (${identitySequence(identity.sequence)})`
        : nextOf !== null
          ? ` DEFAULT nextval(${quoteLiteral(quoteTable(nextOf)).trimStart()}::regclass)`
          : column.default !== null
            ? ` DEFAULT ${sqlText(column.default)}`
            : '';
  const collated = collation === null ? '' : ` COLLATE ${collation}`;
  return `${quoteIdentifier(name)} ${type}${collated}${made}${notNull ? ' NOT NULL' : ''}`;
}

export function checkDdl({ name, condition, suffix }: CheckSchema): string {
  return `CONSTRAINT ${quoteIdentifier(name)} CHECK (${sqlText(condition)})${suffix}`;
}

export function createSequence(sequence: SequenceSchema): string {
  return `CREATE SEQUENCE ${quoteTable(sequence)} AS ${sequence.type} ${numbers(sequence)}`;
}

function identitySequence(sequence: SequenceSchema): string {
  const name = sequence.name === '' ? '' : `SEQUENCE NAME ${quoteTable(sequence)} `;
  return `${name}${numbers(sequence)}`;
}

function numbers({ start, increment, min, max, cache, cycles }: SequenceSchema): string {
  return `INCREMENT BY ${increment} MINVALUE ${min} MAXVALUE ${max} START WITH ${start} CACHE ${cache}${cycles ? ' CYCLE' : ''}`;
}

/** Comments of a table and its columns that are not there yet. */
export function commentsOn(
  table: TableName & { readonly comment: string | null; readonly columns?: readonly ColumnSchema[] },
  existing: { readonly comment: string | null; readonly columns?: readonly ColumnSchema[] } | undefined,
): string[] {
  const own =
    table.comment !== null && (existing?.comment ?? null) === null
      ? [`COMMENT ON TABLE ${quoteTable(table)} IS${literal(table.comment)}`]
      : [];
  const columns = (table.columns ?? []).flatMap(({ name, comment }) => {
    const there = existing?.columns?.find((column) => column.name === name)?.comment ?? null;
    if (comment === null || there !== null) return [];
    return [`COMMENT ON COLUMN ${quoteTable(table)}.${quoteIdentifier(name)} IS${literal(comment)}`];
  });
  return [...own, ...columns];
}

/** With the blank before it. */
export function literal(text: string): string {
  return ` ${quoteLiteral(text).trimStart()}`;
}
