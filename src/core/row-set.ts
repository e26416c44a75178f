import type { Row } from './cell.ts';
import type { RowSet } from './load.ts';
import { RowTextReader } from './row-text.ts';

/** Rows that are made when they are asked for, some at a time, so that what they are made of is all that waits. */
export interface RowPieces {
  readonly count: number;
  /** From the first one on, at each call: nobody else has these rows. Throws what keeps one from being made. */
  pieces(): Iterable<readonly Row[]>;
}

type Rows = Pick<RowSet, 'table' | 'rows'>;

export function countOf({ rows }: Pick<RowSet, 'rows'>): number {
  return isMade(rows) ? rows.length : rows.count;
}

export function rowsOf(set: Rows): readonly Row[] {
  return isMade(set.rows) ? set.rows : [...piecesOf(set)].flat();
}

/** So many of rows that are there are given at once. */
const pieceRows = 1_000;

/** All rows in their order. Of text, rows that are nobody else's. */
export function* piecesOf({ table, rows }: Rows): Generator<readonly Row[], void, undefined> {
  if (isMade(rows)) for (let at = 0; at < rows.length; at += pieceRows) yield rows.slice(at, at + pieceRows);
  else if ('pieces' in rows) yield* rows.pieces();
  else {
    const reader = new RowTextReader(table.columns.length);
    for (const text of rows.text) yield reader.read(text);
  }
}

function isMade(rows: RowSet['rows']): rows is readonly Row[] {
  return Array.isArray(rows);
}
