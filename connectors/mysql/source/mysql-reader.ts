import type { Row } from '../../../src/core/cell.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { LongRowError, lastRowOf } from '../../../src/core/row-text.ts';
import type {
  ReadKey,
  ReadPart,
  ReadRequest,
  ReadRows,
  SourceReader,
  TableSize,
} from '../../../src/core/source-reader.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { type AwaitedWatermarks, streamEnded } from '../../sql/awaited-watermarks.ts';
import { haveText, type RowsWanted, readRows, readRowText } from '../catalogue/read-rows.ts';
import { type CatalogueTable, readTables } from '../catalogue/read-tables.ts';
import { factsOf } from '../catalogue/table-facts.ts';
import { UnreadTextError } from '../catalogue/unread-text-error.ts';
import { classifyMysqlError, errnoOf } from '../classify-error.ts';
import { conditionSql } from '../condition-sql.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { readServerFacts } from '../server-facts.ts';
import { isExact, parseType } from '../target/column-kind.ts';
import { emitWatermark } from './emit-signal.ts';
import { formatPosition } from './position/binlog-position.ts';
import { boundText, type RangeKey, rangeClauses, rangeKeyOf } from './range-key.ts';
import { readEnd } from './start-check.ts';
import { connectStreamServer, type StreamServer } from './stream-server.ts';

/** The stream beside which rows are read. */
export interface StreamBeside {
  readonly watermarks: AwaitedWatermarks;
  /** The server that it reads; null until it has found one. */
  readonly server: StreamServer | null;
}

/** A session that waits longer for its table would hold up those that want it after the DDL command that it waits for. */
const lockS = 2;
const lookAgainMs = 20;

/** What a row and each of its cells take beside their values. */
const rowBytes = 64;
const cellBytes = 16;

interface RowsRead extends Pick<ReadRows, 'text' | 'cells' | 'rows' | 'bytes'> {
  /** There may be more. */
  readonly isCut: boolean;
  readonly lastRow: Row | undefined;
}

/** ER_NO_SUCH_TABLE, ER_BAD_DB. */
const missing: ReadonlySet<number> = new Set([1146, 1049]);

/**
 * Reads rows beside the stream, on sessions of its own that are kept, at the server that the stream reads.
 *
 * What is read is behind the low watermark: both vendors make transactions visible in the order in which they stand in the binlog (binlog_order_commits; MariaDB
 * knows no other), so that once the COMMIT of the watermark is answered everything in front of it is seen by every new snapshot. And what a snapshot sees is
 * in the binlog by then, in front of the high watermark, which is written later. So nobody has to wait for a GTID, and a server without any will do.
 */
export class MysqlReader implements SourceReader {
  readonly #route: RouteDefinition;
  /** Of the Collector that was made last; null before there was one. */
  readonly #stream: () => StreamBeside | null;
  readonly #keys = new Map<string, RangeKey>();
  readonly #idle: { readonly session: MysqlSession; readonly server: StreamServer }[] = [];
  readonly #used = new Set<MysqlSession>();
  #closed = false;

  constructor(route: RouteDefinition, stream: () => StreamBeside | null) {
    this.#route = route;
    this.#stream = stream;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** It reads, or waits to. */
  get isBusy(): boolean {
    return this.#used.size > 0;
  }

  watermark(id: string, signal: AbortSignal): Promise<void> {
    return this.#beside(signal, async (session) => {
      const come = this.#demandStream().watermarks.expect(id, signal);
      come.catch(() => {});
      await emitWatermark(session, this.#route, id);
      await come;
    });
  }

  async key(table: TableName): Promise<ReadKey | null> {
    const key = await this.#anywhere(async (session) => {
      const [found] = await readTables(session, isTable(table));
      // Without a primary key the server takes the first unique one without NULL for it, and says so of its columns.
      const own = found?.columns.filter(({ key }) => key) ?? [];
      const parts = await session.query(
        'SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = ? AND table_name = ? AND non_unique = 0 AND sub_part IS NULL ORDER BY seq_in_index',
        [table.schema, table.name],
      );
      const isOwn = (names: readonly (string | null | undefined)[]): boolean =>
        names.length === own.length && own.every(({ name }) => names.includes(name));
      const indexes = [...Map.groupBy(parts, ([index]) => index)];
      const [names = []] = indexes.map(([, columns]) => columns.map(([, name]) => name)).filter(isOwn);
      return rangeKeyOf(names.flatMap((name) => own.find((column) => column.name === name) ?? []));
    });
    if (key === null) return null;
    this.#keys.set(tableLabel(table), key);
    const folded = key.filter(({ type }) => type.collation !== null && !isExact(type)).map(({ name }) => name);
    return { columns: key.map(({ name }) => name), ...(folded.length > 0 && { folded }) };
  }

  /** Of a part as the server's planner thinks. */
  size(table: TableName, where: ReadPart | null = null): Promise<TableSize> {
    return this.#anywhere(async (session) => {
      const [found] = await readTables(session, isTable(table));
      const { rows = 0, bytes = 0 } = found ?? {};
      const condition = found === undefined ? null : this.#condition(found, where);
      if (condition === null) return { rows, bytes };
      const [plan = []] = await session.query(
        `EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM ${quoteTable(table)} WHERE ${condition}`,
      );
      // MySQL tells of partitions, too, and which share of the rows stays.
      const [planned, share] = plan.length > 10 ? [plan[9], Number(plan[10]) / 100] : [plan[8], 1];
      const part = Math.min(rows, Math.ceil(Number(planned ?? 0) * share));
      return { rows: part, bytes: Math.round((bytes * part) / Math.max(1, rows)) };
    });
  }

  /** Throws (usage) where the server means something else by it. */
  #condition(table: Pick<CatalogueTable, 'schema' | 'name' | 'columns'>, where: ReadPart | null): string | null {
    if (where === null) return null;
    const sql =
      where.plain &&
      conditionSql(where.plain, (asked) => {
        const column = table.columns.find(({ name }) => name === asked);
        return column && { sql: quoteIdentifier(column.name), type: parseType(column.type) };
      });
    if (sql !== null) return sql;
    const problem = 'the server can not be asked for it in words that mean the same';
    throw fail(routeErrors.loadPart, { route: this.#route.name, table: tableLabel(table), problem });
  }

  hasRows(table: TableName): Promise<boolean> {
    return this.#anywhere(async (session) => {
      const [row] = await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 1`);
      return row !== undefined;
    });
  }

  async read(request: ReadRequest, signal: AbortSignal): Promise<ReadRows> {
    const key = this.#keys.get(tableLabel(request.table));
    if (key === undefined) throw new RangeError('a table whose key was not asked for');
    try {
      return await this.#beside(signal, (session, spoil) => this.#read(session, request, { key, spoil }));
    } catch (error) {
      throw this.#classify(error, request);
    }
  }

  /** Nothing can be taken up here, and nothing has to be: whatever snapshot is made at the stream's server by now sees all of it. Its address is the name. */
  async snapshot<T>(_table: TableName, signal: AbortSignal, run: (snapshot: string) => Promise<T>): Promise<T> {
    const server = await this.#server(signal);
    await this.#beside(signal, (session) => this.#demandOrder(session));
    return await run(JSON.stringify(server));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const session of [...this.#used, ...this.#idle.splice(0).map((idle) => idle.session)]) session.close();
  }

  /**
   * The lock of the definition comes before the snapshot, which the first row makes: a table that is written anew in between can't be read by an older one.
   */
  async #read(
    session: MysqlSession,
    { table, columns, range, where = null, maxBytes }: ReadRequest,
    { key, spoil }: { readonly key: RangeKey; spoil(): void },
  ): Promise<ReadRows> {
    const label = tableLabel(table);
    await this.#demandOrder(session);
    await session.query('START TRANSACTION READ ONLY');
    await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 0`);
    const [found] = await readTables(session, isTable(table));
    if (found === undefined) throw fail(sourceErrors.tableMissing, { route: this.#route.name, table: label });
    const facts = factsOf(found, formatPosition(await readEnd(session, await readServerFacts(session))));
    const wanted = typesOf(found, columns);
    // It was altered since the request was made: its reader has to see that first.
    if (wanted === null) {
      await session.query('COMMIT');
      return { text: [], rows: 0, bytes: 0, last: null, ended: false, facts };
    }
    const reading = {
      table,
      columns: wanted,
      exact: true,
      clauses: rangeClauses(key, range, this.#condition(found, where)),
    };
    const most = range.kind === 'after' ? maxBytes : Number.POSITIVE_INFINITY;
    const read = haveText(wanted)
      ? await this.#readText(session, reading, most)
      : await this.#readCells(session, reading, most);
    const { rows, bytes, isCut, lastRow } = read;
    // Only the end of the session ends a result early.
    if (isCut) spoil();
    else {
      await session.query('COMMIT');
      await this.#demandOrder(session);
    }
    const last = lastRow === undefined ? null : key.map(({ name }) => boundText(lastRow[columns.indexOf(name)]));
    const ended = range.kind === 'keys' || (!isCut && rows < range.rows);
    const { text, cells } = read;
    return { text, ...(cells !== undefined && { cells }), rows, bytes, last, ended, facts };
  }

  async #readText(session: MysqlSession, reading: RowsWanted, mostBytes: number): Promise<RowsRead> {
    const text: Buffer[] = [];
    let rows = 0;
    let bytes = 0;
    for await (const batch of readRowText(session, reading, this.#route.apply.maxRowBytes)) {
      text.push(...batch.text);
      rows += batch.rows;
      for (const piece of batch.text) bytes += piece.length;
      if (bytes >= mostBytes) break;
    }
    const last = text.at(-1);
    const lastRow = last && lastRowOf(last, reading.columns.length);
    return { text, rows, bytes, isCut: bytes >= mostBytes, lastRow };
  }

  async #readCells(session: MysqlSession, reading: RowsWanted, mostBytes: number): Promise<RowsRead> {
    const cells: Row[] = [];
    let bytes = 0;
    for await (const batch of readRows(session, reading, this.#route.apply.maxRowBytes)) {
      for (const row of batch.rows) cells.push(row);
      // In memory a row is more than its values.
      bytes += batch.bytes + batch.rows.length * (rowBytes + cellBytes * reading.columns.length);
      if (bytes >= mostBytes) break;
    }
    return { text: [], cells, rows: cells.length, bytes, isCut: bytes >= mostBytes, lastRow: cells.at(-1) };
  }

  /** It can be switched off at any moment, and then what was read is of no place in the binlog. */
  async #demandOrder(session: MysqlSession): Promise<void> {
    const { name: route, from } = this.#route;
    if (from.type !== 'mysql') return;
    const [row] = await session.query('SELECT @@GLOBAL.binlog_order_commits');
    if (row?.[0] === '0') throw fail(sourceErrors.unorderedCommits, { route, node: from.name });
  }

  #demandStream(): StreamBeside {
    const stream = this.#stream();
    if (stream === null || stream.watermarks.ended) throw streamEnded();
    return stream;
  }

  async #server(signal: AbortSignal): Promise<StreamServer> {
    let server = this.#demandStream().server;
    while (server === null) {
      await pause(lookAgainMs, signal);
      signal.throwIfAborted();
      server = this.#demandStream().server;
    }
    return server;
  }

  /** At the server that the stream reads: another one may be ahead of it, or behind. */
  async #beside<T>(signal: AbortSignal, run: (session: MysqlSession, spoil: () => void) => Promise<T>): Promise<T> {
    const { from } = this.#route;
    try {
      return await this.#use(await this.#server(signal), signal, run);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof LongRowError || error instanceof UnreadTextError) throw error;
      throw classifyMysqlError(error, from.name);
    }
  }

  async #anywhere<T>(run: (session: MysqlSession) => Promise<T>): Promise<T> {
    const { from } = this.#route;
    const session = await connectMysql(from);
    try {
      return await run(session);
    } catch (error) {
      throw classifyMysqlError(error, from.name);
    } finally {
      session.close();
    }
  }

  async #use<T>(
    server: StreamServer,
    signal: AbortSignal,
    run: (session: MysqlSession, spoil: () => void) => Promise<T>,
  ): Promise<T> {
    const at = this.#idle.findIndex((one) => one.server.instance === server.instance);
    const [idle] = at === -1 ? [] : this.#idle.splice(at, 1);
    const session = idle?.session ?? (await this.#connect(server));
    const abort = (): void => session.close();
    let isGood = false;
    this.#used.add(session);
    try {
      if (this.#closed)
        throw fail(nodeErrors.unreachable, { node: this.#route.from.name, why: 'the reader is closed' });
      signal.addEventListener('abort', abort, { once: true });
      signal.throwIfAborted();
      let isSpoilt = false;
      const result = await run(session, () => {
        isSpoilt = true;
      });
      isGood = !isSpoilt;
      return result;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#used.delete(session);
      if (isGood && !this.#closed && !signal.aborted) this.#idle.push({ session, server });
      else session.close();
    }
  }

  async #connect(server: StreamServer): Promise<MysqlSession> {
    const session = await connectStreamServer(this.#route.from, server);
    try {
      await session.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      await session.query(`SET SESSION lock_wait_timeout = ${lockS}`);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  #classify(error: unknown, { table }: ReadRequest): unknown {
    const { name: route, apply } = this.#route;
    const place = { route, table: tableLabel(table), position: 'a chunk of the load' };
    if (error instanceof LongRowError)
      return fail(sourceErrors.rowTooLarge, { ...place, bytes: error.bytes, maxBytes: apply.maxRowBytes });
    if (error instanceof UnreadTextError) return error.at(route, place.position);
    // Another command has the table, or has renamed it: the reader asks again when the stream has told.
    if (missing.has(errnoOf(error) ?? 0)) return fail(sourceErrors.tableMissing, { route, table: place.table }, error);
    return error;
  }
}

function isTable({ schema, name }: TableName): (schema: string, name: string) => boolean {
  return (s, n) => s === schema && n === name;
}

/** Null where the table has not all of them any more. */
function typesOf({ columns }: CatalogueTable, names: readonly string[]): { name: string; type: string }[] | null {
  const found = names.flatMap((name) => columns.find((column) => column.name === name && !column.generated) ?? []);
  return found.length === names.length ? found.map(({ name, type }) => ({ name, type })) : null;
}
