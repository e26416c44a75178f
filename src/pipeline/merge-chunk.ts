import { type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import type { RowSet } from '../core/load.ts';
import { RowTextReader } from '../core/row-text.ts';
import type { ReadRows } from '../core/source-reader.ts';
import { type ChangedRow, type ChangedRows, keyText } from './watermark-windows.ts';

/** What of a chunk is true at its high watermark. */
export interface MergedChunk {
  /** Rows that nobody has touched, as they were read. */
  readonly untouched: RowSet['rows'];
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
    return { untouched: read.cells ?? { text: read.text, count: read.rows }, touched: [] };
  if (read.cells !== undefined) return mergeCells(read.cells, key, changed);
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
        const now = asItIs(change, row);
        if (now !== null) touched.push(now);
      }
      at = end;
    }
    if (at > from) text.push(block.subarray(from, at));
  }
  return { untouched: { text, count }, touched: [...touched, ...unread(changed, met)] };
}

/** As above, of rows that are not text. */
function mergeCells(cells: readonly Row[], key: readonly number[], changed: ChangedRows): MergedChunk {
  const untouched: Row[] = [];
  const touched: Row[] = [];
  const met = new Set<string>();
  for (const row of changed.truncated ? [] : cells) {
    const rowKey = keyText(key.map((index) => row[index] as Cell));
    const became = changed.rows.get(rowKey);
    if (became === undefined) {
      untouched.push(row);
      continue;
    }
    met.add(rowKey);
    const now = asItIs(became, row);
    if (now !== null) touched.push(now);
  }
  return { untouched, touched: [...touched, ...unread(changed, met)] };
}

/** A row that was read and has changed since; null where it is gone, or has to be read again. */
function asItIs({ row: now, moved }: ChangedRow, read: Row): Row | null {
  if (now === null || (moved && now.includes(UNCHANGED))) return null;
  return now.map((cell, index) => (cell === UNCHANGED ? (read[index] as Cell) : cell));
}

/** What is not in the chunk is of another range, or came in the window: then its insert has carried all of it. */
function* unread(changed: ChangedRows, met: ReadonlySet<string>): Generator<Row> {
  for (const [rowKey, { row }] of changed.rows)
    if (row !== null && !met.has(rowKey) && !row.includes(UNCHANGED)) yield [...row];
}

const lineFeed = 0x0a;
