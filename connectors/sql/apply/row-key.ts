import type { Cell, Row } from '../../../src/core/cell.ts';
import { type PackedRow, packedCell, packedNull, readUInt32, type SlicedBuffer } from '../../../src/core/packed-row.ts';

/** Text of a key value such that two values the server holds equal have the same text, and no others; null where that is not known of the value. */
export type NormaliseKey = (text: string) => string | null;

/** Equal where keys are, and only there. A single integer is a number where numbers are exact: it needs no text, and is found sooner. */
export type RowKey = string | number;

/** Reads a row's key; null where a part of it was not logged or is NULL. */
export interface KeyReader {
  (row: Row): RowKey | null;
  /** The same of a row that nobody has looked into. */
  readonly packed: (row: PackedRow) => RowKey | null;
  /** Columns of texts that it holds equal although they differ: at the source they may be keys of two rows. */
  readonly folded: readonly number[];
}

/** An integer of so many characters is an exact number. */
const exactDigits = 15;

/** How one column of a key is read. */
export interface KeyPart {
  readonly index: number;
  readonly normalise: NormaliseKey;
  /** Other servers may tell apart what is one text here. */
  readonly isFolded?: boolean;
}

/** `isInteger`: the key is one column of integers. */
export function readerOfParts(parts: readonly KeyPart[], isInteger: boolean): KeyReader {
  const [first] = parts;
  const folded = parts.flatMap(({ index, isFolded }) => (isFolded ? [index] : []));
  const chosen = (): CellReader => {
    if (parts.length !== 1 || first === undefined) return severalParts(parts);
    return isInteger ? integer(first.index) : onePart(first);
  };
  return Object.assign(chosen(), { folded });
}

/** A reader but for what it folds. */
type CellReader = ((row: Row) => RowKey | null) & Pick<KeyReader, 'packed'>;

function integer(index: number): CellReader {
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

function onePart({ index, normalise }: KeyPart): CellReader {
  const read = (row: Row): RowKey | null => text(row[index], normalise);
  const packed = (row: PackedRow): RowKey | null => packedPart(row, index, normalise);
  return Object.assign(read, { packed });
}

/** No normalised text has a NUL in it, so that no two keys run together. */
function severalParts(parts: readonly KeyPart[]): CellReader {
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

function packedPart(row: PackedRow, index: number, normalise: NormaliseKey): string | null {
  const at = packedCell(row, index);
  const { bytes } = row;
  if (bytes[at] === packedNull) return null;
  return normalise((bytes as SlicedBuffer).utf8Slice(at + 5, at + 5 + readUInt32(bytes, at + 1)));
}

function text(cell: Cell | undefined, normalise: NormaliseKey): string | null {
  if (typeof cell === 'string') return normalise(cell);
  return Buffer.isBuffer(cell) ? cell.toString('hex') : null;
}
