import type { Collector, StartPoint } from '../../../src/core/collector.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { CollectorOptions } from '../../../src/core/source.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { PartQueue } from '../../sql/part-queue.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';
import { Acknowledger } from './acknowledger.ts';
import { CarriedSet } from './carried-set.ts';
import { DdlReader } from './ddl-reader.ts';
import type { DeliveredTransactions } from './delivered-transactions.ts';
import { EarlyTransactions } from './early-transactions.ts';
import { HistoryCheck } from './history-check.ts';
import { IdleAdvancer } from './idle-advance.ts';
import type { KeptSide } from './kept-side.ts';
import { RelationCache } from './pgoutput/relation-cache.ts';
import { TypeNames } from './pgoutput/type-names.ts';
import { queueNames } from './queue-names.ts';
import { ReplicationStream } from './replication-stream.ts';
import { noAnswer, type Queryable } from './sessions.ts';
import { SourceMonitor } from './source-monitor.ts';
import { type CheckedStart, checkStart } from './start-check.ts';
import { TableWatch } from './table-watch.ts';
import { TransactionAssembler } from './transaction-assembler.ts';

export interface PostgresCollectorOptions extends CollectorOptions {
  readonly route: RouteDefinition;
  readonly logger: Logger;
  readonly stored: SourceIdentity;
  readonly delivered: DeliveredTransactions;
  /** For what the catalogue is asked before the start. */
  readonly side: KeptSide;
}

/** What exists once the start has been checked. */
interface Reading {
  readonly assembler: TransactionAssembler;
  readonly history: HistoryCheck;
  readonly idle: IdleAdvancer;
  readonly acknowledger: Acknowledger;
  readonly monitor: SourceMonitor;
}

/** For a shutting down source: what is on its way to the target may still be confirmed. */
const leaveMs = 3_000;

/** For a reader that was told to stop: what is at the target may still become durable, and be confirmed. */
const restMs = 1_000;

/** To connect, to check the start and to begin to stream. */
const openMs = 25_000;

/** Two heartbeats and the time that one may take. */
const outOfReachMs = 12_000;

/**
 * One session's life: connect, check the start on that very session, stream, end. Everything that arrives goes
 * synchronously from the socket through the assembler into the queue; whatever fails ends the queue with its error,
 * and the reader of the stream gets that and has everything closed behind it.
 */
export class PostgresCollector implements Collector {
  readonly #options: PostgresCollectorOptions;
  readonly #queue: PartQueue;
  readonly #stream: ReplicationStream;
  #start: StartPoint | null = null;
  #reading: Reading | null = null;
  #closing: Promise<void> | null = null;
  #synchronous = false;
  #leaving: NodeJS.Timeout | null = null;

  constructor(options: PostgresCollectorOptions) {
    this.#options = options;
    this.#queue = new PartQueue(options.budget);
    this.#stream = new ReplicationStream({
      route: options.route,
      budget: options.budget,
      meter: options.meter,
      prepare: (client) => this.#prepare(client),
      onMessage: (bytes, start, end) => this.#reading?.assembler.message(bytes, start, end),
      onLargeMessage: (bytes, start) => this.#reading?.assembler.largeMessage(bytes, start) !== false,
      onKeepalive: (lsn, atMs, replyRequested) => this.#keepalive(lsn, atMs, replyRequested),
      onEnd: (error) => this.#fail(error),
    });
  }

  async *stream(start: StartPoint, signal: AbortSignal): AsyncGenerator<readonly TransactionPart[], void, undefined> {
    if (this.#start !== null) throw new TypeError('a Collector streams once');
    this.#start = start;
    const abort = (): void => this.#rest();
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else void this.#open();
    try {
      for (;;) {
        const parts = await this.#queue.take();
        if (parts === null) return;
        yield parts;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      if (!signal.aborted) await this.close();
    }
  }

  /**
   * Reads nothing more, also while the reader is elsewhere. The session stays for what is still on its way to the target,
   * and no longer: the source's shutdown must not wait for a reader that was told to stop.
   */
  #rest(): void {
    const reading = this.#reading;
    if (reading === null) return void this.close();
    this.#queue.end();
    this.#options.delivered.end();
    reading.idle.close();
    this.#stream.rest();
    this.#leaving ??= setTimeout(() => void this.close(), restMs);
  }

  async #open(): Promise<void> {
    const timer = setTimeout(() => this.#fail(noAnswer(this.#options.route.from)), openMs);
    try {
      await this.#stream.open();
    } catch (error) {
      this.#fail(error);
    } finally {
      clearTimeout(timer);
    }
  }

  acknowledge(durable: Position): void {
    if (this.#reading === null || this.#closing !== null) return;
    const lsn = parseLsn(durable);
    this.#reading.idle.acknowledged(lsn);
    this.#reading.acknowledger.acknowledge(lsn);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#queue.end();
    this.#options.delivered.end();
    if (this.#leaving !== null) clearTimeout(this.#leaving);
    this.#reading?.idle.close();
    this.#reading?.acknowledger.close();
    await Promise.all([this.#stream.close(), this.#reading?.monitor.close()]);
  }

  #fail(error: unknown): void {
    this.#queue.end(classifyPostgresError(error, this.#options.route.from.name));
    void this.close();
  }

  async #prepare(client: Queryable): Promise<{ readonly from: Lsn; readonly isEarly: boolean }> {
    const { route, stored, logger, side, onIdentity, replicated = [] } = this.#options;
    const start = this.#start;
    if (start === null) throw new TypeError('no start');
    const checked = await checkStart(client, { route, stored, start, replicated, side });
    if (checked.newIdentity !== null) await onIdentity(checked.newIdentity);
    if (checked.unpublished.length > 0)
      logger.warn({ tables: checked.unpublished }, 'tables match the route and were made after its queue');
    if (!checked.isKeptAtStandbys)
      logger.warn({ slot: queueNames(route).slot }, 'the server refuses to keep the slot at its standbys, too');
    this.#options.delivered.begin(checked.snapshot, checked);
    this.#synchronous = checked.isNamed;
    const early = this.#early(start, checked);
    if (this.#closing === null) this.#reading = this.#prepareReading(start, checked, early);
    const from = { confirmed: formatLsn(checked.confirmed), checkpoint: start.position };
    logger.info({ ...from, early: early !== null }, 'reading the change queue');
    return { from: checked.confirmed, isEarly: early !== null };
  }

  /**
   * In a backlog that may hold a large transaction, of which nothing was applied before: what the checkpoint covers is told by where a transaction ends, and of one that comes early that is
   * not known.
   */
  #early(
    start: StartPoint,
    { confirmed, flushed, decodingMemoryBytes, snapshot }: CheckedStart,
  ): EarlyTransactions | null {
    const { early, route } = this.#options;
    if (early === undefined || confirmed !== parseLsn(start.position)) return null;
    if (flushed - confirmed < BigInt(decodingMemoryBytes)) return null;
    return new EarlyTransactions({ ...early, route: route.name, snapshot, end: flushed });
  }

  #prepareReading(start: StartPoint, checked: CheckedStart, early: EarlyTransactions | null): Reading {
    const { route, logger } = this.#options;
    const { ddlKey } = checked;
    const carried = new CarriedSet(route, this.#options.carried, this.#options.joining);
    const checkpoint = parseLsn(start.position);
    const types = new TypeNames(checked.builtInTypes, checked.domainModifiers);
    const history = new HistoryCheck(route.name, start, checked.confirmed);
    const emit = (part: TransactionPart): void => {
      this.#queue.push(part);
      idle.note(part);
    };
    const idle = new IdleAdvancer({
      checkpoint,
      isSynchronous: () => this.#synchronous,
      inTransaction: () => assembler.inTransaction,
      emit,
    });
    const assembler = new TransactionAssembler({
      route: route.name,
      routeKey: routeKey(route),
      forward: route.forward,
      maxRowBytes: route.apply.maxRowBytes,
      checkpoint,
      history,
      relations: new RelationCache((table, id) => carried.rowsOf(table, id), types),
      types,
      commands: ddlKey === null ? null : new DdlReader({ route, key: ddlKey, carried, types, logger }),
      delivered: this.#options.delivered,
      early,
      isWatched: () => this.#options.isWatched?.() === true,
      idleUrgency: () => (this.#synchronous ? 'now' : 'ride'),
      emit,
    });
    const monitor = this.#monitor(checked, carried);
    return { assembler, history, idle, acknowledger: this.#acknowledger(checked, monitor), monitor };
  }

  #acknowledger({ confirmed, walSenderTimeoutMs }: CheckedStart, monitor: SourceMonitor): Acknowledger {
    return new Acknowledger({
      confirmed,
      walSenderTimeoutMs,
      send: (lsn, askForReply) => this.#stream.confirm(lsn, askForReply),
      silentMs: () => this.#stream.silentMs,
      isOutOfReach: () => monitor.silentMs > outOfReachMs,
      onSilence: () => this.#fail(noAnswer(this.#options.route.from)),
    });
  }

  #monitor({ walSenderPid }: CheckedStart, carried: CarriedSet): SourceMonitor {
    const { route, logger, heartbeatMs, onRetained, onClockOffset, onWritten, onNewTables, onTouched } = this.#options;
    const { isStill, onWorking } = this.#options;
    const { publication, ownsPublication } = queueNames(route);
    const isCarried = (schema: string, name: string): boolean =>
      this.#options.carried !== null && carried.has(schema, name);
    return new SourceMonitor({
      route,
      logger,
      heartbeatMs,
      walSenderPid,
      tables: new TableWatch({
        publication: ownsPublication ? null : publication,
        isNew: (schema, name) => carried.isNew(schema, name),
        isCarried,
        onNewTables: (tables) => onNewTables?.(tables),
        onTouched: (tables) => onTouched?.(tables),
      }),
      isCarried,
      onClockOffset: (offsetMs) => onClockOffset?.(offsetMs),
      onWritten: (end) => onWritten?.(end),
      isStill: () => isStill?.() === true,
      onWorking: () => onWorking?.(),
      onRetained: (bytes, room) => onRetained(bytes, room),
      onSynchronous: (synchronous) => {
        this.#synchronous = synchronous;
      },
      onLost: (error) => this.#fail(error),
      onShutdown: (error) => this.#leaveSoon(error),
    });
  }

  /**
   * A shutdown of the server waits until everything is confirmed. Where the target is slow or blocked that may be never;
   * the slot keeps what was not confirmed.
   */
  #leaveSoon(error: unknown): void {
    this.#leaving ??= setTimeout(() => this.#fail(error), leaveMs);
  }

  #keepalive(lsn: Lsn, atMs: number, replyRequested: boolean): void {
    const reading = this.#reading;
    if (reading === null) return;
    // The last one applied, which comes once more, may be the one that is open.
    if (!reading.assembler.inTransaction) reading.history.passed(lsn);
    reading.idle.keepalive(lsn, atMs, replyRequested);
  }
}
