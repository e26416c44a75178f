import type { Cell } from '../../src/core/cell.ts';
import { type ColumnType, charsetOf, integerBases, type LiteralKind } from './target/column-kind.ts';
import { textLiteral, valueLiteral } from './target/value-literal.ts';

const temporal: Readonly<Record<string, string>> = {
  date: 'date',
  time: 'time',
  datetime: 'timestamp',
  timestamp: 'timestamp',
};

/** A column that rows are told apart by. */
export interface KeyColumnType {
  readonly kind: LiteralKind;
  readonly type: ColumnType;
}

/** A value of the type of its column, so that no list of values has another one. */
export function keyLiteral(cell: Cell | undefined, { kind, type }: KeyColumnType): string {
  const word = temporal[type.base];
  if (word !== undefined && typeof cell === 'string') return `${word}${textLiteral(cell)}`;
  // Compared as bytes, zeros in front would count.
  if (kind === 'bit' && typeof cell === 'string' && /^[01]+$/.test(cell)) return BigInt(`0b${cell}`).toString();
  return valueLiteral(cell, kind);
}

/** What a key's column is compared with: of its own charset and collation, or the server would refuse to mix two. */
export function keyValue({ type }: Pick<KeyColumnType, 'type'>, value: string): string {
  if (type.base === 'float') return `cast(${value} as float)`;
  if (type.collation === null || integerBases.has(type.base)) return value;
  return `convert(${value} using ${charsetOf(type.collation)}) collate ${type.collation}`;
}
