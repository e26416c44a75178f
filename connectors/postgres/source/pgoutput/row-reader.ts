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

/**
 * Reads the tuples of an insert, update or delete message: the engine's hottest loop. Where the whole message is ASCII
 * it becomes one string, of which the values are slices; reading each value on its own takes twice as long (FACTS:
 * 3.17 to 1.45 million rows a second). A length of 128 and more also makes a message "not ASCII", which costs time only.
 */
export class RowReader {
  #buffer = Buffer.alloc(0) as SlicedBuffer;
  #offset = 0;
  /** The message from its sixth byte on, where all of it is ASCII. */
  #text: string | null = null;

  /** Starts with a message; its tuples begin after type and relation. */
  open(message: Buffer): void {
    this.#buffer = message as SlicedBuffer;
    this.#offset = 5;
    this.#text = isAscii(message.subarray(5)) ? this.#buffer.latin1Slice(5, message.length) : null;
  }

  /** K: old key, O: old row, N: new row. */
  kind(): 'K' | 'O' | 'N' {
    const letter = String.fromCharCode(this.#buffer.readUInt8(this.#offset++));
    if (letter !== 'K' && letter !== 'O' && letter !== 'N') throw new RangeError(`unknown tuple "${letter}"`);
    return letter;
  }

  /** The next tuple. Of an old key only the key's columns are there; the server sends the others as null. */
  tuple(table: TableVersion, onlyKey: boolean): Row {
    const buffer = this.#buffer;
    const text = this.#text;
    const { columns } = table;
    let offset = this.#offset;
    const count = buffer.readUInt16BE(offset);
    offset += 2;
    if (count !== columns.length) throw new RangeError(`${count} columns where ${columns.length} were announced`);
    const row: Row = new Array(count);
    for (let i = 0; i < count; i++) {
      const kind = buffer[offset++];
      if (kind === columnText) {
        const start = offset + 4;
        const end = start + buffer.readInt32BE(offset);
        if (end > buffer.length) throw new RangeError('a value beyond the end of its message');
        row[i] = text === null ? this.#value(start, end, table, i) : text.slice(start - 5, end - 5);
        offset = end;
      } else if (kind === columnNull) row[i] = null;
      else if (kind === columnUnchanged) row[i] = UNCHANGED;
      else throw new RangeError(`unknown kind of value ${kind}`);
    }
    if (onlyKey) for (let i = 0; i < count; i++) if (columns[i]?.key !== true) row[i] = ABSENT;
    this.#offset = offset;
    return row;
  }

  #value(start: number, end: number, table: TableVersion, index: number): string {
    const value = this.#buffer.utf8Slice(start, end);
    // Decoding puts U+FFFD for what is no UTF-8, and a value may rightly hold one: only then the bytes are looked at.
    if (value.includes('\ufffd') && !isUtf8(this.#buffer.subarray(start, end)))
      throw new InvalidTextError(table.columns[index]?.name ?? '');
    return value;
  }

  /** Lets the message go: the driver owns its bytes. */
  close(): void {
    this.#text = null;
  }
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
