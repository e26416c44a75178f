import { type Cell, UNCHANGED } from '../../../src/core/cell.ts';
import type { CanonicalText } from '../../../src/core/compare-side.ts';
import { beyondUnicode } from '../catalogue/beyond-unicode.ts';
import { unlikeItsText } from '../catalogue/members.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { doubleText } from '../source/binlog/values/number-text.ts';
import { type ColumnType, charsetOf, integerBases, literalKind } from '../target/column-kind.ts';

/**
 * The canonical text of a column: one text for each value, whichever server holds it, so that what two sides hash is equal exactly where the values are.
 * A dialect is two things that say the same: an expression of SQL, and what a cell becomes of it here.
 *
 *   numbers       digits, without zeros in front of the first one and behind the last one of a fraction; a FLOAT as the double that it is
 *   dates, times  as the server writes them, without zeros at the end of a fraction, of UTC
 *   bits          zeros and ones, from the first one on
 *   texts, JSON   their characters
 *   bytes         themselves
 *
 * A column with more digits holds the same values (DECIMAL(10,2) and DECIMAL(12,4)), so that types that differ can be compared. row-hash.ts makes a row of it.
 */
export interface CanonicalColumn {
  readonly name: string;
  /** The column itself. */
  readonly column: string;
  /** An expression over the column: text in utf8mb4, or bytes. */
  readonly sql: string;
  /** `short`: has no comma and no tilde; `bytes`: `sql` is bytes. */
  readonly form: 'short' | 'text' | 'bytes';
  /** Of a cell as the binlog tells it, and as the column would hold it. */
  canonical(cell: Cell | undefined): Canonical;
}

export type Canonical = string | Buffer | null;

const temporal: ReadonlySet<string> = new Set(['time', 'datetime', 'timestamp']);
const words: ReadonlySet<string> = new Set(['date', 'uuid', 'inet4', 'inet6']);

export interface DescribedColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** As SQL writes it, which tells of ZEROFILL. */
  readonly typeText: string;
  readonly vendor: 'mysql' | 'mariadb';
}

/** Of a table that statements call `t`. */
export function canonicalColumn({ name, type, typeText, vendor }: DescribedColumn): CanonicalColumn {
  const column = `t.${quoteIdentifier(name)}`;
  const isFloating = type.base === 'float' || type.base === 'double';
  const { sql, form } = isFloating
    ? { sql: floatingText(column, vendor), form: 'short' as const }
    : expressionOf(column, type, /\bzerofill\b/i.test(typeText));
  return { name, column, sql, form, canonical: (cell) => canonicalCell(cell, type) };
}

function expressionOf(column: string, type: ColumnType, isFilled: boolean): Pick<CanonicalColumn, 'sql' | 'form'> {
  const { base, size, scale, collation } = type;
  if (literalKind(type) === 'bytes') return { sql: column, form: 'bytes' };
  // ZEROFILL is in what is shown only.
  const shown = `CAST(${isFilled ? `${column} + 0` : column} AS CHAR)`;
  if (integerBases.has(base)) return { sql: shown, form: 'short' };
  if (base === 'decimal') return { sql: scale > 0 ? trimmed(shown) : shown, form: 'short' };
  if (temporal.has(base)) return { sql: (size ?? 0) > 0 ? trimmed(shown) : shown, form: 'short' };
  if (words.has(base)) return { sql: shown, form: 'short' };
  if (base === 'year') return { sql: `LPAD(${column} + 0, 4, '0')`, form: 'short' };
  if (base === 'bit') return { sql: `BIN(${column} + 0)`, form: 'short' };
  // In place of a document whose text is longer than max_allowed_packet MySQL gives an empty one: nothing is to be equal to it.
  if (base === 'json') return { sql: `NULLIF(CAST(${column} AS CHAR), '')`, form: 'text' };
  if (collation === null) return { sql: `CAST(${column} AS CHAR)`, form: 'text' };
  const unlike = unlikeItsText(column, type);
  if (unlike !== null) return { sql: `IF(${unlike.is}, '${unlike.text}', ${utf8(column)})`, form: 'text' };
  const beyond = beyondUnicode(column, type);
  if (beyond !== null) return { sql: `IF(${beyond.is}, ${beyond.text}, ${utf8(column)})`, form: 'text' };
  return {
    sql: charsetOf(collation) === 'utf8mb4' && base !== 'enum' && base !== 'set' ? column : utf8(column),
    form: 'text',
  };
}

/**
 * See catalogue/select-values.ts. As a text MySQL writes a product with 22 characters at most, with fewer digits where they don't suffice; as JSON it has
 * all of them.
 */
function floatingText(column: string, vendor: 'mysql' | 'mariadb'): string {
  const double = `${column} * 1e0`;
  return vendor === 'mariadb'
    ? `CAST(${double} AS CHAR)`
    : `TRIM(TRAILING '.0' FROM CAST(CAST(${double} AS JSON) AS CHAR))`;
}

function utf8(column: string): string {
  return `CONVERT(${column} USING utf8mb4)`;
}

function trimmed(text: string): string {
  return `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM ${text}))`;
}

const plainNumber = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/;

function canonicalCell(cell: Cell | undefined, type: ColumnType): Canonical {
  if (cell === null) return null;
  if (cell === undefined || typeof cell === 'symbol')
    throw new TypeError(cell === UNCHANGED ? 'a cell that is not known was to be compared' : 'a cell is missing');
  const { base, size } = type;
  if (literalKind(type) === 'bytes') {
    const bytes = Buffer.isBuffer(cell) ? cell : Buffer.from(cell, 'utf8');
    if (base !== 'binary' || bytes.length >= (size ?? 1)) return bytes;
    return Buffer.concat([bytes, Buffer.alloc((size ?? 1) - bytes.length)]);
  }
  const text = Buffer.isBuffer(cell) ? cell.toString('utf8') : cell;
  if (integerBases.has(base) || base === 'decimal') return numberText(text);
  if (temporal.has(base)) return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  switch (base) {
    case 'float':
      return shortest(text, Math.fround(Number(text)));
    case 'double':
      return shortest(text, Number(text));
    case 'bit':
      return text.replace(/^0+(?=[01])/, '');
    case 'char':
      return text.replace(/ +$/, '');
    default:
      return text;
  }
}

function numberText(text: string): string {
  const [, sign, whole, fraction = ''] = plainNumber.exec(text) ?? [];
  if (whole === undefined) return text;
  const plain = fraction === '' ? whole : `${whole}.${fraction}`;
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
}

function shortest(text: string, value: number): string {
  return text.trim() !== '' && Number.isFinite(value) ? doubleText(value) : text;
}

const bytesPrefix = '\\x';

/** As keys and compared rows carry it. */
export function portableText(canonical: Canonical): string | null {
  return Buffer.isBuffer(canonical) ? bytesPrefix + canonical.toString('hex') : canonical;
}

/** The other way: a cell as a statement takes it. */
export function cellOf(text: string | null, type: ColumnType): Cell {
  if (text === null || literalKind(type) !== 'bytes') return text;
  return Buffer.from(text.slice(bytesPrefix.length), 'hex');
}

const canonicals: Readonly<Record<string, CanonicalText>> = {
  decimal: 'number',
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamptz',
  uuid: 'uuid',
};

/** Which of `canonicalColumn`'s texts other vendors have, too; floats and documents are written by each in its own way, and the year 0000 is a 0 elsewhere. */
export function canonicalTexts(type: ColumnType): readonly CanonicalText[] {
  const { base, size, collation } = type;
  if (literalKind(type) === 'bytes') return ['bytes'];
  if (integerBases.has(base)) return ['number'];
  if (base === 'bit') return [`bits ${size ?? 1}`];
  const known = canonicals[base];
  if (known !== undefined) return [known];
  return collation === null || base === 'json' ? [] : ['text'];
}
