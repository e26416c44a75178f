import { isUtf8 } from 'node:buffer';
import type { Cell, Row } from '../../../src/core/cell.ts';

const newline = 0x0a;

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Bytes that are no UTF-8, or a line with the wrong number of values. */
export class CopyTextError extends Error {}

/**
 * Reads the text format of COPY TO: a line a row, values between tabs, \N for null, a backslash before what would be
 * mistaken. Chunks end anywhere; a line feed inside a value is escaped, so that every raw one ends a row.
 */
export class CopyTextReader {
  readonly #columns: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Bytes of a row that has begun. */
  get pendingBytes(): number {
    return this.#restBytes;
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
    if (!isUtf8(block)) throw new CopyTextError('a value that is not valid UTF-8');
    const lines = block.toString('utf8').split('\n');
    lines.pop();
    return lines.map((line) => this.#row(line));
  }

  #keep(chunk: Buffer): void {
    this.#rest.push(Buffer.from(chunk));
    this.#restBytes += chunk.length;
  }

  #row(line: string): Row {
    if (this.#columns === 0) return [];
    const row: Row = line.split('\t');
    if (row.length !== this.#columns) throw new CopyTextError(`${row.length} values for ${this.#columns} columns`);
    if (line.includes('\\')) for (let i = 0; i < row.length; i++) row[i] = unescapeValue(row[i] as string);
    return row;
  }
}

function unescapeValue(text: string): Cell {
  if (text === '\\N') return null;
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter);
}
