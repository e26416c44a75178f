import type { Row } from '../../../src/core/cell.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type Column, type TableName, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { arrivingRows, type RowSink } from './arriving-rows.ts';
import { CellRows } from './cell-rows.ts';
import { type SelectedValue, selectValue } from './select-values.ts';
import { TextRows } from './text-rows.ts';

/** Of columns whose values may have megabytes each: with them no row waits beside the one that is taken. */
const unbounded = /^(?:medium|long)(?:text|blob)|^(?:json|geometry|vector)/;

function isUnbounded({ type }: Pick<Column, 'type'>): boolean {
  return unbounded.test(type);
}

export interface RowsWanted {
  readonly table: TableName;
  readonly columns: readonly Pick<Column, 'name' | 'type'>[];
  /** SQL of texts that come behind the cells. */
  readonly behind?: readonly string[];
  /** What stands behind the table: WHERE, ORDER BY, LIMIT. */
  readonly clauses?: string;
  readonly values?: readonly (string | number | Buffer)[];
}

export interface RowBatch {
  readonly rows: readonly Row[];
  readonly bytes: number;
}

/**
 * Rows with their values as the binlog tells them, in batches of about 1 MB, no faster than they are taken. Whoever leaves early leaves a
 * session that is of no more use.
 */
export async function* readRows(
  session: MysqlSession,
  wanted: RowsWanted,
  maxRowBytes: number,
): AsyncGenerator<RowBatch, void, undefined> {
  const selected = selectedOf(wanted);
  const sink = new CellRows(selected);
  for await (const { taken, bytes } of reading(session, { wanted, selected, sink, maxRowBytes })) {
    const { unread } = sink;
    if (unread !== null)
      throw fail(sourceErrors.documentUnread, {
        ...{ node: session.node.name, table: tableLabel(wanted.table) },
        column: wanted.columns[unread]?.name ?? '',
      });
    yield { rows: taken, bytes };
  }
}

/** Rows in the text format of COPY (core/row-text.ts), whole ones in each piece. */
export interface TextBatch {
  readonly text: readonly Buffer[];
  readonly rows: number;
  readonly bytes: number;
}

/** Values of all these columns are text, none of them so long that it matters that it is there once more while it is written. */
export function haveText(columns: RowsWanted['columns']): boolean {
  return (
    columns.length > 0 && columns.every((column) => !isUnbounded(column) && !selectValue('', column.type).isBinary)
  );
}

/** As readRows, of columns that `haveText`: no row is an object of its own, so that many may wait without being looked at again and again by the garbage collector. */
export async function* readRowText(
  session: MysqlSession,
  wanted: Omit<RowsWanted, 'behind'>,
  maxRowBytes: number,
): AsyncGenerator<TextBatch, void, undefined> {
  const selected = selectedOf(wanted);
  const sink = new TextRows(selected);
  for await (const { taken, rows, bytes } of reading(session, { wanted, selected, sink, maxRowBytes }))
    yield { text: taken, rows, bytes };
}

function selectedOf({ columns, behind = [] }: RowsWanted): readonly SelectedValue[] {
  return [
    ...columns.map(({ name, type }) => selectValue(name, type)),
    ...behind.map((sql): SelectedValue => ({ sql, isBinary: false, read: null })),
  ];
}

interface Reading<T> {
  readonly wanted: RowsWanted;
  readonly selected: readonly SelectedValue[];
  readonly sink: RowSink<T>;
  readonly maxRowBytes: number;
}

function reading<T>(session: MysqlSession, { wanted, selected, sink, maxRowBytes }: Reading<T>) {
  const { table, columns, clauses = '', values = [] } = wanted;
  // By their numbers: names of columns are whatever people have called them.
  const list = selected.map(({ sql }, at) => `${sql} AS \`${at}\``).join(', ') || '1';
  const sql = `SELECT ${list} FROM ${quoteTable(table)}${clauses}`;
  return arrivingRows(session, { sql, values, sink, maxRowBytes, isUnbounded: columns.some(isUnbounded) });
}
