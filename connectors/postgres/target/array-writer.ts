import type { Cell } from '../../../src/core/cell.ts';
import type { ElementForm } from './array-literal.ts';
import { TextBytes } from './message-writer.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A larger value is searched and copied by the runtime. */
const largeBytes = 256;

/** What an element is in most arrays, with what stands around it. */
const usualBytes = 12;

/** One column of many rows as an array literal, written as bytes: values that came as bytes are never made texts. */
export class ArrayWriter {
  readonly #isQuoted: boolean;
  #bytes: Buffer;
  #length = 0;
  /** An element may be of no bytes. */
  #isFirst = true;

  /** For so many values, about. */
  constructor(form: ElementForm, count: number) {
    this.#isQuoted = form === 'quoted';
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(64, count * usualBytes));
    this.#bytes[this.#length++] = openBrace;
  }

  nil(): void {
    this.#room(5);
    this.#separate();
    this.#length += this.#bytes.write('NULL', this.#length, 'latin1');
  }

  /** A text in UTF-8. */
  packed(from: Buffer, start: number, end: number): void {
    // Every byte behind a backslash, the quotes and the comma.
    this.#room(2 * (end - start) + 3);
    this.#separate();
    const to = this.#bytes;
    let length = this.#length;
    if (!this.#isQuoted) {
      for (let at = start; at < end; at++) to[length++] = from[at] as number;
    } else {
      to[length++] = quote;
      if (end - start > largeBytes && isPlain(from.subarray(start, end))) length += from.copy(to, length, start, end);
      else {
        for (let at = start; at < end; at++) {
          const byte = from[at] as number;
          if (byte === quote || byte === backslash) to[length++] = backslash;
          to[length++] = byte;
        }
      }
      to[length++] = quote;
    }
    this.#length = length;
  }

  cell(cell: Cell | undefined): void {
    if (cell === null) this.nil();
    else if (typeof cell === 'string') this.#text(this.#isQuoted ? quoted(cell) : cell);
    else if (Buffer.isBuffer(cell)) this.#text(`"\\\\x${cell.toString('hex')}"`);
    else throw new TypeError('a cell without a value reached an array literal');
  }

  end(): TextBytes {
    this.#room(1);
    this.#bytes[this.#length++] = closeBrace;
    return new TextBytes(this.#bytes.subarray(0, this.#length));
  }

  #text(text: string): void {
    // A character of UTF-16 is three bytes of UTF-8 at most.
    this.#room(3 * text.length + 1);
    this.#separate();
    this.#length += this.#bytes.write(text, this.#length);
  }

  #separate(): void {
    if (!this.#isFirst) this.#bytes[this.#length++] = comma;
    this.#isFirst = false;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + bytes, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const special = /["\\]/;

function quoted(cell: string): string {
  return special.test(cell) ? `"${cell.replaceAll(/["\\]/g, '\\$&')}"` : `"${cell}"`;
}

function isPlain(value: Buffer): boolean {
  return !value.includes(quote) && !value.includes(backslash);
}
