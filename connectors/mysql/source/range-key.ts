import type { Cell } from '../../../src/core/cell.ts';
import type { KeyRange } from '../../../src/core/compare-side.ts';
import type { ReadRange } from '../../../src/core/source-reader.ts';
import type { CatalogueColumn } from '../catalogue/read-tables.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { type KeyColumnType, keyLiteral, keyValue } from '../key-literal.ts';
import { integerBases, literalKind, parseType } from '../target/column-kind.ts';

export interface RangeKeyPart extends KeyColumnType {
  readonly name: string;
}

/** The columns by which the rows of a table are read in ranges. */
export type RangeKey = readonly RangeKeyPart[];

/**
 * Types whose order, as ORDER BY has it, is that of `>` with a value that is written as the binlog tells it. Not those of members, which are ordered by
 * their numbers and compared by their names, nor a FLOAT, of which the server shows no exact text.
 */
const ordered: ReadonlySet<string> = new Set([
  ...integerBases,
  ...['decimal', 'double', 'year', 'date', 'time', 'datetime', 'timestamp', 'bit', 'uuid'],
  ...['char', 'varchar', 'binary', 'varbinary'],
]);

/** Null where the key can't be read in ranges. `columns`: of the table's key, in the key's order. */
export function rangeKeyOf(columns: readonly Pick<CatalogueColumn, 'name' | 'type' | 'generated'>[]): RangeKey | null {
  if (columns.length === 0) return null;
  const parts = columns.map(({ name, type: typeName, generated }) => {
    const type = parseType(typeName);
    return generated || !ordered.has(type.base) ? null : { name, type, kind: literalKind(type) };
  });
  return parts.some((part) => part === null) ? null : (parts as RangeKey);
}

const bytesPrefix = '\\x';

/** A value of a key as it travels: bytes as their hexadecimal text. */
export function boundText(cell: Cell | undefined): string {
  return Buffer.isBuffer(cell) ? bytesPrefix + cell.toString('hex') : String(cell);
}

function literalOf(part: RangeKeyPart, text: string): string {
  const cell = part.kind === 'bytes' ? Buffer.from(text.slice(bytesPrefix.length), 'hex') : text;
  return keyValue(part, keyLiteral(cell, part));
}

/** What stands behind the table. A comparison of row values would read the index from its beginning, in both vendors: it is spelt out. */
export function rangeClauses(key: RangeKey, range: ReadRange, part: string | null = null): string {
  const names = key.map(({ name }) => quoteIdentifier(name));
  if (range.kind === 'keys') return ` WHERE ${keysCondition(key, range.keys)}`;
  const conditions = [...(range.key === null ? [] : [behind(key, names, range.key)]), ...(part === null ? [] : [part])];
  const where = conditions.length === 0 ? '' : ` WHERE (${conditions.join(') AND (')})`;
  return `${where} ORDER BY ${names.join(', ')} LIMIT ${range.rows}`;
}

/** Rows of exactly these keys. */
export function keysCondition(key: RangeKey, keys: readonly (readonly string[])[]): string {
  const rows = keys.map((texts) =>
    key.map((part, at) => `${quoteIdentifier(part.name)} = ${literalOf(part, texts[at] ?? '')}`).join(' AND '),
  );
  return `((${rows.join(') OR (')}))`;
}

/** Rows behind the one key, up to and including the other. */
export function boundsCondition(key: RangeKey, { after, to }: KeyRange): string[] {
  const names = key.map(({ name }) => quoteIdentifier(name));
  return [...(after === null ? [] : [behind(key, names, after)]), ...(to === null ? [] : [upTo(key, names, to)])];
}

/** `a <= 1 AND (a < 1 OR (b <= 2 AND (b < 2 OR c <= 3)))` */
function upTo(key: RangeKey, names: readonly string[], bound: readonly string[]): string {
  const [part] = key;
  if (part === undefined) throw new RangeError('a key without columns');
  const [name, value] = [names[0], literalOf(part, bound[0] ?? '')];
  if (key.length === 1) return `${name} <= ${value}`;
  return `${name} <= ${value} AND (${name} < ${value} OR (${upTo(key.slice(1), names.slice(1), bound.slice(1))}))`;
}

/** `a >= 1 AND (a > 1 OR (b >= 2 AND (b > 2 OR c > 3)))` */
function behind(key: RangeKey, names: readonly string[], bound: readonly string[]): string {
  const [part] = key;
  if (part === undefined) throw new RangeError('a key without columns');
  const [name, value] = [names[0], literalOf(part, bound[0] ?? '')];
  if (key.length === 1) return `${name} > ${value}`;
  return `${name} >= ${value} AND (${name} > ${value} OR (${behind(key.slice(1), names.slice(1), bound.slice(1))}))`;
}
