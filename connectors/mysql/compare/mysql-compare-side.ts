import type { Cell, Row } from '../../../src/core/cell.ts';
import {
  type BucketChoice,
  type ComparedRow,
  type ComparedShape,
  type CompareSide,
  type GivenRow,
  type GivenRows,
  type KeyRange,
  keyText,
  type ListedRow,
  type RangeDigest,
  type RowHash,
  type RowKey,
  type RowPlace,
  type SideCondition,
  type SideTable,
} from '../../../src/core/compare-side.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { NodeDefinition, RouteDefinition } from '../../../src/core/route.ts';
import { LongRowError } from '../../../src/core/row-text.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { readRows } from '../catalogue/read-rows.ts';
import { UnreadTextError } from '../catalogue/unread-text-error.ts';
import { classifyMysqlError } from '../classify-error.ts';
import { conditionSql } from '../condition-sql.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { connectStreamServer, type StreamServer } from '../source/stream-server.ts';
import { type Canonical, portableText } from './canonical-text.ts';
import { CompareSql } from './compare-sql.ts';
import { heldJson } from './held-json.ts';
import { RowWatch } from './row-watch.ts';
import { type MysqlSideTable, readSideTables } from './side-tables.ts';

/** A session whose transaction is the frozen side. */
interface FrozenSession {
  readonly session: MysqlSession;
  readonly tables: ReadonlyMap<string, MysqlSideTable>;
}

export interface CompareSideOptions {
  readonly side: 'source' | 'target';
  readonly node: NodeDefinition;
  readonly route: RouteDefinition;
  readonly signal: AbortSignal;
  /** Of the target: those that are open, for whoever writes rows by their versions. */
  readonly watches?: Map<string, RowWatch>;
}

/**
 * Nothing is written. A table that somebody has locked is tried again later: applying waits for a look at suspects, and other tables wait with it.
 */
const settings = [
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY',
  'SET SESSION lock_wait_timeout = 2',
];

/** One side of a compare on MySQL or MariaDB: as many sessions as calls are under way at once. */
export class MysqlCompareSide implements CompareSide {
  readonly #options: CompareSideOptions;
  readonly #frozen: MysqlSession | null;
  readonly #idle: MysqlSession[] = [];
  readonly #all = new Set<MysqlSession>();
  readonly #tables: Map<string, MysqlSideTable>;
  readonly #abort: () => void;
  #watch: RowWatch | null = null;

  constructor(options: CompareSideOptions, frozen: FrozenSession | null = null) {
    this.#options = options;
    this.#frozen = frozen?.session ?? null;
    this.#tables = new Map(frozen?.tables);
    if (frozen !== null) this.#all.add(frozen.session);
    this.#abort = () => {
      for (const session of this.#all) session.close();
      this.#unwatch();
    };
    options.signal.addEventListener('abort', this.#abort, { once: true });
  }

  tables(names: readonly TableName[]): Promise<readonly SideTable[]> {
    return this.#use(async (session) => {
      const tables = await readSideTables(session, names, this.#options.side);
      for (const table of tables) this.#tables.set(tableLabel(table), table);
      return tables;
    });
  }

  async condition({ table, plain, names }: SideCondition): Promise<string> {
    const known = this.#tables.get(tableLabel(table));
    const sql =
      plain === null || known === undefined
        ? null
        : conditionSql(plain, (asked) => {
            const column = known.columns.find(({ name }) => name === (names.get(asked) ?? asked));
            return column && { sql: `t.${quoteIdentifier(column.name)}`, type: column.parsed };
          });
    if (sql === null)
      throw this.#notYet(
        'a condition that says more than comparisons of columns with constants of their own type (no functions; texts, bytes and UUIDs for equality only)',
      );
    return sql;
  }

  /** SHA-256 is the same at both vendors. */
  async probe(): Promise<string> {
    return 'SHA-256 of canonical texts';
  }

  digest(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<RangeDigest> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => {
      const [row] = await session.query(sql.digest(hash, sql.range(range)));
      return { rows: Number(row?.[0]), sum: row?.[1] ?? '' };
    });
  }

  boundary(shape: ComparedShape, range: KeyRange, rows: number): Promise<RowKey | null> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => {
      const [row] = await session.query(sql.boundary(sql.range(range), rows));
      return row === undefined ? null : sql.keyOf(row);
    });
  }

  ends(shape: ComparedShape): Promise<{ readonly first: string; readonly last: string } | null> {
    return this.#use(async (session) => {
      const [row] = await session.query(this.#sql(shape).ends);
      const [first = null, last = null] = row ?? [];
      return first === null || last === null ? null : { first, last };
    });
  }

  boundaries(shape: ComparedShape, range: KeyRange, every: number): Promise<readonly RowKey[]> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => {
      const rows = await session.query(sql.boundaries(sql.range(range), every));
      return rows.map((row) => sql.keyOf(row));
    });
  }

  list(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<readonly ListedRow[]> {
    const sql = this.#sql(shape);
    return this.#use(async (session) =>
      this.#listed(sql, await session.query(sql.list(hash, sql.range(range))), shape),
    );
  }

  bucketDigests(shape: ComparedShape, hash: RowHash, buckets: number): Promise<ReadonlyMap<number, RangeDigest>> {
    return this.#use(async (session) => {
      const rows = await session.query(this.#sql(shape).bucketDigests(hash, buckets));
      return new Map(rows.map(([bucket, count, sum]) => [Number(bucket), { rows: Number(count), sum: sum ?? '' }]));
    });
  }

  listBuckets(shape: ComparedShape, hash: RowHash, choice: BucketChoice): Promise<readonly ListedRow[]> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => this.#listed(sql, await session.query(sql.listBuckets(hash, choice)), shape));
  }

  rows(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, ComparedRow>> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => {
      const found = new Map<string, ComparedRow>();
      if (keys.length === 0) return found;
      const wanted = { table: shape.table, columns: sql.columns, clauses: sql.ofKeys(keys) };
      for await (const { rows } of readRows(session, wanted, Number.POSITIVE_INFINITY))
        for (const row of rows) addRow(found, sql, sql.canonicalRow(row));
      return found;
    });
  }

  placed(
    shape: ComparedShape,
    places: readonly RowPlace[],
    as: 'compared' | 'read',
  ): Promise<ReadonlyMap<RowPlace, readonly Cell[]>> {
    const sql = this.#sql(shape);
    return this.#use(async (session) => {
      const found = new Map<RowPlace, readonly Cell[]>();
      if (places.length === 0) return found;
      const reading = { table: shape.table, columns: sql.columns, behind: [sql.place], clauses: sql.ofPlaces(places) };
      // What is read of the source is written at the target.
      const wanted = { ...reading, exact: as === 'read' };
      for await (const { rows } of readRows(session, wanted, Number.POSITIVE_INFINITY))
        for (const row of rows) {
          const cells = row.slice(0, -1);
          found.set(String(row.at(-1)), as === 'read' ? cells : sql.canonicalRow(cells).map(portableText));
        }
      return found;
    });
  }

  /** Of rows that are not there, too: they may come and go again. */
  async versions(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, string>> {
    // Between vendors nobody has shown yet that what is waited for has come.
    if (this.#options.route.from.type === 'postgres')
      throw this.#notYet('to tell who has written a row (two-way set-ups between vendors)');
    const session = await this.#take();
    try {
      const watch = await this.#watching(shape);
      const versions = await watch.versions(session, keys.map(keyText));
      this.#give(session);
      return versions;
    } catch (error) {
      this.#end(session);
      if (error instanceof TidelockError && !this.#options.signal.aborted) throw error;
      throw this.#classify(error, shape.table);
    }
  }

  async #watching(shape: ComparedShape): Promise<RowWatch> {
    const { route, watches, signal } = this.#options;
    const known = this.#watch;
    if (known?.isOf(shape.table) && known.goesOn()) return known;
    this.#unwatch();
    const sql = this.#sql(shape);
    const watch = await RowWatch.open({ route, table: shape.table, keyOf: (cell) => keyText(sql.keyOfCells(cell)) });
    this.#watch = watch;
    watches?.set(watch.id, watch);
    if (signal.aborted) this.#unwatch();
    return watch;
  }

  #unwatch(): void {
    const watch = this.#watch;
    this.#watch = null;
    watch?.close();
    if (watch !== null) this.#options.watches?.delete(watch.id);
  }

  async *read(
    shape: ComparedShape,
    columns: readonly string[],
    range: KeyRange & { readonly places?: boolean },
  ): AsyncGenerator<readonly Row[], void, undefined> {
    const sql = this.#sql(shape);
    const table = this.#table(shape);
    const wanted = columns.map((name) => {
      const column = table.columns.find((one) => one.name === name);
      if (column === undefined) throw new RangeError('a column that the table has no more');
      return column;
    });
    const { maxRowBytes } = this.#options.route.apply;
    const session = await this.#take();
    let isDone = false;
    try {
      const behind = range.places === true ? [sql.place] : [];
      const reading = { table: shape.table, columns: wanted, behind, clauses: ` AS t${sql.range(range)}` };
      for await (const { rows } of readRows(session, reading, maxRowBytes)) {
        if (range.places === true && rows.some((row) => row.at(-1) === null)) throw this.#tooLong(shape);
        yield rows;
      }
      isDone = true;
    } catch (error) {
      throw this.#classify(error, shape.table);
    } finally {
      // A reader that leaves early leaves rows on their way.
      if (isDone) this.#give(session);
      else this.#end(session);
    }
  }

  async listGiven(
    shape: ComparedShape,
    hash: RowHash,
    { rows: given, buckets }: GivenRows,
  ): Promise<readonly GivenRow[]> {
    const sql = this.#sql(shape);
    return (await this.#asHeld(sql, given)).map((row) => ({
      key: sql.keyOfRow(row),
      hash: sql.hashOfRow(row, hash).toString(),
      bucket: sql.bucketOfRow(row, hash, buckets),
    }));
  }

  async rowsGiven(shape: ComparedShape, given: readonly Row[]): Promise<ReadonlyMap<string, ComparedRow>> {
    const sql = this.#sql(shape);
    const found = new Map<string, ComparedRow>();
    for (const row of await this.#asHeld(sql, given)) addRow(found, sql, row);
    return found;
  }

  /**
   * `snapshot`: a server, as MysqlReader.snapshot() names it: what is begun there now sees all that the stream has brought. The lock of the
   * definition comes first: a table that is written anew in between can't be read by an older snapshot.
   */
  async frozen(table: TableName, snapshot: string | null): Promise<CompareSide> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const session = await this.#connect(snapshot === null ? null : (JSON.parse(snapshot) as StreamServer));
    try {
      await session.query('START TRANSACTION READ ONLY');
      await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 0`);
      await session.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 1`);
    } catch (error) {
      this.#end(session);
      throw this.#classify(error, table);
    }
    this.#all.delete(session);
    return new MysqlCompareSide(this.#options, { session, tables: this.#tables });
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#abort);
    for (const session of [...this.#all]) this.#end(session);
    this.#unwatch();
  }

  /** Rows as the table would hold them. */
  async #asHeld(sql: CompareSql, given: readonly Row[]): Promise<Canonical[][]> {
    const rows = given.map((row) => sql.canonicalRow(row));
    const documents = sql.columns.flatMap(({ parsed }, at) => (parsed.base === 'json' ? [at] : []));
    if (documents.length > 0 && rows.length > 0) await this.#use((session) => heldJson(session, rows, documents));
    return rows;
  }

  /** What the server could not compute must never count as equal. */
  #listed(sql: CompareSql, rows: readonly (readonly (string | null)[])[], shape: ComparedShape): ListedRow[] {
    const { length } = sql.key;
    return rows.map((row) => {
      const [hash = null, place] = row.slice(length);
      if (hash === null || place === null) throw this.#tooLong(shape);
      return { key: sql.keyOf(row), hash, ...(place !== undefined && { place }) };
    });
  }

  #tooLong({ table }: ComparedShape): Error {
    const { route, node } = this.#options;
    const message = `a row of ${tableLabel(table)} is too long for max_allowed_packet`;
    return fail(targetErrors.compareRefused, { route: route.name, node: node.name, message });
  }

  #table(shape: ComparedShape): MysqlSideTable {
    const table = this.#tables.get(tableLabel(shape.table));
    if (table === undefined) throw new RangeError('a table that was not asked for');
    return table;
  }

  #sql(shape: ComparedShape): CompareSql {
    return new CompareSql(this.#table(shape), shape);
  }

  async #use<T>(run: (session: MysqlSession) => Promise<T>): Promise<T> {
    const session = await this.#take();
    try {
      const result = await run(session);
      this.#give(session);
      return result;
    } catch (error) {
      this.#end(session);
      throw this.#classify(error, null);
    }
  }

  async #take(): Promise<MysqlSession> {
    this.#options.signal.throwIfAborted();
    return this.#frozen ?? this.#idle.pop() ?? (await this.#connect(null));
  }

  async #connect(server: StreamServer | null): Promise<MysqlSession> {
    const { node, signal } = this.#options;
    const session = await (server === null ? connectMysql(node) : connectStreamServer(node, server));
    this.#all.add(session);
    try {
      signal.throwIfAborted();
      for (const statement of settings) await session.query(statement);
      return session;
    } catch (error) {
      this.#end(session);
      throw error;
    }
  }

  #give(session: MysqlSession): void {
    if (this.#frozen === null) this.#idle.push(session);
  }

  #end(session: MysqlSession): void {
    this.#all.delete(session);
    session.close();
  }

  #classify(error: unknown, table: TableName | null): unknown {
    const { signal, node, route } = this.#options;
    if (signal.aborted) return signal.reason;
    if (error instanceof LongRowError && table !== null) {
      const place = { route: route.name, table: tableLabel(table), position: 'a compare' };
      return fail(sourceErrors.rowTooLarge, { ...place, bytes: error.bytes, maxBytes: route.apply.maxRowBytes });
    }
    if (error instanceof UnreadTextError)
      return fail(targetErrors.compareRefused, { route: route.name, node: node.name, message: error.message }, error);
    const classified = classifyMysqlError(error, node.name);
    if (classified.recovery !== 'halt') return classified;
    return fail(
      targetErrors.compareRefused,
      { route: route.name, node: node.name, message: classified.message },
      error,
    );
  }

  #notYet(what: string): Error {
    return fail(nodeErrors.notYet, { node: this.#options.node.name, what });
  }
}

function addRow(found: Map<string, ComparedRow>, sql: CompareSql, row: readonly Canonical[]): void {
  found.set(keyText(sql.keyOfRow(row)), row.map(portableText));
}
