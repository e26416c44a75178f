import type { Row } from '../../../src/core/cell.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type Column, type TableName, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { arrivingRows, type RowSink } from './arriving-rows.ts';
import { CellRows, type UnreadValue } from './cell-rows.ts';
import { emptyMemberAlone } from './members.ts';
import { type SelectedValue, selectValue } from './select-values.ts';
import { TextRows } from './text-rows.ts';
import { UnreadTextError } from './unread-text-error.ts';

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
  /** What is read is to be written as it is: a value that its text does not tell ends the reading (TL-3209). */
  readonly exact?: boolean;
}

export interface RowBatch {
  readonly rows: readonly Row[];
  readonly bytes: number;
}

/**
 * Rows with their values as the binlog tells them, in batches of about 1 MB, no faster than they are taken. Whoever leaves early leaves a
 * session that is of no more use. Throws UnreadTextError.
 */
export async function* readRows(
  session: MysqlSession,
  wanted: RowsWanted,
  maxRowBytes: number,
): AsyncGenerator<RowBatch, void, undefined> {
  const selected = selectedOf(wanted);
  const sink = new CellRows(selected, wanted.exact === true);
  for await (const { taken, bytes } of reading(session, { wanted, selected, sink, maxRowBytes })) {
    demandRead(session, wanted, sink.unread);
    demandText(wanted, sink);
    yield { rows: taken, bytes };
  }
}

function demandRead({ node }: MysqlSession, { table, columns }: RowsWanted, unread: UnreadValue | null): void {
  if (unread === null) return;
  const place = { node: node.name, table: tableLabel(table), column: columns[unread.column]?.name ?? '' };
  if (unread.why === 'document') throw fail(sourceErrors.documentUnread, place);
  throw fail(sourceErrors.valueUnread, { ...place, why: whyUnread[unread.why] });
}

const whyUnread = {
  enum: 'it is not among the members of its enum',
  set: emptyMemberAlone,
  text: 'it is no text of its charset',
};

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

/**
 * As readRows of `exact`, of columns that `haveText`: no row is an object of its own, so that many may wait without being looked at again and again by the garbage collector. Throws
 * UnreadTextError: nobody behind it looks at the bytes.
 */
export async function* readRowText(
  session: MysqlSession,
  wanted: Omit<RowsWanted, 'behind'>,
  maxRowBytes: number,
): AsyncGenerator<TextBatch, void, undefined> {
  const selected = selectedOf({ ...wanted, exact: true });
  const sink = new TextRows(selected);
  for await (const { taken, rows, bytes } of reading(session, { wanted, selected, sink, maxRowBytes })) {
    demandRead(session, wanted, sink.unread);
    demandText(wanted, sink);
    yield { text: taken, rows, bytes };
  }
}

/** A server sends a text as it was stored, and what it has taken for one, now or in an older version, need not be UTF-8: MariaDB takes half of a surrogate pair. */
function demandText({ table, columns }: RowsWanted, { noText }: { readonly noText: number | null }): void {
  if (noText !== null) throw new UnreadTextError(tableLabel(table), columns[noText]?.name ?? '');
}

function selectedOf({ columns, behind = [], exact = false }: RowsWanted): readonly SelectedValue[] {
  return [
    ...columns.map(({ name, type }) => selectValue(name, type, exact)),
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
