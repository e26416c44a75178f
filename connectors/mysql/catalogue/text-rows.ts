import '../source/binlog/buffer-slices.ts';
import { isUtf8 } from 'node:buffer';
import { copyEscaped, maxEscapedBytes, rowEnd, valueEnd, writeNull } from '../../../src/core/row-text.ts';
import type { RowSink } from './arriving-rows.ts';
import type { UnreadValue } from './cell-rows.ts';
import type { SelectedValue } from './select-values.ts';
import { isNull, ValueReader } from './value-reader.ts';

/** Large enough that what is done for each piece costs nothing beside its rows, and small enough that what they become is gone before it is moved. */
const pieceBytes = 262_144;
const firstBytes = 8_192;

/** What a value that is read anew has at most: a double of 309 digits with its sign. */
const readBytes = 320;

/** Rows in the text format of COPY. Of columns whose values are text. */
export class TextRows implements RowSink<readonly Buffer[]> {
  readonly #selected: readonly SelectedValue[];
  readonly #room: number;
  #areBytes: readonly boolean[] = [];
  #pieces: Buffer[] = [];
  #buffer = Buffer.allocUnsafeSlow(firstBytes);
  #from = 0;
  #at = 0;
  /** The first. */
  unread: UnreadValue | null = null;
  /** The column with a value that is no UTF-8. */
  noText: number | null = null;

  constructor(selected: readonly SelectedValue[]) {
    this.#selected = selected;
    const areRead = selected.filter(({ read }) => read !== null).length;
    this.#room = selected.length * maxEscapedBytes + areRead * readBytes;
  }

  begin(areBytes: readonly boolean[]): void {
    this.#areBytes = areBytes;
  }

  add(bytes: Buffer, start: number, end: number): number {
    // Whole rows lie in one piece.
    this.#demand(this.#room + maxEscapedBytes * (end - start));
    const count = this.#selected.length;
    const to = this.#buffer;
    const reader = new ValueReader(bytes, start);
    let at = this.#at;
    let sum = 0;
    for (let index = 0; index < count; index++) {
      if (index > 0) to[at++] = valueEnd;
      const length = reader.next();
      if (length === isNull) {
        at = writeNull(to, at);
        continue;
      }
      sum += length;
      const from = reader.end - length;
      const { read, empty } = this.#selected[index] as SelectedValue;
      if (length === 0 && empty !== undefined) this.unread ??= { column: index, why: empty };
      if (read === null && (this.#areBytes[index] !== true || isAscii(bytes, from, reader.end)))
        at = copyEscaped(bytes, from, reader.end, to, at);
      else at = this.#written(index, bytes.subarray(from, reader.end), at);
    }
    to[at++] = rowEnd;
    this.#at = at;
    return sum;
  }

  /** As CellRows reads it. */
  #written(index: number, value: Buffer, at: number): number {
    const { read } = this.#selected[index] as SelectedValue;
    const text = this.#areBytes[index] === true ? value.latin1Slice() : value.utf8Slice();
    const made = Buffer.from(String(read === null ? text : read(text)));
    return copyEscaped(made, 0, made.length, this.#buffer, at);
  }

  #demand(bytes: number): void {
    if (this.#buffer.length - this.#at >= bytes) return;
    this.#cut();
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(pieceBytes, bytes));
    this.#from = 0;
    this.#at = 0;
  }

  #cut(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#buffer.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  take(): readonly Buffer[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) if (this.noText === null && !isUtf8(piece)) this.noText = columnOfNoText(piece);
    return pieces;
  }
}

/** What ends values and rows is never part of a character. */
function columnOfNoText(piece: Buffer): number {
  let column = 0;
  for (let from = 0, at = 0; at < piece.length; at++) {
    const byte = piece[at];
    if (byte !== valueEnd && byte !== rowEnd) continue;
    if (!isUtf8(piece.subarray(from, at))) return column;
    column = byte === valueEnd ? column + 1 : 0;
    from = at + 1;
  }
  return column;
}

function isAscii(bytes: Buffer, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}
