import type { Row } from './cell.ts';
import type { InsertChange, UpdateChange } from './change.ts';
import type { TableVersion } from './table.ts';

/** Methods of Node's Buffer that its type declarations leave out: toString() without its checks. */
export interface SlicedBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/**
 * The cells of a whole row as they came, in bytes that nobody writes to any more: the number of columns in two bytes, then for each
 * 'n' for NULL, or 't', the length in four bytes, and the text in UTF-8. Numbers have their highest byte first. Whoever makes one has proven all of that.
 */
export interface PackedRow {
  readonly bytes: Buffer;
  /** Where the number of columns stands. */
  readonly at: number;
  /** Behind the last cell. */
  readonly end: number;
  /** Each byte of its values is a character. */
  readonly isAscii: boolean;
}

export const packedNull = 0x6e;
export const packedText = 0x74;

/** Beyond the end of the bytes it gives 0s. */
export function readUInt32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

export function readUInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Where cell `index` begins, with its letter. */
export function packedCell({ bytes, at }: PackedRow, index: number): number {
  let offset = at + 2;
  for (let left = index; left > 0; left--)
    offset += bytes[offset] === packedText ? 5 + readUInt32(bytes, offset + 1) : 1;
  return offset;
}

/** The row as cells of its own. Values are slices of one string where all of it is ASCII. */
export function unpackRow({ bytes, at, end, isAscii }: PackedRow): Row {
  const slicing = bytes as SlicedBuffer;
  const text = isAscii ? slicing.latin1Slice(at, end) : '';
  const count = readUInt16(bytes, at);
  const row: Row = new Array(count);
  let offset = at + 2;
  for (let i = 0; i < count; i++) {
    if (bytes[offset] === packedNull) {
      row[i] = null;
      offset++;
      continue;
    }
    const start = offset + 5;
    offset = start + readUInt32(bytes, offset + 1);
    row[i] = isAscii ? text.slice(start - at, offset - at) : slicing.utf8Slice(start, offset);
  }
  return row;
}

const noBytes = Buffer.alloc(0);

/**
 * A row that nobody has looked into yet. Most rows go from one database to the other as they are: what they are made of is then
 * never made into objects, which is most of what a row costs. Whoever asks for its cells gets an array that is its own from then on.
 */
abstract class PackedImage implements PackedRow {
  table: TableVersion;
  bytes: Buffer;
  readonly at: number;
  readonly end: number;
  readonly isAscii: boolean;
  #row: Row | null = null;

  constructor(table: TableVersion, { bytes, at, end, isAscii }: PackedRow) {
    this.table = table;
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.isAscii = isAscii;
  }

  get after(): Row {
    if (this.#row === null) this.after = unpackRow(this);
    return this.#row as Row;
  }

  set after(row: Row) {
    this.#row = row;
    // Its cells may be replaced: the bytes are not the row any more.
    this.bytes = noBytes;
  }

  get isPacked(): boolean {
    return this.#row === null;
  }
}

export class PackedInsert extends PackedImage implements InsertChange {
  readonly kind = 'insert';
}

/** An update of a row whose key did not change, with all its values. */
export class PackedUpdate extends PackedImage implements UpdateChange {
  readonly kind = 'update';
  before: Row | null = null;
}

/** The whole new row of a change as it came; null where it has to be read cell by cell. */
export function packedAfter(change: InsertChange | UpdateChange): PackedRow | null {
  return change instanceof PackedImage && change.isPacked ? change : null;
}
