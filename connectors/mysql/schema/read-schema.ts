import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type {
  ColumnSchema,
  DatabaseSchema,
  IndexSchema,
  LeftOut,
  TableSchema,
} from '../../../src/core/table-schema.ts';
import { type CatalogueColumn, type CatalogueTable, readTables } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { parseType } from '../target/column-kind.ts';
import { parseCreateTable, type WrittenColumn, type WrittenTable } from './parse-create-table.ts';

/** What the server has of these tables; those that are not there are missing. Reads only. */
export async function readSchema(session: MysqlSession, names: readonly TableName[]): Promise<DatabaseSchema> {
  const labels = new Set(names.map(tableLabel));
  const found = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
  const tables: TableSchema[] = [];
  const left: LeftOut[] = [];
  for (const table of found) {
    const [row] = await session.query(`SHOW CREATE TABLE ${quoteTable(table)}`);
    const written = parseCreateTable(table, row?.[1] ?? '');
    tables.push(tableOf(table, written));
    left.push(...leftOfTable(table, written));
  }
  return { tables, types: [], sequences: [], left };
}

function tableOf(table: CatalogueTable, written: WrittenTable): TableSchema {
  const { schema, name } = table;
  const columns = table.columns.flatMap((column): ColumnSchema[] => {
    const text = written.columns.find((other) => other.name === column.name);
    return text === undefined ? [] : [columnOf(table, column, { text, nextNumber: written.nextNumber })];
  });
  return {
    ...{ schema, name, columns },
    indexes: withIdentity(written.indexes, columns),
    checks: written.checks,
    foreignKeys: written.foreignKeys,
    options: written.options,
    comment: written.comment,
    partitionedBy: written.partitionedBy,
    partitions: [],
    inherits: [],
  };
}

interface Written {
  readonly text: WrittenColumn;
  readonly nextNumber: string | null;
}

function columnOf(table: TableName, column: CatalogueColumn, { text, nextNumber }: Written): ColumnSchema {
  const { name, type } = column;
  // MariaDB writes COMPRESSED into it, between the signs of a comment.
  const typeText = column.typeText.replace(/\s*\/\*.*?\*\//g, '');
  const { notNull, generated, options, comment } = text;
  return {
    ...{ name, type, typeText, notNull, generated, options, comment },
    modifier: -1,
    collation: parseType(type).collation,
    default: text.default,
    nextOf: null,
    identity: text.autoIncrement ? { always: false, sequence: numbersOf(table, column, nextNumber) } : null,
  };
}

const highest: Readonly<Record<string, readonly [signed: bigint, unsigned: bigint]>> = {
  tinyint: [2n ** 7n - 1n, 2n ** 8n - 1n],
  smallint: [2n ** 15n - 1n, 2n ** 16n - 1n],
  mediumint: [2n ** 23n - 1n, 2n ** 24n - 1n],
  int: [2n ** 31n - 1n, 2n ** 32n - 1n],
  bigint: [2n ** 63n - 1n, 2n ** 64n - 1n],
};

/** AUTO_INCREMENT, as a sequence: it has no name of its own, and goes on at the table's next number. */
function numbersOf(
  { schema }: TableName,
  { type }: CatalogueColumn,
  nextNumber: string | null,
): NonNullable<ColumnSchema['identity']>['sequence'] {
  const { base, unsigned } = parseType(type);
  const [signed, whole] = highest[base] ?? [2n ** 63n - 1n, 2n ** 63n - 1n];
  return {
    schema,
    name: '',
    type: 'bigint',
    start: nextNumber ?? '1',
    increment: '1',
    min: '1',
    max: String(unsigned ? whole : signed),
    cache: '1',
    cycles: false,
    keepsName: false,
    ownedBy: null,
  };
}

/** Where there is no primary key the server takes the first unique one without NULL. */
function withIdentity(indexes: readonly IndexSchema[], columns: readonly ColumnSchema[]): readonly IndexSchema[] {
  if (indexes.some(({ constraint }) => constraint === 'primary')) return indexes;
  const isNotNull = (name: string): boolean => columns.some((column) => column.name === name && column.notNull);
  const identity = indexes.find(
    ({ unique, elements }) =>
      unique &&
      elements.every(({ value: [piece], isColumn, length }) =>
        isColumn && length === null && typeof piece === 'object' ? isNotNull(piece.column) : false,
      ),
  );
  return indexes.map((index) => (index === identity ? { ...index, isIdentity: true } : index));
}

function leftOfTable(table: CatalogueTable, { columns, left }: WrittenTable): readonly LeftOut[] {
  const label = tableLabel(table);
  return [
    ...left.map((text): LeftOut => ({ kind: 'option of', name: label, isNeeded: false, text })),
    ...columns.flatMap(({ name, left: ofColumn }) =>
      ofColumn.map((text): LeftOut => ({ kind: 'option of', name: `${label}.${name}`, isNeeded: false, text })),
    ),
  ];
}
