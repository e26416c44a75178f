import { tableLabel } from '../../../src/core/table.ts';
import type {
  CheckSchema,
  ColumnSchema,
  ForeignKeySchema,
  IndexElement,
  IndexSchema,
  TableSchema,
} from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { charsetOf } from '../target/column-kind.ts';
import { quoteText, sqlText } from './sql-pieces.ts';

export type Vendor = 'mysql' | 'mariadb';

/** Whole, with what rows have to hold when they come; indexes that only speed things up come behind them. */
export function createTable(table: TableSchema, vendor: Vendor): string {
  const parts = [
    ...table.columns.map((column) => columnDdl(column, vendor, ownCheck(table, column))),
    ...table.indexes.filter((index) => isMadeWithTable(index, table)).map((index) => indexDdl(index, vendor)),
    ...table.checks.filter((check) => !isOfColumn(check)).map(checkDdl),
  ];
  const next = table.columns.find(({ identity }) => identity !== null)?.identity?.sequence.start ?? '1';
  const options = [
    ...table.options,
    ...(next === '1' ? [] : [`AUTO_INCREMENT=${next}`]),
    ...(table.comment === null ? [] : [`COMMENT=${quoteText(table.comment)}`]),
  ];
  const by = table.partitionedBy === null ? '' : `\nPARTITION BY ${sqlText(table.partitionedBy)}`;
  return `CREATE TABLE ${quoteTable(table)} (\n  ${parts.join(',\n  ')}\n) ${options.join(' ')}${by}`.trimEnd();
}

/** Rows are found by it, or it makes their numbers. */
export function isMadeWithTable(
  index: IndexSchema,
  { columns, indexes }: Pick<TableSchema, 'columns' | 'indexes'>,
): boolean {
  if (index.constraint === 'primary' || index.isIdentity) return true;
  const counting = columns.find(({ identity }) => identity !== null)?.name;
  const leads = ({ method, elements: [first] }: IndexSchema): boolean =>
    method === 'btree' && first !== undefined && columnOf(first) === counting;
  if (counting === undefined) return false;
  // The first that serves, unless another one is made anyway.
  const others = indexes.filter(({ constraint, isIdentity }) => constraint === 'primary' || isIdentity);
  return !others.some(leads) && indexes.find(leads) === index;
}

function columnOf({ value: [piece], isColumn }: IndexElement): string | null {
  return isColumn && typeof piece === 'object' ? piece.column : null;
}

/** MariaDB writes a condition of one column behind it, and takes a column with json_valid() for a JSON. */
function isOfColumn({ name, condition }: CheckSchema): boolean {
  return name === '' && columnsIn(condition).size === 1;
}

function ownCheck({ checks }: TableSchema, { name }: ColumnSchema): string {
  const own = checks.filter((check) => isOfColumn(check) && columnsIn(check.condition).has(name));
  return own.map((check) => ` ${checkDdl(check)}`).join('');
}

function columnsIn(text: CheckSchema['condition']): ReadonlySet<string> {
  return new Set(text.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.column])));
}

export function columnDdl(column: ColumnSchema, vendor: Vendor, check = ''): string {
  const { name, collation, generated, identity, notNull, comment, options } = column;
  // What a transform has made has a type by the name that the catalogue gives it, which is SQL.
  const type = column.typeText ?? column.type;
  const charset =
    collation === null || column.typeText === null ? '' : ` CHARACTER SET ${charsetOf(collation)} COLLATE ${collation}`;
  const compressed = options.includes('COMPRESSED') ? ' COMPRESSED' : '';
  const isHere = (option: string): boolean =>
    option !== 'COMPRESSED' && (vendor === 'mysql' || !option.startsWith('SRID'));
  const rest = options.filter(isHere).map((option) => ` ${option}`);
  const said = comment === null ? '' : ` COMMENT ${quoteText(comment)}`;
  const nullable = notNull ? ' NOT NULL' : ' NULL';
  const head = `${quoteIdentifier(name)} ${type}${compressed}${charset}`;
  if (generated !== null) {
    const kind = generated.stored ? 'STORED' : 'VIRTUAL';
    // MariaDB takes neither of the two behind a generated column.
    const not = vendor === 'mysql' ? nullable : '';
    return `${head} GENERATED ALWAYS AS (${sqlText(generated.value)}) ${kind}${not}${rest.join('')}${said}${check}`;
  }
  const counts = identity === null ? '' : ' AUTO_INCREMENT';
  const value = column.default === null ? '' : ` DEFAULT ${defaultText(column, vendor)}`;
  return `${head}${nullable}${value}${counts}${rest.join('')}${said}${check}`;
}

const literal =
  /^(?:[-+]?\d[\d.eE+-]*|0x[\da-f]*|(?:_\w+\s*|[bxn])?'(?:[^'\\]|''|\\[\s\S])*'|true|false|(?:current_timestamp|now|localtimestamp|localtime)(?:\(\d*\))?)$/i;
const withoutLiteral =
  /^(?:(?:tiny|medium|long)?(?:text|blob)|json|geometry|point|linestring|polygon|multi\w+|geom\w+)\b/;

/** Other than constants MySQL takes expressions between parentheses only, and so it does of texts without bounds what is a constant. */
function defaultText(column: ColumnSchema, vendor: Vendor): string {
  const text = sqlText(column.default ?? []);
  const isLiteral =
    literal.test(text) && (vendor === 'mariadb' || !withoutLiteral.test(column.typeText ?? column.type));
  return isLiteral || isWrapped(text) ? text : `(${text})`;
}

function isWrapped(text: string): boolean {
  return text.startsWith('(') && text.endsWith(')');
}

export function indexDdl(index: IndexSchema, vendor: Vendor): string {
  const { name, constraint, unique, method, elements, options, comment } = index;
  const kind =
    constraint === 'primary'
      ? 'PRIMARY KEY'
      : `${unique ? 'UNIQUE ' : method === 'btree' ? '' : `${method.toUpperCase()} `}KEY${name === '' ? '' : ` ${quoteIdentifier(name)}`}`;
  const list = elements.map(elementDdl).join(', ');
  const rest = options.map((option) => (option === 'INVISIBLE' && vendor === 'mariadb' ? ' IGNORED' : ` ${option}`));
  const said = comment === null ? '' : ` COMMENT ${quoteText(comment)}`;
  return `${kind} (${list})${rest.join('')}${said}`;
}

function elementDdl({ value, isColumn, length, order }: IndexElement): string {
  const text = sqlText(value);
  return `${isColumn ? text : `(${text})`}${length === null ? '' : `(${length})`}${order}`;
}

export function checkDdl({ name, condition, suffix }: CheckSchema): string {
  const named = name === '' ? '' : `CONSTRAINT ${quoteIdentifier(name)} `;
  return `${named}CHECK (${sqlText(condition)})${suffix}`;
}

export function foreignKeyDdl({ name, columns, references, referenced, actions }: ForeignKeySchema): string {
  const list = (names: readonly string[]): string => `(${names.map(quoteIdentifier).join(', ')})`;
  const named = name === '' ? '' : `CONSTRAINT ${quoteIdentifier(name)} `;
  return `${named}FOREIGN KEY ${list(columns)} REFERENCES ${quoteTable(references)} ${list(referenced)}${actions}`;
}

export function partOf(what: string, table: TableSchema): string {
  return `${what} of ${tableLabel(table)}`;
}
