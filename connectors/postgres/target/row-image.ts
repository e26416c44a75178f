import type { Cell, Row } from '../../../src/core/cell.ts';
import {
  type PackedRow,
  packedNull,
  packedText,
  readUInt16,
  readUInt32,
  unpackRow,
} from '../../../src/core/packed-row.ts';

/** A row of a change: its cells, or as it came. */
export type RowImage = Row | PackedRow;

export function isPacked(image: RowImage): image is PackedRow {
  return !Array.isArray(image);
}

/** The cells; of a row that nobody has looked into they are made for this. */
export function cellsOf(image: RowImage): Row {
  return isPacked(image) ? unpackRow(image) : image;
}

/** Takes the values of one column. */
export interface CellSink {
  nil(): void;
  packed(bytes: Buffer, start: number, end: number): void;
  cell(cell: Cell | undefined): void;
}

/** Gives cells to those that want them: `sinks` has them by the column's index, and a hole where nobody does. */
export function giveCells(image: RowImage, sinks: readonly (CellSink | undefined)[]): void {
  if (!isPacked(image)) {
    for (let index = 0; index < sinks.length; index++) sinks[index]?.cell(image[index]);
    return;
  }
  const { bytes, at } = image;
  const count = Math.min(readUInt16(bytes, at), sinks.length);
  let offset = at + 2;
  for (let index = 0; index < count; index++) {
    const sink = sinks[index];
    if (bytes[offset] === packedText) {
      const start = offset + 5;
      offset = start + readUInt32(bytes, offset + 1);
      sink?.packed(bytes, start, offset);
    } else {
      if (bytes[offset] !== packedNull) throw new RangeError('a packed row without a cell');
      offset++;
      sink?.nil();
    }
  }
}
