import { isAscii, isUtf8 } from 'node:buffer';
import { ABSENT, type Row, UNCHANGED } from '../../../../src/core/cell.ts';
import { type PackedRow, readUInt16, readUInt32, type SlicedBuffer } from '../../../../src/core/packed-row.ts';
import type { TableVersion } from '../../../../src/core/table.ts';

const columnNull = 0x6e;
const columnUnchanged = 0x75;
const columnText = 0x74;
const newTuple = 0x4e;

/** A value that is no UTF-8: the caller knows the transaction and makes the coded error. */
export class InvalidTextError extends Error {
  readonly column: string;
  constructor(column: string) {
    super('invalid UTF-8');
    this.column = column;
  }
}

/** A longer message is looked at for what is not ASCII before it is decoded: it might have to be decoded twice. */
const triedBytes = 4_096;
/** A shorter value is looked at here, byte by byte; a call costs more. */
const looselyReadBytes = 48;
/** The same of four bytes at a time: a call needs a view of the bytes, which is garbage then. */
const wordReadBytes = 512;

/**
 * Reads the tuples of an insert, update or delete message: the engine's hottest loop. A message that is ASCII becomes one
 * string, of which the values are slices; reading each value on its own takes several times as long. What is ASCII is found by
 * decoding: UTF-8 gives as many characters as it has bytes only where no character has several, and U+FFFD for each byte
 * that is none. Values of 128 bytes and more put such bytes into their lengths: then, and where there is any other
 * character, each value is looked at by itself.
 */
export class RowReader {
  #bytes = Buffer.alloc(0) as SlicedBuffer;
  #offset = 0;
  #end = 0;
  /** Where `#text` begins. */
  #base = 0;
  /** The message from its sixth byte on: exact where all of it is ASCII, else one character a byte. */
  #text = '';
  #isAscii = false;
  #viewed: Buffer | null = null;
  /** One for all rows: a change takes out what it keeps. */
  readonly #packed = { bytes: Buffer.alloc(0) as Buffer, at: 0, end: 0, isAscii: false };
  #view: DataView = new DataView(new ArrayBuffer(0));

  /**
   * The row of a message that has all of a new row and nothing of an old one, as it came: looked at, and not taken apart. Null where
   * the message is another one, or a value is not in it; `open` and `tuple` read it then. What is given holds until the next call.
   */
  packed(bytes: Buffer, start: number, end: number, table: TableVersion): PackedRow | null {
    if (bytes[start + 5] !== newTuple) return null;
    const view = this.#viewOf(bytes);
    const { columns } = table;
    const at = start + 6;
    const count = readUInt16(bytes, at);
    // Who opens it tells what is wrong.
    if (count !== columns.length) return null;
    let offset = at + 2;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const kind = bytes[offset++];
      if (kind === columnNull) continue;
      if (kind !== columnText) return null;
      const from = offset + 4;
      const to = from + readUInt32(bytes, offset);
      if (to > end) return null;
      offset = to;
      const bits =
        to - from > wordReadBytes ? (isAscii(bytes.subarray(from, to)) ? 0 : highBits) : bitsOf(bytes, view, from, to);
      if ((bits & highBits) !== 0 && !isUtf8(bytes.subarray(from, to)))
        throw new InvalidTextError(columns[i]?.name ?? '');
      seen |= bits;
    }
    if (offset > end) return null;
    const found = this.#packed;
    found.bytes = bytes;
    found.at = at;
    found.end = offset;
    found.isAscii = (seen & highBits) === 0;
    return found;
  }

  /** One for all messages of a chunk. */
  #viewOf(bytes: Buffer): DataView {
    if (this.#viewed !== bytes) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#view;
  }

  /** Starts with the message that lies in `bytes` from `start` to `end`; its tuples begin after type and relation. */
  open(bytes: Buffer, start = 0, end = bytes.length): void {
    const slicing = bytes as SlicedBuffer;
    this.#bytes = slicing;
    const base = start + 5;
    this.#offset = base;
    this.#base = base;
    this.#end = end;
    const length = end - base;
    if (length <= triedBytes) {
      this.#text = slicing.utf8Slice(base, end);
      this.#isAscii = this.#text.length === length && !this.#text.includes('\ufffd');
      if (!this.#isAscii) this.#text = slicing.latin1Slice(base, end);
    } else {
      this.#isAscii = isAscii(bytes.subarray(base, end));
      // A large value makes what is large of the message: a second copy of it would only be held by the small ones.
      this.#text = this.#isAscii ? slicing.latin1Slice(base, end) : '';
    }
  }

  /** K: old key, O: old row, N: new row. */
  kind(): 'K' | 'O' | 'N' {
    const letter = this.#bytes[this.#offset++];
    if (letter === newTuple) return 'N';
    if (letter === 0x4b) return 'K';
    if (letter === 0x4f) return 'O';
    throw new RangeError(`unknown tuple ${letter}`);
  }

  /** The next tuple. Of an old key only the key's columns are there; the server sends the others as null. */
  tuple(table: TableVersion, onlyKey: boolean): Row {
    const bytes = this.#bytes;
    const text = this.#text;
    const base = this.#base;
    const isAscii = this.#isAscii;
    const { columns } = table;
    let offset = this.#offset;
    const count = readUInt16(bytes, offset);
    offset += 2;
    if (count !== columns.length) throw new RangeError(`${count} columns where ${columns.length} were announced`);
    const row: Row = new Array(count);
    for (let i = 0; i < count; i++) {
      const kind = bytes[offset++];
      if (kind === columnText) {
        const start = offset + 4;
        const end = start + readUInt32(bytes, offset);
        if (end > this.#end) throw new RangeError('a value beyond the end of its message');
        row[i] = isAscii ? text.slice(start - base, end - base) : this.#value(start, end, table, i);
        offset = end;
      } else if (kind === columnNull) row[i] = null;
      else if (kind === columnUnchanged) row[i] = UNCHANGED;
      else throw new RangeError(`unknown kind of value ${kind}`);
    }
    // The bytes behind a message are another's.
    if (offset > this.#end) throw new RangeError('a tuple beyond the end of its message');
    if (onlyKey) for (let i = 0; i < count; i++) if (columns[i]?.key !== true) row[i] = ABSENT;
    this.#offset = offset;
    return row;
  }

  #value(start: number, end: number, table: TableVersion, index: number): string {
    const bytes = this.#bytes;
    if (this.#text !== '' && end - start <= looselyReadBytes) {
      let seen = 0;
      for (let at = start; at < end; at++) seen |= bytes[at] as number;
      if (seen < 0x80) return this.#text.slice(start - this.#base, end - this.#base);
    }
    const value = bytes.utf8Slice(start, end);
    // Decoding puts U+FFFD for what is no UTF-8, and a value may rightly hold one: only then the bytes are looked at.
    if (value.includes('\ufffd') && !isUtf8(bytes.subarray(start, end)))
      throw new InvalidTextError(table.columns[index]?.name ?? '');
    return value;
  }

  /** Lets the message go: its bytes are used again. */
  close(): void {
    this.#text = '';
  }
}

/** The highest bit of each of four bytes. */
const highBits = 0x80808080 | 0;

/** All bits of the bytes; four at a time, each four by itself. */
function bitsOf(bytes: Buffer, view: DataView, from: number, to: number): number {
  let seen = 0;
  let at = from;
  for (; at < to - 3; at += 4) seen |= view.getInt32(at);
  for (; at < to; at++) seen |= bytes[at] as number;
  return seen;
}

/** Of the one or two rows in an insert, update or delete message: the bytes of the values of the larger one. */
export function largestRowBytes(message: Buffer): number {
  let largest = 0;
  for (let offset = 5; offset < message.length; ) {
    // The letter that tells which row it is, and the number of its columns.
    let left = message.readUInt16BE(offset + 1);
    offset += 3;
    let bytes = 0;
    for (; left > 0; left--) {
      if (message[offset++] !== columnText) continue;
      const length = message.readInt32BE(offset);
      bytes += length;
      offset += 4 + length;
    }
    if (bytes > largest) largest = bytes;
  }
  return largest;
}
