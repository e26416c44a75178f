import type { Row } from '../../../src/core/cell.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { pause } from '../../../src/core/pause.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import { LongRowError } from '../../../src/core/row-text.ts';
import type { QueueSnapshot } from '../../../src/core/source.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import { readRows } from '../catalogue/read-rows.ts';
import { type CatalogueTable, readTables, versionOf } from '../catalogue/read-tables.ts';
import { factsOf } from '../catalogue/table-facts.ts';
import { UnreadTextError } from '../catalogue/unread-text-error.ts';
import { classifyMysqlError, isMysqlError } from '../classify-error.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { makeSignals, readNodeId } from '../own-database.ts';
import { readServerFacts, type ServerFacts } from '../server-facts.ts';
import { formatPosition } from './position/binlog-position.ts';
import { MariadbGtids } from './position/mariadb-gtids.ts';
import { identityOf, readEnd } from './start-check.ts';

export interface QueueSnapshotOptions {
  readonly route: RouteDefinition;
  readonly signal: AbortSignal;
  confirm(): Promise<void>;
  isWanted(schema: string, name: string): boolean;
}

interface View {
  readonly tables: readonly CatalogueTable[];
  readonly position: Position;
}

/** Writers of a locked table wait behind the lock that waits: no longer than this, and then not again for a while. */
const lockS = 2;
const restMs = 5_000;
const tries = 24;

/** A view of the tables, and the position of the binlog that it is of. */
export async function openQueueSnapshot(options: QueueSnapshotOptions): Promise<QueueSnapshot> {
  const { route, signal } = options;
  const control = await connectMysql(route.from);
  let view: MysqlSession | null = null;
  const abort = (): void => {
    control.close();
    view?.close();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await options.confirm();
    await makeSignals(control);
    failpoint('slot.before');
    const server = await readServerFacts(control);
    const node = await readNodeId(control);
    // A position of one server means nothing for a view of another.
    view = await connectMysql(route.from, { host: control.host });
    signal.throwIfAborted();
    await view.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    const found = await (server.vendor === 'mariadb'
      ? viewOfMariadb(view, options)
      : viewOfMysql({ control, view, server }, options));
    failpoint('slot.created');
    const source = { ...identityOf(server), ...(node !== null && { node }) };
    return new MysqlQueueSnapshot(route, view, { ...found, source });
  } catch (error) {
    view?.close();
    if (signal.aborted) throw signal.reason;
    throw classifyMysqlError(error, route.from.name);
  } finally {
    signal.removeEventListener('abort', abort);
    control.close();
  }
}

const beginView = 'START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';

/**
 * The server knows the place of a snapshot in its binlog: no writer waits. But a transaction that is prepared (XA) by then has its rows in front of the
 * place, and in no view before it is decided: it is waited for.
 */
async function viewOfMariadb(view: MysqlSession, options: QueueSnapshotOptions): Promise<View> {
  for (let attempt = 1; ; attempt++) {
    const before = await view.query('XA RECOVER');
    await view.query(beginView);
    const after = await view.query('XA RECOVER');
    if (before.length + after.length === 0) return await placeOfView(view, options);
    await view.query('ROLLBACK');
    if (attempt >= tries) throw undecided(options.route);
    await pause(restMs, options.signal);
    options.signal.throwIfAborted();
  }
}

function undecided({ name: route }: RouteDefinition): TidelockError {
  const why = 'it is prepared, and neither committed nor rolled back: XA RECOVER at the source lists it';
  return fail(sourceErrors.preparedTransaction, { route, position: 'the beginning of the load', why });
}

async function placeOfView(view: MysqlSession, { isWanted }: QueueSnapshotOptions): Promise<View> {
  const status = await view.query("SHOW SESSION STATUS LIKE 'binlog_snapshot_%'");
  const of = new Map(status.map(([name, value]) => [String(name).toLowerCase(), value ?? '']));
  const place = [of.get('binlog_snapshot_file') ?? '', Number(of.get('binlog_snapshot_position') ?? 0)];
  const [row] = await view.query('SELECT BINLOG_GTID_POS(?, ?)', place);
  const gtids = MariadbGtids.parse(row?.[0] ?? '');
  return { tables: await readTables(view, isWanted), position: formatPosition({ kind: 'mariadb', gtids }) };
}

interface Sessions {
  readonly control: MysqlSession;
  readonly view: MysqlSession;
  readonly server: ServerFacts;
}

/**
 * With the tables locked against writers for a moment: a transaction holds its tables until it is visible and among those that were executed, so
 * that the view and the position agree about each that has touched one of them.
 */
async function viewOfMysql({ control, view, server }: Sessions, options: QueueSnapshotOptions): Promise<View> {
  const { route, signal, isWanted } = options;
  await control.query(`SET SESSION lock_wait_timeout = ${lockS}`);
  for (let attempt = 1; ; attempt++) {
    const tables = await readTables(control, isWanted);
    try {
      if (tables.length > 0)
        await control.query(`LOCK TABLES ${tables.map((table) => `${quoteTable(table)} READ`).join(', ')}`);
      await view.query(beginView);
      const position = formatPosition(await readEnd(view, server));
      const found = await readTables(view, isWanted);
      await control.query('UNLOCK TABLES');
      if (labelsOf(found) === labelsOf(tables)) return { tables: found, position };
      await view.query('ROLLBACK');
    } catch (error) {
      if (!isLockWait(error) || attempt >= tries) throw error;
    }
    if (attempt >= tries) throw unstable(route);
    await pause(restMs, signal);
    signal.throwIfAborted();
  }
}

function unstable({ from }: RouteDefinition): TidelockError {
  const message = 'tables came and went while a view of them was opened';
  return fail(nodeErrors.interrupted, { node: from.name, sqlState: 'HY000', message });
}

function labelsOf(tables: readonly CatalogueTable[]): string {
  return tables.map(tableLabel).join();
}

/** ER_LOCK_WAIT_TIMEOUT, below what it was classified as. */
function isLockWait(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isMysqlError(cause) && cause.errno === 1205;
}

interface Opened extends View {
  readonly source: SourceIdentity;
}

class MysqlQueueSnapshot implements QueueSnapshot {
  readonly position: Position;
  readonly source: SourceIdentity;
  readonly tables: readonly TableVersion[];
  readonly facts: readonly TableFacts[];
  readonly #route: RouteDefinition;
  readonly #session: MysqlSession;
  readonly #bytes: number;

  constructor(route: RouteDefinition, session: MysqlSession, { tables, position, source }: Opened) {
    this.#route = route;
    this.#session = session;
    this.position = position;
    this.source = source;
    this.tables = tables.map(versionOf);
    this.facts = tables.map((table) => factsOf(table, position));
    this.#bytes = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async sizeBytes(): Promise<number> {
    return this.#bytes;
  }

  async *read(table: TableVersion, signal: AbortSignal): AsyncGenerator<readonly Row[], void, undefined> {
    const { apply } = this.#route;
    const abort = (): void => this.#session.close();
    signal.addEventListener('abort', abort, { once: true });
    let isDone = false;
    try {
      signal.throwIfAborted();
      for await (const { rows } of readRows(
        this.#session,
        { table, columns: table.columns, exact: true },
        apply.maxRowBytes,
      ))
        yield rows;
      isDone = true;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#classify(error, table);
    } finally {
      signal.removeEventListener('abort', abort);
      if (!isDone) this.#session.close();
    }
  }

  #classify(error: unknown, table: TableVersion): TidelockError {
    const place = { route: this.#route.name, table: tableLabel(table), position: this.position };
    if (error instanceof LongRowError)
      return fail(sourceErrors.rowTooLarge, { ...place, bytes: error.bytes, maxBytes: this.#route.apply.maxRowBytes });
    if (error instanceof UnreadTextError) return error.at(this.#route.name, this.position);
    const classified = classifyMysqlError(error, this.#route.from.name);
    if (classified.recovery !== 'halt' || !isMysqlError(error)) return classified;
    return fail(sourceErrors.loadRefused, { ...place, sqlState: error.sqlState, message: classified.message }, error);
  }

  /** Nothing was made for the route. */
  async discard(): Promise<void> {}

  async close(): Promise<void> {
    this.#session.close();
  }
}
