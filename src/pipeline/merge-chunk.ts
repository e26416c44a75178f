import { type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import { RowTextReader } from '../core/row-text.ts';
import type { ReadRows } from '../core/source-reader.ts';
import { type ChangedRows, keyText } from './watermark-windows.ts';

/** What of a chunk is true at its high watermark. Rows are in the order of the columns that were read. */
export interface MergedChunk {
  /** Rows that nobody has touched: as text where that is all of them. */
  readonly untouched: { readonly text: readonly Buffer[]; readonly rows: number } | readonly Row[];
  /**
   * Rows that have changed in the window, as they are at its end. The target has them, and of these values, but where the change was
   * an update of a row that was not loaded yet, which found nothing.
   */
  readonly touched: readonly Row[];
}

/**
 * Brings rows that were read between two watermarks to the second one. A key that changed in between is dropped from what was
 * read, and comes as its last change has left it; cells that no change has carried are those that were read: nothing has
 * changed them in the window.
 *
 * `key`: indexes of the key in a row. What the key of a row that moved with cells that are not in the log is now has to be read again.
 */
export function mergeChunk(read: ReadRows, columns: number, key: readonly number[], changed: ChangedRows): MergedChunk {
  if (!changed.truncated && changed.rows.size === 0)
    return { untouched: { text: read.text, rows: read.rows }, touched: [] };
  const untouched: Row[] = [];
  const touched: Row[] = [];
  const met = new Set<string>();
  const reader = new RowTextReader(columns);
  for (const block of changed.truncated ? [] : read.text) {
    for (const row of reader.read(block)) {
      const text = keyText(key.map((at) => row[at] as Cell));
      const change = changed.rows.get(text);
      if (change === undefined) {
        untouched.push(row);
        continue;
      }
      met.add(text);
      const now = change.row;
      if (now === null || (change.moved && now.includes(UNCHANGED))) continue;
      touched.push(now.map((cell, at) => (cell === UNCHANGED ? (row[at] as Cell) : cell)));
    }
  }
  // What is not in the chunk is of another range, or came in the window: then its insert has carried all of it.
  for (const [text, { row }] of changed.rows)
    if (row !== null && !met.has(text) && !row.includes(UNCHANGED)) touched.push([...row]);
  return { untouched, touched };
}
