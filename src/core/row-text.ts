import { isUtf8 } from 'node:buffer';
import type { Cell, Row } from './cell.ts';

const newline = 0x0a;

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Bytes that are no UTF-8, or a line with the wrong number of values. */
export class RowTextError extends Error {}

/** A row whose values have more bytes than are allowed. */
export class LongRowError extends Error {
  readonly bytes: number;
  constructor(bytes: number) {
    super(`a row of ${bytes} bytes`);
    this.bytes = bytes;
  }
}

/**
 * Reads the text format of COPY TO: a line a row, values between tabs, \N for null, a backslash before what would be
 * mistaken. Chunks end anywhere; a line feed inside a value is escaped, so that every raw one ends a row.
 */
export class RowTextReader {
  readonly #columns: number;
  readonly #maxRowBytes: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(columns: number, maxRowBytes = Number.POSITIVE_INFINITY) {
    this.#columns = columns;
    this.#maxRowBytes = maxRowBytes;
  }

  /** All rows that the chunk completes. */
  read(chunk: Buffer): Row[] {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) {
      this.#keep(chunk);
      return [];
    }
    const head = chunk.subarray(0, end);
    const block = this.#rest.length === 0 ? head : Buffer.concat([...this.#rest, head]);
    this.#rest = [];
    this.#restBytes = 0;
    if (end < chunk.length) this.#keep(chunk.subarray(end));
    if (!isUtf8(block)) throw new RowTextError('a value that is not valid UTF-8');
    const lines = block.toString('utf8').split('\n');
    lines.pop();
    const rows = lines.map((line) => this.#row(line));
    // Only then one of them may be too long.
    if (block.length > this.#maxRowBytes) for (const row of rows) this.#measure(row);
    return rows;
  }

  #measure(row: Row): void {
    let bytes = 0;
    for (const cell of row) if (typeof cell === 'string') bytes += Buffer.byteLength(cell);
    if (bytes > this.#maxRowBytes) throw new LongRowError(bytes);
  }

  #keep(chunk: Buffer): void {
    this.#rest.push(Buffer.from(chunk));
    this.#restBytes += chunk.length;
    // With every byte escaped a row has twice its bytes, and something between its values.
    const bytes = Math.ceil((this.#restBytes - 3 * this.#columns) / 2);
    if (bytes > this.#maxRowBytes) throw new LongRowError(bytes);
  }

  #row(line: string): Row {
    if (this.#columns === 0) return [];
    const row: Row = line.split('\t');
    if (row.length !== this.#columns) throw new RowTextError(`${row.length} values for ${this.#columns} columns`);
    if (line.includes('\\')) for (let i = 0; i < row.length; i++) row[i] = unescapeValue(row[i] as string);
    return row;
  }
}

function unescapeValue(text: string): Cell {
  if (text === '\\N') return null;
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}

/** Takes COPY's text as it comes and cuts it behind whole rows, without looking into them. */
export class RowTextCutter {
  readonly #columns: number;
  readonly #maxRowBytes: number;
  #text: Buffer[] = [];
  #rest: Buffer[] = [];
  #restBytes = 0;
  #rows = 0;
  /** Of whole rows. */
  bytes = 0;

  constructor(columns: number, maxRowBytes = Number.POSITIVE_INFINITY) {
    this.#columns = columns;
    this.#maxRowBytes = maxRowBytes;
  }

  take(chunk: Buffer): void {
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) {
      const head = chunk.subarray(0, end);
      // A value may go on over two chunks.
      const block = this.#rest.length === 0 ? head : Buffer.concat([...this.#rest, head]);
      if (!isUtf8(block)) throw new RowTextError('a value that is not valid UTF-8');
      for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) this.#rows++;
      this.#text.push(block);
      this.bytes += block.length;
      if (block.length > this.#maxRowBytes) new RowTextReader(this.#columns, this.#maxRowBytes).read(block);
      this.#rest = [];
      this.#restBytes = 0;
    }
    if (end === chunk.length) return;
    this.#rest.push(chunk.subarray(end));
    this.#restBytes += chunk.length - end;
    const bytes = Math.ceil((this.#restBytes - 3 * this.#columns) / 2);
    if (bytes > this.#maxRowBytes) throw new LongRowError(bytes);
  }

  /** The whole rows; where it was cut, what has begun behind them is dropped. */
  end(isCut: boolean) {
    if (!isCut && this.#restBytes > 0) throw new RowTextError('a row without an end');
    const { bytes } = this;
    const last = this.#text.at(-1);
    const lastRow = last === undefined ? null : (lastRowOf(last, this.#columns) ?? null);
    return { text: this.#text, rows: this.#rows, bytes, lastRow };
  }
}

/** Of a byte of a value, and of a value's own: the tab behind it, or what stands for NULL beside that. */
export const maxEscapedBytes = 2;

export const valueEnd = 0x09;
export const rowEnd = newline;
const backslash = 0x5c;
const letterN = 0x4e;

/** By character: the letter that stands for it behind a backslash, 0 where it stands for itself. */
const escapeLetters = new Uint8Array(256);
for (const pair of ['\bb', '\tt', '\nn', '\vv', '\ff', '\rr', '\\\\'])
  escapeLetters[pair.charCodeAt(0)] = pair.charCodeAt(1);

/** Writes a value, which needs `maxEscapedBytes` for each of its bytes at most. Returns where it ends. */
export function copyEscaped(bytes: Uint8Array, from: number, end: number, to: Uint8Array, at: number): number {
  let length = at;
  for (let offset = from; offset < end; offset++) {
    const byte = bytes[offset] as number;
    // All others are above, but for the backslash.
    if (byte < 0x0e || byte === backslash) {
      const letter = escapeLetters[byte] as number;
      if (letter !== 0) {
        to[length++] = backslash;
        to[length++] = letter;
        continue;
      }
    }
    to[length++] = byte;
  }
  return length;
}

/** Writes NULL. Returns where it ends. */
export function writeNull(to: Uint8Array, at: number): number {
  to[at] = backslash;
  to[at + 1] = letterN;
  return at + 2;
}

/** The last row of a text that has any. */
export function lastRowOf(block: Buffer, columns: number): Row | undefined {
  // A block of one byte is one row of one empty text; from -1 on would be from its end on.
  const from = block.length < 2 ? 0 : block.lastIndexOf(newline, block.length - 2) + 1;
  return new RowTextReader(columns).read(block.subarray(from))[0];
}
