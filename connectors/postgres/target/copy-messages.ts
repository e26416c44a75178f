import type { InsertChange } from '../../../src/core/change.ts';
import type { PackedInserts } from '../../../src/core/packed-inserts.ts';
import { type PackedRow, packedAfter, packedNull, readUInt16, readUInt32 } from '../../../src/core/packed-row.ts';
import { copyEscaped } from '../../../src/core/row-text.ts';
import type { CopyData } from './copy-data.ts';
import { copyText } from './copy-text.ts';

/** The server reads one message while the next is on its way. */
const messageBytes = 65_536;

/** Type and length of a message. */
const headerBytes = 5;

/** Of rows that nobody has looked into, those of so many bytes are large, and of so many more for each column: a parameter costs the server as much as these by COPY. */
const largeRowBytes = 16_384;
const largeColumnBytes = 512;

function isLarge(bytes: Buffer, at: number, end: number): boolean {
  return end - at >= largeRowBytes && end - at >= largeRowBytes + largeColumnBytes * readUInt16(bytes, at);
}

/**
 * New rows in COPY's text format, as messages of the protocol. Rows that nobody has looked into are copied byte by byte; the large ones among them are given to
 * `onLarge` instead, where there is one.
 */
export function copyMessages(
  inserts: readonly InsertChange[],
  packed: readonly PackedInserts[] = [],
  onLarge: ((row: PackedRow) => void) | null = null,
): CopyData[] {
  const messages = new CopyMessages();
  for (let i = 0; i < inserts.length; i++) {
    const insert = inserts[i] as InsertChange;
    const row = packedAfter(insert);
    if (row === null) messages.text(copyText([insert.after]));
    else if (onLarge !== null && isLarge(row.bytes, row.at, row.end)) onLarge(row);
    else messages.packed(row.bytes, row.at, row.end);
  }
  for (const { pieces } of packed)
    for (const { bytes, places, isAscii } of pieces)
      for (let i = 0; i < places.length; i += 2) {
        const [at, end] = [places[i] as number, places[i + 1] as number];
        if (onLarge !== null && isLarge(bytes, at, end)) onLarge({ bytes, at, end, isAscii });
        else messages.packed(bytes, at, end);
      }
  return messages.end();
}

class CopyMessages {
  readonly #messages: CopyData[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the message begins that is being written: its header is filled in at its end. */
  #start = 0;
  #length = 0;

  text(text: string): void {
    // A character of UTF-16 is three bytes of UTF-8 at most.
    this.#room(3 * text.length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** A row as PackedRow has it. */
  packed(bytes: Buffer, at: number, end: number): void {
    const count = readUInt16(bytes, at);
    // Every byte behind a backslash, a NULL of one byte as two, and what stands between.
    const most = 2 * (end - at) + 2 * count + 1;
    if (most > messageBytes) {
      this.#large(bytes, at);
      return;
    }
    this.#room(most);
    const to = this.#bytes;
    let length = this.#length;
    let offset = at + 2;
    for (let i = 0; i < count; i++) {
      if (i > 0) to[length++] = tab;
      if (bytes[offset++] === packedNull) {
        to[length++] = backslash;
        to[length++] = letterN;
        continue;
      }
      const from = offset + 4;
      offset = from + readUInt32(bytes, offset);
      if (offset - from > largeBytes && isPlain(bytes.subarray(from, offset)))
        length += bytes.copy(to, length, from, offset);
      else length = copyEscaped(bytes, from, offset, to, length);
    }
    to[length++] = lineFeed;
    this.#length = length;
  }

  /** Room is made for each value by itself, and not at all for a large one with nothing to be escaped: it is sent from where it lies. */
  #large(bytes: Buffer, at: number): void {
    const count = readUInt16(bytes, at);
    let offset = at + 2;
    for (let i = 0; i < count; i++) {
      this.#room(3);
      if (i > 0) this.#bytes[this.#length++] = tab;
      if (bytes[offset++] === packedNull) {
        this.#bytes[this.#length++] = backslash;
        this.#bytes[this.#length++] = letterN;
        continue;
      }
      const from = offset + 4;
      offset = from + readUInt32(bytes, offset);
      const value = bytes.subarray(from, offset);
      const plain = value.length > largeBytes && isPlain(value);
      if (plain && value.length >= sentAsTheyLie) this.#borrow(value);
      else if (plain) {
        this.#room(value.length);
        this.#length += value.copy(this.#bytes, this.#length);
      } else {
        this.#room(2 * value.length);
        this.#length = copyEscaped(bytes, from, offset, this.#bytes, this.#length);
      }
    }
    this.#room(1);
    this.#bytes[this.#length++] = lineFeed;
  }

  /** Bytes that nobody writes to any more, as a message of their own: the server puts the messages of a COPY together, wherever they are cut. */
  #borrow(value: Buffer): void {
    this.#give();
    this.#room(0);
    const header = this.#bytes.subarray(this.#start, this.#length);
    writeHeader(header, headerBytes + value.length);
    this.#start = this.#length;
    this.#messages.push(header as CopyData, value as CopyData);
  }

  end(): CopyData[] {
    this.#give();
    return this.#messages;
  }

  /** For so many bytes more in the message. */
  #room(bytes: number): void {
    const begun = this.#length > this.#start;
    if (this.#length + (begun ? bytes : headerBytes + bytes) > this.#bytes.length) {
      this.#give();
      this.#bytes = Buffer.allocUnsafeSlow(headerBytes + Math.max(bytes, messageBytes));
      this.#start = 0;
      this.#length = headerBytes;
    } else if (!begun) this.#length = this.#start + headerBytes;
  }

  #give(): void {
    const isEmpty = this.#length <= this.#start + headerBytes;
    if (!isEmpty) {
      const message = this.#bytes.subarray(this.#start, this.#length);
      writeHeader(message, message.length);
      this.#messages.push(message as CopyData);
      this.#start = this.#length;
    }
    this.#length = this.#start;
  }
}

/** `bytes`: of the whole message. */
function writeHeader(message: Buffer, bytes: number): void {
  message[0] = 'd'.charCodeAt(0);
  message.writeInt32BE(bytes - 1, 1);
}

const tab = 0x09;
const lineFeed = 0x0a;
const letterN = 0x4e;
const backslash = 0x5c;

/** A larger value is searched and copied by the runtime. */
const largeBytes = 512;

/** Smaller ones are copied: a piece of its own of what the socket is given costs some microseconds. */
const sentAsTheyLie = 16_384;

const escapedBytes = [backslash, lineFeed, tab, 0x0d, 0x08, 0x0b, 0x0c];

function isPlain(value: Buffer): boolean {
  return !escapedBytes.some((byte) => value.includes(byte));
}
