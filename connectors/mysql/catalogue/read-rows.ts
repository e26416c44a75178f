import type { Readable } from 'node:stream';
import type { Cell, Row } from '../../../src/core/cell.ts';
import { collectBehind } from '../../../src/core/collect-garbage.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type Column, type TableName, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { type SelectedValue, selectValue } from './select-values.ts';

const batchBytes = 1_000_000;

/** So many rows wait for whoever takes them; the driver counts nothing else. */
const rowsAhead = 200;

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

interface Field {
  readonly name: string;
  string(): string | null;
  buffer(): Buffer | null;
}

/** A row can't be taken: it is longer than a row may be. */
export class LongRowError extends Error {
  readonly bytes: number;

  constructor(bytes: number) {
    super('a row is too long');
    this.bytes = bytes;
  }
}

/** Ends a stream with what ends its connection, or with the connection where we end it ourselves. */
class ConnectionLoss implements Disposable {
  readonly #session: MysqlSession;
  #rows: Readable | null = null;
  #error: Error | null = null;
  readonly #onError = (error: Error): void => this.#lost(error);
  readonly #onClose = (): void => this.#lost(new Error('the connection was closed'));
  readonly #takeBack: () => void;

  constructor(session: MysqlSession) {
    this.#session = session;
    session.connection.on('error', this.#onError);
    session.socket.on('close', this.#onClose);
    this.#takeBack = session.onClose(this.#onClose);
    if (session.socket.destroyed) this.#onClose();
  }

  ends(rows: Readable): void {
    this.#rows = rows;
    if (this.#error !== null) rows.destroy(this.#error);
  }

  #lost(error: Error): void {
    this.#error ??= error;
    this.#rows?.destroy(this.#error);
  }

  [Symbol.dispose](): void {
    this.#session.connection.off('error', this.#onError);
    this.#session.socket.off('close', this.#onClose);
    this.#takeBack();
  }
}

/**
 * Rows with their values as the binlog tells them, in batches of about 1 MB, no faster than they are taken. Whoever leaves early leaves a
 * session that is of no more use.
 */
export async function* readRows(
  session: MysqlSession,
  { table, columns, behind = [], clauses = '', values = [] }: RowsWanted,
  maxRowBytes: number,
): AsyncGenerator<RowBatch, void, undefined> {
  const selected = [
    ...columns.map(({ name, type }) => selectValue(name, type)),
    ...behind.map((sql): SelectedValue => ({ sql, isBinary: false, read: null })),
  ];
  // By their numbers: names of columns are whatever people have called them.
  const list = selected.map(({ sql }, at) => `${sql} AS \`${at}\``).join(', ') || '1';
  let unread: string | null = null;
  const cellOf = (field: Field): Cell => {
    const of = selected[Number(field.name)];
    if (of === undefined) return null;
    if (of.isBinary) {
      return field.buffer();
    }
    const text = field.string();
    if (text === null) return null;
    // A document's text has a character at least. Not thrown here: the driver would not stand it.
    if (of.isDocument === true && text === '') unread = columns[Number(field.name)]?.name ?? '';
    return of.read === null ? text : of.read(text);
  };
  // What loses the connection the driver tells whoever has given it a callback, and a stream of rows would never end.
  using loss = new ConnectionLoss(session);
  const query = session.connection.query({
    sql: `SELECT ${list} FROM ${quoteTable(table)}${clauses}`,
    values: [...values],
    rowsAsArray: true,
    typeCast: (field: Field) => cellOf(field),
  });
  let rows: Row[] = [];
  let bytes = 0;
  const arriving = query.stream({ highWaterMark: columns.some(isUnbounded) ? 0 : rowsAhead }) as Readable;
  loss.ends(arriving);
  for await (const row of arriving) {
    if (unread !== null)
      throw fail(sourceErrors.documentUnread, {
        ...{ node: session.node.name, table: tableLabel(table), column: unread },
      });
    rows.push(selected.length === 0 ? [] : (row as Row));
    const rowBytes = (row as Row).reduce<number>(
      (sum, cell) => sum + (typeof cell === 'string' || Buffer.isBuffer(cell) ? cell.length : 0),
      0,
    );
    if (rowBytes > maxRowBytes) throw new LongRowError(rowBytes);
    collectBehind(rowBytes);
    bytes += rowBytes;
    if (bytes < batchBytes && rows.length < 5_000) continue;
    // Else the driver would put the next large row together beside the one that is under way.
    const isLarge = rowBytes > batchBytes;
    if (isLarge) session.connection.pause();
    yield { rows, bytes };
    rows = [];
    bytes = 0;
    if (isLarge) session.connection.resume();
  }
  if (rows.length > 0) yield { rows, bytes };
}
