import { type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import { RowTextReader } from '../core/row-text.ts';
import type { ReadRows } from '../core/source-reader.ts';
import { type ChangedRows, keyText } from './watermark-windows.ts';

/** What of a chunk is true at its high watermark. */
export interface MergedChunk {
  /** Rows that nobody has touched, as they were read. */
  readonly untouched: { readonly text: readonly Buffer[]; readonly count: number };
  /**
   * Rows that have changed in the window, as they are at its end, in the order of the columns that were read. The target has
   * them, and of these values, but where the change was an update of a row that was not loaded yet, which found nothing.
   */
  readonly touched: readonly Row[];
}

/**
 * Brings rows that were read between two watermarks to the second one. A key that changed in between is dropped from what was
 * read, and comes as its last change has left it; cells that no change has carried are those that were read: nothing has
 * changed them in the window.
 *
 * `key`: indexes of the key in a row. A row that moved to its key with cells that are not in the log is left out: it has to be read again.
 */
export function mergeChunk(read: ReadRows, columns: number, key: readonly number[], changed: ChangedRows): MergedChunk {
  if (!changed.truncated && changed.rows.size === 0)
    return { untouched: { text: read.text, count: read.rows }, touched: [] };
  const text: Buffer[] = [];
  let count = 0;
  const touched: Row[] = [];
  const met = new Set<string>();
  const reader = new RowTextReader(columns);
  for (const block of changed.truncated ? [] : read.text) {
    // Neighbours that stay are kept as one piece.
    let from = 0;
    let at = 0;
    for (const row of reader.read(block)) {
      const end = block.indexOf(lineFeed, at) + 1;
      const rowKey = keyText(key.map((index) => row[index] as Cell));
      const change = changed.rows.get(rowKey);
      if (change === undefined) count++;
      else {
        if (at > from) text.push(block.subarray(from, at));
        from = end;
        met.add(rowKey);
        const now = change.row;
        if (now !== null && !(change.moved && now.includes(UNCHANGED)))
          touched.push(now.map((cell, index) => (cell === UNCHANGED ? (row[index] as Cell) : cell)));
      }
      at = end;
    }
    if (at > from) text.push(block.subarray(from, at));
  }
  // What is not in the chunk is of another range, or came in the window: then its insert has carried all of it.
  for (const [rowKey, { row }] of changed.rows)
    if (row !== null && !met.has(rowKey) && !row.includes(UNCHANGED)) touched.push([...row]);
  return { untouched: { text, count }, touched };
}

const lineFeed = 0x0a;
