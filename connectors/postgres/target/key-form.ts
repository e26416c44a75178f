import type { Cell, Row } from '../../../src/core/cell.ts';
import { type PackedRow, packedCell, packedNull, readUInt32, type SlicedBuffer } from '../../../src/core/packed-row.ts';
import type { TargetColumn } from './target-table.ts';

/** Text of a key value such that two values the server holds equal have the same text, and no others. */
export type Normalise = (text: string) => string;

const same: Normalise = (text) => text;
const zero: Normalise = (text) => (text === '-0' ? '0' : text);
const blankPadded: Normalise = (text) => text.replace(/ +$/, '');
const decimal: Normalise = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const byType: Readonly<Record<string, Normalise>> = {
  'pg_catalog.int2': same,
  'pg_catalog.int4': same,
  'pg_catalog.int8': same,
  'pg_catalog.oid': same,
  'pg_catalog.uuid': same,
  'pg_catalog.bool': same,
  'pg_catalog.date': same,
  'pg_catalog.time': same,
  'pg_catalog.timestamp': same,
  'pg_catalog.timestamptz': same,
  'pg_catalog.timetz': same,
  'pg_catalog.bytea': same,
  'pg_catalog.bit': same,
  'pg_catalog.varbit': same,
  'pg_catalog.inet': same,
  'pg_catalog.cidr': same,
  'pg_catalog.macaddr': same,
  'pg_catalog.macaddr8': same,
  'pg_catalog.money': same,
  'pg_catalog.pg_lsn': same,
  'pg_catalog.xid8': same,
  'pg_catalog.text': same,
  'pg_catalog.varchar': same,
  'pg_catalog.name': same,
  'pg_catalog.char': same,
  'pg_catalog.bpchar': blankPadded,
  'pg_catalog.numeric': decimal,
  'pg_catalog.float4': zero,
  'pg_catalog.float8': zero,
};

/** Null where the server may hold values equal whose texts differ in ways that are not known here (citext, jsonb). */
export function normaliser(column: TargetColumn): Normalise | null {
  if (!column.deterministic) return null;
  if (column.baseKind === 'e') return same;
  return byType[column.baseType] ?? null;
}

/** Equal where keys are, and only there. A single integer is a number where numbers are exact: it needs no text, and is found sooner. */
export type RowKey = string | number;

/** Reads a row's key; null where a part of it was not logged or is NULL. */
export interface KeyReader {
  (row: Row): RowKey | null;
  /** The same of a row that nobody has looked into. */
  readonly packed: (row: PackedRow) => RowKey | null;
}

const integers: ReadonlySet<string> = new Set([
  'pg_catalog.int2',
  'pg_catalog.int4',
  'pg_catalog.int8',
  'pg_catalog.oid',
]);

/** An integer of so many characters is an exact number. */
const exactDigits = 15;

/** Null where keys of these columns can't be compared outside of the server: the table is a barrier then. */
export function keyReader(
  columns: readonly { readonly index: number; readonly column: TargetColumn }[],
): KeyReader | null {
  const parts: KeyPart[] = [];
  for (const { index, column } of columns) {
    const normalise = normaliser(column);
    if (normalise === null) return null;
    parts.push({ index, normalise });
  }
  const [first] = parts;
  if (parts.length !== 1 || first === undefined) return severalParts(parts);
  return integers.has(columns[0]?.column.baseType ?? '') ? integer(first.index) : onePart(first);
}

interface KeyPart {
  readonly index: number;
  readonly normalise: Normalise;
}

function integer(index: number): KeyReader {
  const read = (row: Row): RowKey | null => {
    const cell = row[index];
    if (typeof cell !== 'string') return null;
    return cell.length > exactDigits ? cell : Number(cell);
  };
  const packed = (row: PackedRow): RowKey | null => {
    const at = packedCell(row, index);
    const { bytes } = row;
    if (bytes[at] === packedNull) return null;
    const length = readUInt32(bytes, at + 1);
    if (length > exactDigits) return (bytes as SlicedBuffer).latin1Slice(at + 5, at + 5 + length);
    const isNegative = bytes[at + 5] === minus;
    let value = 0;
    for (let i = at + (isNegative ? 6 : 5); i < at + 5 + length; i++)
      value = value * 10 + (bytes[i] as number) - zeroDigit;
    return isNegative ? -value : value;
  };
  return Object.assign(read, { packed });
}

const minus = 0x2d;
const zeroDigit = 0x30;

function onePart({ index, normalise }: KeyPart): KeyReader {
  const read = (row: Row): RowKey | null => text(row[index], normalise);
  const packed = (row: PackedRow): RowKey | null => packedPart(row, index, normalise);
  return Object.assign(read, { packed });
}

/** PostgreSQL has no NUL in text, so that no two keys run together. */
function severalParts(parts: readonly KeyPart[]): KeyReader {
  const read = (row: Row): RowKey | null => {
    let key = '';
    for (const { index, normalise } of parts) {
      const part = text(row[index], normalise);
      if (part === null) return null;
      key += `${part}\0`;
    }
    return key;
  };
  const packed = (row: PackedRow): RowKey | null => {
    let key = '';
    for (const { index, normalise } of parts) {
      const part = packedPart(row, index, normalise);
      if (part === null) return null;
      key += `${part}\0`;
    }
    return key;
  };
  return Object.assign(read, { packed });
}

function packedPart(row: PackedRow, index: number, normalise: Normalise): string | null {
  const at = packedCell(row, index);
  const { bytes } = row;
  if (bytes[at] === packedNull) return null;
  return normalise((bytes as SlicedBuffer).utf8Slice(at + 5, at + 5 + readUInt32(bytes, at + 1)));
}

/** Names a row by the texts of its key: of values that are equal to the server alike, as far as is known here. */
export function keyNamer(columns: readonly TargetColumn[]): (cells: readonly (string | null)[]) => string {
  const normalisers = columns.map((column) => normaliser(column) ?? same);
  return (cells) => cells.map((cell, at) => (cell === null ? '' : (normalisers[at] ?? same)(cell))).join('\0');
}

function text(cell: Cell | undefined, normalise: Normalise): string | null {
  if (typeof cell === 'string') return normalise(cell);
  return Buffer.isBuffer(cell) ? cell.toString('hex') : null;
}
