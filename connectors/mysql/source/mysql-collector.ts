import type { Collector, StartPoint } from '../../../src/core/collector.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { CollectorOptions } from '../../../src/core/source.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { AwaitedWatermarks } from '../../sql/awaited-watermarks.ts';
import { PartQueue } from '../../sql/part-queue.ts';
import { classifyMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { readInstance } from '../instance.ts';
import { readNodeId } from '../own-database.ts';
import { readServerFacts } from '../server-facts.ts';
import { type Beginning, BinlogStream } from './binlog-stream.ts';
import { CarriedTables } from './carried-tables.ts';
import { readCollations } from './charset-tables.ts';
import { readKnownCatalogue } from './known-catalogue.ts';
import { beforeLast, lastTransaction } from './last-transaction.ts';
import { type BinlogPosition, parsePosition } from './position/binlog-position.ts';
import { GtidSet } from './position/gtid-set.ts';
import { SourceMonitor } from './source-monitor.ts';
import { checkStart } from './start-check.ts';
import type { StreamServer } from './stream-server.ts';
import { StaleCatalogue, TransactionAssembler } from './transaction-assembler.ts';

export interface MysqlCollectorOptions extends CollectorOptions {
  readonly route: RouteDefinition;
  readonly stored: SourceIdentity;
  readonly logger: Logger;
  /** Transactions that have no end in the binlog; kept as long as the process lives. */
  readonly cutOff: Set<string>;
}

/** A definition that changes again whenever the catalogue has been read is nobody's that is at work on purpose. */
const rereads = 100;

/**
 * Reads a binlog and yields its transactions. Nothing is told to the server of what is durable: it keeps its binlogs by time, whoever reads
 * them (SourceMonitor watches how near their end is). Where a definition changes that the catalogue was read before, the binlog
 * is read anew from the place in front of it.
 */
export class MysqlCollector implements Collector {
  readonly #options: MysqlCollectorOptions;
  readonly #queue: PartQueue;
  readonly #tables: CarriedTables;
  readonly watermarks = new AwaitedWatermarks();
  #stream: BinlogStream | null = null;
  #server: StreamServer | null = null;
  #assembler: TransactionAssembler | null = null;
  #monitor: SourceMonitor | null = null;
  #start: StartPoint | null = null;
  #rereads = 0;
  #closed = false;

  constructor(options: MysqlCollectorOptions) {
    this.#options = options;
    this.#queue = new PartQueue(options.budget);
    this.#tables = new CarriedTables(options.route.tables, options.carried);
  }

  /** The server that is read; null until there is one. */
  get server(): StreamServer | null {
    return this.#server;
  }

  async *stream(start: StartPoint, signal: AbortSignal): AsyncGenerator<readonly TransactionPart[], void, undefined> {
    if (this.#start !== null) throw new TypeError('a Collector streams once');
    this.#start = start;
    const abort = (): void => void this.close();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else this.#open(start.position);
    try {
      for (;;) {
        const parts = await this.#queue.take();
        if (parts === null) return;
        yield parts;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      await this.close();
    }
  }

  acknowledge(_durable: Position): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.watermarks.end();
    this.#queue.end();
    this.#stream?.close();
    this.#assembler?.close();
    await this.#monitor?.close();
  }

  #open(from: Position): void {
    const { route, budget } = this.#options;
    const stream = new BinlogStream({
      route,
      budget,
      prepare: (session) => this.#prepare(session, from),
      onEvent: (bytes, start, end) => this.#event(bytes, start, end),
      onEnd: (error) => this.#fail(error),
    });
    this.#stream = stream;
    stream.open().catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#queue.end(classifyMysqlError(error, this.#options.route.from.name));
    void this.close();
  }

  #event(bytes: Buffer, start: number, end: number): void {
    const assembler = this.#assembler;
    if (assembler === null) return;
    try {
      assembler.event(bytes, start, end);
    } catch (error) {
      if (!(error instanceof StaleCatalogue)) throw error;
      this.#reread(assembler.position as Position);
    }
  }

  #reread(from: Position): void {
    const { route, logger } = this.#options;
    if (++this.#rereads > rereads) {
      const message = 'definitions of tables change faster than they can be read';
      throw fail(nodeErrors.interrupted, { node: route.from.name, sqlState: 'HY000', message });
    }
    logger.info({ position: from }, 'a definition has changed: the catalogue is read again');
    this.#assembler?.close();
    this.#assembler = null;
    this.#stream?.close();
    this.#open(from);
  }

  async #prepare(session: MysqlSession, from: Position): Promise<Beginning> {
    const { route, stored, budget, logger, cutOff } = this.#options;
    const server = await readServerFacts(session);
    const node = await readNodeId(session);
    const position = await checkStart(session, { route: route.name, stored, position: from, server, node });
    // Where it is not there any more nothing can be told by it.
    const last = server.gtids ? lastTransaction(this.#start ?? { lastCommit: null }) : null;
    const again = beforeLast(position, last);
    const collations = await readCollations(session);
    const isTaken = (schema: string, name: string): boolean => this.#tables.has(schema, name);
    const catalogue = await readKnownCatalogue(session, server, isTaken);
    const instance = await readInstance(session);
    if (this.#closed) throw new TypeError('closed while it was prepared');
    this.#server = { host: session.host, instance };
    this.#assembler = new TransactionAssembler({
      route: route.name,
      heartbeatId: routeKey(route),
      forward: route.forward,
      maxRowBytes: route.apply.maxRowBytes,
      maxPayloadBytes: Math.max(route.apply.memoryBytes, route.apply.maxRowBytes),
      maxPreparedBytes: Math.floor(budget.limitBytes / 2),
      start: parsePosition(from),
      lastCommit: last,
      collations,
      mariadb: server.vendor === 'mariadb',
      logsCascades: server.logsCascades,
      checksums: server.checksums,
      isTaken,
      catalogue,
      loadedTo: (table) => this.#tables.loadedTo(table),
      isWatched: () => this.#options.isWatched?.() === true,
      hasSchema: (schema) => this.#tables.hasSchema(schema),
      isCutOff: (id) => cutOff.size > 0 && cutOff.has(id),
      onWatermark: (id) => this.watermarks.come(id),
      onCutOff: (id) => cutOff.add(id),
      onNewTable: ({ schema, name }) => this.#newTable(schema, name),
      emit: (part) => this.#emit(part),
      hold: (bytes) => (bytes < 0 ? budget.release(-bytes) : budget.take(bytes)),
    });
    this.#monitor ??= this.#watch();
    logger.info({ server: server.version, checkpoint: from }, 'reading the binlog');
    return { server, position: (await isThere(session, again)) ? again : position };
  }

  #emit(part: TransactionPart): void {
    if (part.commit !== null) this.#rereads = 0;
    this.#queue.push(part);
  }

  #newTable(schema: string, name: string): void {
    if (this.#tables.isNew(schema, name)) this.#options.onNewTables?.([tableLabel({ schema, name })]);
  }

  #watch(): SourceMonitor {
    const { route, logger, heartbeatMs, onNewTables, onClockOffset, onWritten, isStill, onWorking } = this.#options;
    return new SourceMonitor({
      route,
      logger,
      heartbeatMs,
      thread: () => this.#stream?.thread ?? null,
      place: () => this.#assembler?.place ?? null,
      isNew: (schema, name) => this.#tables.isNew(schema, name),
      onNewTables: (tables) => onNewTables?.(tables),
      onClockOffset: (offsetMs) => onClockOffset?.(offsetMs),
      onWritten: (end) => onWritten?.(end),
      isStill: () => isStill?.() === true,
      onWorking: () => onWorking?.(),
      onRetained: (bytes) => this.#options.onRetained(bytes),
    });
  }
}

/** Nothing of what comes behind the position was purged. */
async function isThere(session: MysqlSession, position: BinlogPosition): Promise<boolean> {
  if (position.kind !== 'gtid') return false;
  const [row] = await session.query('SELECT @@GLOBAL.gtid_purged');
  return position.set.covers(GtidSet.parse(row?.[0] ?? ''));
}
