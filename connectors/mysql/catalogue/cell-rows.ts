import '../source/binlog/buffer-slices.ts';
import type { Cell, Row } from '../../../src/core/cell.ts';
import type { RowSink } from './arriving-rows.ts';
import type { SelectedValue } from './select-values.ts';
import { isNull, ValueReader } from './value-reader.ts';

/** Rows of cells, as the binlog tells them. */
export class CellRows implements RowSink<readonly Row[]> {
  readonly #selected: readonly SelectedValue[];
  #areBytes: readonly boolean[] = [];
  #rows: Row[] = [];
  /** The column whose document has come as an empty text, which none is. */
  unread: number | null = null;

  constructor(selected: readonly SelectedValue[]) {
    this.#selected = selected;
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
    const { isBinary, isDocument, read } = this.#selected[at] as SelectedValue;
    if (isBinary) return bytes.subarray(from, end);
    if (isDocument === true && from === end) this.unread ??= at;
    const text = this.#areBytes[at] === true ? bytes.latin1Slice(from, end) : bytes.utf8Slice(from, end);
    return read === null ? text : read(text);
  }

  take(): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}
