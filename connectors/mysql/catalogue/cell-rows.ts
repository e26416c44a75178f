import '../source/binlog/buffer-slices.ts';
import { isUtf8 } from 'node:buffer';
import type { Cell, Row } from '../../../src/core/cell.ts';
import type { RowSink } from './arriving-rows.ts';
import type { EmptyText, SelectedValue } from './select-values.ts';
import { isNull, ValueReader } from './value-reader.ts';

/** A value that came as an empty text, which it is not. */
export interface UnreadValue {
  readonly column: number;
  readonly why: EmptyText;
}

/** Rows of cells, as the binlog tells them. */
export class CellRows implements RowSink<readonly Row[]> {
  readonly #selected: readonly SelectedValue[];
  #areBytes: readonly boolean[] = [];
  #rows: Row[] = [];
  readonly #isExact: boolean;
  /** The first. */
  unread: UnreadValue | null = null;
  /** The column with a value that is no UTF-8. */
  noText: number | null = null;

  /** `isExact`: what is read is to be written; else only documents have to be what they are, and other values come as what they look like. */
  constructor(selected: readonly SelectedValue[], isExact: boolean) {
    this.#selected = selected;
    this.#isExact = isExact;
  }

  begin(areBytes: readonly boolean[]): void {
    this.#areBytes = areBytes;
  }

  add(bytes: Buffer, start: number): number {
    const count = this.#selected.length;
    const row = new Array<Cell>(count);
    const reader = new ValueReader(bytes, start);
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const length = reader.next();
      if (length === isNull) {
        row[at] = null;
        continue;
      }
      sum += length;
      row[at] = this.#cell(at, bytes, reader.end - length, reader.end);
    }
    this.#rows.push(row);
    return sum;
  }

  #cell(at: number, bytes: Buffer, from: number, end: number): Cell {
    const { isBinary, empty, read } = this.#selected[at] as SelectedValue;
    if (isBinary) return bytes.subarray(from, end);
    if (empty !== undefined && from === end && (this.#isExact || empty === 'document'))
      this.unread ??= { column: at, why: empty };
    const text = this.#areBytes[at] === true ? bytes.latin1Slice(from, end) : this.#text(at, bytes, from, end);
    return read === null ? text : read(text);
  }

  #text(at: number, bytes: Buffer, from: number, end: number): string {
    const text = bytes.utf8Slice(from, end);
    // What Node puts in for bytes that are no text may also have been there.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, end))) this.noText ??= at;
    return text;
  }

  take(): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}
