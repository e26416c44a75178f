import { isAscii, isUtf8 } from 'node:buffer';
import { ABSENT, type Row, UNCHANGED } from '../../../../src/core/cell.ts';
import type { TableVersion } from '../../../../src/core/table.ts';

/** Methods of Node's Buffer that its type declarations leave out: toString() without its checks. */
interface SlicedBuffer extends Buffer {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

const columnNull = 0x6e;
const columnUnchanged = 0x75;
const columnText = 0x74;

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
    if (letter === 0x4e) return 'N';
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
    const count = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
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

/** Beyond the end of the bytes it gives 0s: whoever reads looks at the end of its message. */
export function readUInt32(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
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
