import type { Row } from '../../../src/core/cell.ts';
import { type Change, isRowChange } from '../../../src/core/change.ts';
import type { ToldCommand } from '../../../src/core/column-alteration.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart, Urgency } from '../../../src/core/transaction.ts';
import { type BuilderMark, idleAdvance } from '../../sql/part-builder.ts';
import { readSignal } from '../signals.ts';
import { AnnouncedTables, type Place } from './announced-tables.ts';
import { ByteReader } from './binlog/byte-reader.ts';
import { type BinlogEvent, EventFramer } from './binlog/event-framer.ts';
import { eventTypes, ignorableFlag } from './binlog/event-types.ts';
import { readGtid, readTaggedGtid } from './binlog/gtid-event.ts';
import { readMariadbGtid } from './binlog/mariadb-gtid-event.ts';
import { isBegin, type QueryEvent, readCompressedQuery, readQuery, readSettings } from './binlog/query-event.ts';
import type { UnloggedFacts } from './binlog/row-plan.ts';
import { isRowsEvent, isUnchecked } from './binlog/rows-event.ts';
import { readTableId } from './binlog/table-map.ts';
import { readTransactionPayload } from './binlog/transaction-payload.ts';
import type { Collations } from './binlog/values/charsets.ts';
import { microsText } from './binlog/values/number-text.ts';
import { InvalidTextError } from './binlog/values/text-decoder.ts';
import { wantCharset } from './charset-tables.ts';
import { readAlter } from './definitions/read-alter.ts';
import type { LastTransaction } from './last-transaction.ts';
import { type OpenTransaction, openTransaction } from './open-transaction.ts';
import { type BinlogPosition, coversPosition, type FilePlace, formatPosition } from './position/binlog-position.ts';
import { Progress, type TransactionName } from './progress.ts';
import { readStatement, type Statement } from './read-statement.ts';
import { readableCommand, UnreadCharsetError } from './readable-command.ts';
import { RowEvents } from './row-events.ts';
import { type PlannedTable, TablePlans } from './table-plans.ts';
import { readUnread } from './unread-command.ts';
import { XaTransactions } from './xa-transactions.ts';

export interface AssemblerOptions {
  readonly route: string;
  /** Own heartbeats carry it: deployment/route. */
  readonly heartbeatId: string;
  readonly forward: 'own' | 'all';
  readonly maxRowBytes: number;
  /** What unpacked transactions may have, whole. */
  readonly maxPayloadBytes: number;
  /** What prepared transactions may hold until they are decided. */
  readonly maxPreparedBytes: number;
  readonly start: BinlogPosition;
  /** What the checkpoint's last transaction was: where it comes once more it has to be the same. */
  readonly lastCommit: LastTransaction | null;
  readonly collations: Collations;
  readonly mariadb: boolean;
  /** As ServerFacts has it. */
  readonly logsCascades: boolean;
  /** Whether events carry checksums before the first binlog has said so. */
  readonly checksums: boolean;
  isTaken(schema: string, name: string): boolean;
  /** Tables of this database are carried. */
  hasSchema(schema: string): boolean;
  /** Of a table that came later than the route: everything up to here was in its copy. */
  loadedTo(table: TableName): BinlogPosition | null;
  readonly catalogue: KnownCatalogue;
  /** Somebody reads the source between two watermarks: rows that another route has brought are wanted, too. */
  isWatched(): boolean;
  /** A transaction without an end, of which an earlier stream has given out parts: the server died while it wrote it. */
  isCutOff(id: string): boolean;
  onCutOff(id: string): void;
  onWatermark(id: string): void;
  /** A table was made that the route means and does not carry. */
  onNewTable(table: TableName): void;
  emit(part: TransactionPart): void;
  /** Takes from, or with a negative number gives back to, the route's byte budget. */
  hold(bytes: number): void;
}

/** What the catalogue says of the route's tables, as of a place of the binlog. */
export interface KnownCatalogue {
  /** Every definition in it was made before. */
  readonly position: BinlogPosition;
  table(table: TableName): TableVersion | null;
  hasSchema(schema: string): boolean;
  unlogged(table: TableName): UnloggedFacts;
}

type Definition = Extract<Statement, { kind: 'definition' }>;

/** A definition has changed that the catalogue was read before: it has to be read again, and the stream goes on from its position. */
export class StaleCatalogue extends Error {}

/**
 * Makes transaction parts of the events of one binlog session.
 *
 *   between transactions --GTID--> named --BEGIN--> begun --XID, COMMIT--> between transactions
 *                                    └── a statement that is a transaction of its own (DDL) ──┘
 *
 * A MariaDB GTID that is not standalone is its BEGIN, too. A server without GTIDs says BEGIN at once. A binlog holds whole
 * transactions, none inside another, in the order of their commits; only an XA transaction is logged when it is prepared, and decided
 * by one of its own later. A transaction that has nothing for the route still moves its position: it becomes an idle advance.
 */
export class TransactionAssembler {
  readonly #options: AssemblerOptions;
  readonly #framer: EventFramer;
  readonly #progress: Progress;
  readonly #plans: TablePlans;
  readonly #rows: RowEvents;
  readonly #xa: XaTransactions;
  readonly #announced = new AnnouncedTables((open) => this.#place(open));
  #open: OpenTransaction | null = null;
  /** Events that stand in a compressed transaction have no place of their own in the file. */
  #inPayload = false;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#framer = new EventFramer(options.checksums);
    this.#progress = new Progress(options.start);
    const position = (): string => this.position;
    const { route, maxRowBytes, maxPayloadBytes, maxPreparedBytes: maxBytes, emit, hold } = options;
    this.#rows = new RowEvents({ route, maxRowBytes, maxPayloadBytes, position });
    this.#xa = new XaTransactions({ route, maxBytes, progress: this.#progress, emit, hold });
    this.#plans = new TablePlans({
      route: options.route,
      collations: options.collations,
      mariadb: options.mariadb,
      isTaken: (schema, name) => options.isTaken(schema, name),
      unlogged: (table) => options.catalogue.unlogged(table),
      loadedTo: (table) => options.loadedTo(table),
      position,
    });
  }

  get position(): string {
    return this.#progress.position;
  }

  get place(): FilePlace {
    return this.#progress.place;
  }

  /** What XA transactions hold is given back. */
  close(): void {
    this.#xa.close();
  }

  /** One event, which lies in `bytes` from `start` to `end`. Throws a TidelockError; after that the session is of no more use. */
  event(bytes: Buffer, start: number, end: number): void {
    try {
      const event = this.#framer.event(bytes, start, end);
      this.#read(event);
      if (event.nextOffset > 0 && !isMadeUp(event)) this.#progress.passed(event.nextOffset, event.size);
    } catch (error) {
      if (error instanceof TidelockError || error instanceof StaleCatalogue) throw error;
      if (!(error instanceof RangeError) && !isOutOfRange(error)) throw error;
      const place = { route: this.#options.route, position: this.position };
      throw fail(sourceErrors.unreadableChange, { ...place, why: error.message }, error);
    }
  }

  #read(event: BinlogEvent): void {
    const { type } = event;
    if (isRowsEvent(type)) this.#rowsEvent(event);
    else if (type === eventTypes.tableMap) this.#tableMap(event);
    else if (type === eventTypes.xid) this.#end(event);
    else if (type === eventTypes.query) {
      if (isBegin(event)) this.#beginning(event);
      else this.#query(readQuery(event), event);
    } else if (type === eventTypes.gtid || type === eventTypes.anonymousGtid)
      this.#gtid(readGtid(event, eventTypes.anonymousGtid), event);
    else if (type === eventTypes.taggedGtid) this.#gtid(readTaggedGtid(event), event);
    else if (type === eventTypes.mariadbGtid) this.#mariadbGtid(event);
    else this.#rare(event);
  }

  #rare(event: BinlogEvent): void {
    const { type, flags } = event;
    const { route, maxPayloadBytes } = this.#options;
    if (type === eventTypes.mariadbQueryCompressed) this.#query(readCompressedQuery(event, maxPayloadBytes), event);
    else if (type === eventTypes.transactionPayload) {
      this.#transaction();
      this.#inPayload = true;
      for (const inner of readTransactionPayload(event, maxPayloadBytes)) this.#read(inner);
      this.#inPayload = false;
    } else if (type === eventTypes.rotate) this.#rotate(event);
    else if (type === eventTypes.formatDescription) {
      // Of the next file: a transaction that has not ended by then was cut off when the server died, and never committed.
      this.#abandon();
      this.#plans.forget();
    } else if (type === eventTypes.xaPrepare) this.#prepare(event);
    else if (type === eventTypes.incident) throw fail(sourceErrors.incident, { route, position: this.position });
    else if (type === eventTypes.beginLoadQuery || type === eventTypes.executeLoadQuery)
      throw fail(sourceErrors.statementLogged, { route, position: this.position, database: '' });
    else if (!passedOver.has(type) && (flags & ignorableFlag) === 0)
      throw new RangeError(`an unknown event of type ${type}`);
  }

  #prepare(event: BinlogEvent): void {
    const open = this.#transaction();
    const over = this.#xa.prepare(open, event);
    // What waits may never come: rows of others bring the definitions that it tells once more.
    if (over === null) this.#announced.takeBack(changesOf(open).toReversed());
    this.#end(event, over);
  }

  #rotate(event: BinlogEvent): void {
    const reader = new ByteReader(event.bytes, event.start, event.end);
    const offset = Number(reader.uint64());
    this.#progress.rotate(reader.text(reader.left), offset);
  }

  #abandon(): void {
    const open = this.#open;
    this.#open = null;
    if (open === null || open.skipped === 'applied') return;
    if (open.prepared) {
      this.#announced.takeBack(changesOf(open).toReversed());
      this.#xa.forget(open);
      return;
    }
    const undone = open.builder.rewind(open.beginning);
    if (undone !== null) {
      this.#announced.takeBack(undone.toReversed());
      return;
    }
    // Parts that were given out are without a commit: whoever reads them can't be told to forget them but by an end of the stream.
    this.#options.onCutOff(open.id);
    const { route } = this.#options;
    throw fail(sourceErrors.cutOff, { route, position: this.position, transaction: open.id });
  }

  #gtid(gtid: ReturnType<typeof readGtid>, event: BinlogEvent): void {
    const { source, number, committedAtMicros, firstAtMicros } = gtid;
    const atMicros = committedAtMicros ?? event.timestamp * 1_000_000;
    const { kind } = this.#progress;
    if (source === null) {
      // Where positions are places in files, an anonymous one is as good.
      if (kind !== 'file') throw this.#otherKind('an anonymous transaction');
      this.#begin({ kind: 'file' }, '', atMicros);
      return;
    }
    if (kind === 'gtid')
      this.#known(this.#begin({ kind, source, number }, `${source}:${number}`, atMicros, firstAtMicros));
    else if (kind === 'file') this.#begin({ kind: 'file' }, `${source}:${number}`, atMicros);
    else throw this.#otherKind("a GTID of MySQL's");
  }

  /** A source that was restored, and has gone on, gives the same numbers to other transactions. */
  #known({ id, atMicros, commitId }: OpenTransaction): void {
    const { lastCommit, route } = this.#options;
    if (lastCommit === null || lastCommit.gtid !== id) return;
    if (lastCommit.id === commitId || lastCommit.id === `${id}@${atMicros}`) return;
    const expected = lastCommit.id;
    throw fail(sourceErrors.historyDiffers, { route, checkpoint: this.position, expected, found: commitId });
  }

  #mariadbGtid(event: BinlogEvent): void {
    const gtid = readMariadbGtid(event);
    const { kind } = this.#progress;
    if (kind === 'gtid') throw this.#otherKind("a GTID of MariaDB's");
    const id = `${gtid.domain}-${gtid.server}-${gtid.sequence}`;
    // The server begins behind the position: what is not above it was given its number out of order, and would be taken for applied here and by each later start.
    if (kind === 'mariadb' && this.#progress.has({ kind, gtid }))
      throw fail(sourceErrors.outOfOrder, { route: this.#options.route, position: this.position, gtid: id });
    const open = this.#begin(kind === 'mariadb' ? { kind, gtid } : { kind: 'file' }, id, event.timestamp * 1_000_000);
    if (gtid.xa === 'prepared') open.prepared = true;
    open.begun = !gtid.standalone && gtid.xa !== 'completed';
    open.isWithoutEffect = gtid.isAlterWithoutEffect;
  }

  #otherKind(expected: string): TidelockError {
    return fail(sourceErrors.positionKind, { route: this.#options.route, position: this.position, expected });
  }

  #begin(name: TransactionName, id: string, atMicros: number, firstAtMicros: number | null = null): OpenTransaction {
    if (this.#open !== null) throw new RangeError('a transaction begins inside another');
    const { place } = this.#progress;
    const named = id === '' ? `${place.file}:${place.offset}` : id;
    const open = openTransaction({
      name,
      id: named,
      // A source that was restored gives the same numbers again, at another time.
      commitId: `${named}@${microsText(firstAtMicros ?? atMicros)}`,
      atMicros,
      isApplied: this.#progress.has(name) || (id !== '' && this.#options.isCutOff(id)),
      emit: this.#emitPart,
    });
    this.#open = open;
    return open;
  }

  #transaction(): OpenTransaction {
    if (this.#open === null) throw new RangeError('a change outside of a transaction');
    return this.#open;
  }

  readonly #emitPart = (part: TransactionPart): void => {
    const open = this.#open;
    if (open?.prepared) this.#xa.hold(open, part);
    else this.#options.emit(part);
  };

  /** `over`: what ends with the event, where it is not the transaction that is open. */
  #end(event: BinlogEvent, over: OpenTransaction | null = this.#transaction()): void {
    this.#open = null;
    this.#settle(event);
    if (over === null || over.skipped === 'applied') return;
    this.#progress.add(over.name);
    this.#finish(over);
  }

  /** The place behind the event that ends a transaction is part of its position. */
  #settle(event: BinlogEvent): void {
    if (!this.#inPayload && event.nextOffset > 0) this.#progress.passed(event.nextOffset, event.size);
  }

  #finish(open: OpenTransaction): void {
    const commit = {
      position: this.#progress.position,
      atMs: Math.floor(open.atMicros / 1_000),
      id: open.commitId,
    };
    const urgency: Urgency = open.marked ? 'now' : 'ride';
    if (open.builder.empty && open.rows === 0) this.#options.emit(idleAdvance(commit, urgency));
    else open.builder.finish(commit, urgency);
  }

  #tableMap(event: BinlogEvent): void {
    this.#transaction();
    this.#plans.describe(event);
  }

  #rowsEvent(event: BinlogEvent): void {
    const open = this.#transaction();
    const { first } = open;
    if (open.skipped === 'applied') return;
    const table = this.#plans.get(readTableId(event));
    if (table.signals) {
      this.#signals(open, event, table, first);
      return;
    }
    open.first = false;
    if (open.skipped === 'replicated') return;
    if (this.#isLoaded(open, table.loadedTo)) return;
    if (table.refused !== null) throw table.refused;
    if (table.plan === null) return;
    // What MySQL's cascades do is logged: nothing of it is done at the target, whatever the session has switched off.
    if (this.#options.mariadb) open.builder.unchecked = isUnchecked(event);
    this.#announced.announce(open, table.plan.table);
    this.#rows.read(event, table.plan, (change, bytes) => {
      open.rows++;
      open.builder.addRow(change, bytes);
    });
  }

  #place({ name }: OpenTransaction): Place {
    return { at: this.#progress.position, until: formatPosition(this.#progress.after(name)) };
  }

  #isLoaded({ name }: OpenTransaction, loadedTo: BinlogPosition | null): boolean {
    return loadedTo !== null && coversPosition(loadedTo, this.#progress.after(name));
  }

  #signals(open: OpenTransaction, event: BinlogEvent, { plan, refused }: PlannedTable, first: boolean): void {
    if (plan === null) throw refused ?? new RangeError('signals that can not be read');
    this.#rows.read(event, plan, (change) => {
      if (change.kind !== 'delete') this.#signal(open, change.after, first);
    });
  }

  #signal(open: OpenTransaction, row: Row, first: boolean): void {
    const signal = readSignal(row);
    if (signal.kind === 'origin') {
      if (!first) return;
      open.builder.origin = signal.origin;
      if (this.#options.forward !== 'own') return;
      open.skipped = this.#options.isWatched() ? 'watched' : 'replicated';
      open.builder.replicated = open.skipped === 'watched';
    } else if (open.skipped === null && signal.kind !== 'node') {
      const isOwn = signal.id === this.#options.heartbeatId;
      if (signal.kind === 'mark') open.marked = true;
      else if (isOwn && signal.kind === 'watermark') {
        open.builder.add({ kind: 'watermark', id: signal.watermark });
        this.#options.onWatermark(signal.watermark);
      } else if (isOwn && signal.kind === 'heartbeat')
        open.builder.add({ kind: 'heartbeat', id: signal.id, sentAtMs: signal.sentAtMs });
    }
  }

  #beginning(event: BinlogEvent): void {
    const open = this.#open ?? this.#begin({ kind: 'file' }, '', event.timestamp * 1_000_000);
    if (this.#progress.kind !== 'file' && open.name.kind === 'file')
      throw this.#otherKind('a transaction without a GTID');
    open.begun = true;
  }

  #query(query: QueryEvent, event: BinlogEvent): void {
    const statement = this.#statementOf(query);
    const { kind } = statement;
    if (kind === 'begin') {
      this.#beginning(event);
      return;
    }
    // What a server without GTIDs logs between transactions is one of its own.
    const open = this.#open ?? this.#begin({ kind: 'file' }, '', event.timestamp * 1_000_000);
    if (isXaStart(query)) open.prepared = true;
    if (kind === 'commit') this.#end(event);
    else if (kind === 'rollback') this.#rollback(open, event);
    else if (kind === 'savepoint') {
      open.savepoints ??= new Map();
      open.savepoints.set(statement.name, open.builder.mark);
    } else if (kind === 'rollbackTo') this.#undo(open, open.savepoints?.get(statement.name));
    else if (kind === 'xaCommit' || kind === 'xaRollback')
      this.#end(event, this.#xa.decide(open, query.text, kind === 'xaCommit'));
    else {
      // With binlog_alter_two_phase the same text comes once more behind the GTID that tells of its end: only that one counts.
      const isNothing = open.isWithoutEffect && kind !== 'rows';
      if (open.skipped !== 'applied' && !isNothing) this.#statement(open, statement, query);
      const stays =
        open.begun || kind === 'release' || isXaPart(query) || (statement.kind === 'definition' && statement.opens);
      if (statement.kind === 'definition' && statement.opens) open.begun = true;
      if (!stays) this.#end(event);
    }
  }

  #statementOf(query: QueryEvent): Statement {
    const { mariadb, collations } = this.#options;
    const { collations: ids, ...quotes } = readSettings(query, mariadb);
    const client = ids[0] === undefined ? null : (collations.get(ids[0]) ?? null);
    const place = { database: query.database, dialect: { mariadb, ...quotes } };
    try {
      const { text, decode } = readableCommand(query.text, client);
      return readStatement(text, { ...place, decode });
    } catch (error) {
      const isUnread = error instanceof UnreadCharsetError;
      if (!isUnread && !(error instanceof InvalidTextError)) throw error;
      // What its bytes mean is asked of the server as the next session begins.
      if (isUnread && wantCharset(error.charset)) throw new StaleCatalogue();
      const isFollowed = (database: string): boolean => this.#hasSchema(database);
      const statement = readUnread(query.text, { ...place, client, isFollowed });
      if (statement !== null) return statement;
      throw new RangeError(isUnread ? error.message : 'a command that is no text of its charset');
    }
  }

  #statement(open: OpenTransaction, statement: Statement, query: QueryEvent): void {
    const { database } = query;
    const { route, isTaken, loadedTo } = this.#options;
    const taken = (table: TableName): boolean =>
      isTaken(table.schema, table.name) && !this.#isLoaded(open, loadedTo(table));
    if (statement.kind === 'rows' && (statement.tables === null || statement.tables.some(taken)))
      throw fail(sourceErrors.statementLogged, { route, position: this.position, database });
    if (open.skipped === 'replicated') return;
    if (statement.kind === 'truncate' && taken(statement.table)) this.#truncate(open, statement.table);
    if (statement.kind === 'definition') {
      if (statement.replaces && taken(statement.table))
        throw this.#unseen(tableLabel(statement.table), 'CREATE OR REPLACE TABLE');
      this.#definition(open, statement, query);
    }
    if (statement.kind !== 'unseen') return;
    const { what } = statement;
    const table = statement.tables.find(taken);
    if (table !== undefined) throw this.#unseen(tableLabel(table), what);
    const dropped = statement.databases.find((name) => this.#hasSchema(name));
    if (dropped !== undefined) throw this.#unseen(dropped, what);
  }

  #hasSchema(name: string): boolean {
    const { hasSchema, catalogue } = this.#options;
    return this.#announced.hasSchema(name) || hasSchema(name) || catalogue.hasSchema(name);
  }

  #unseen(table: string, what: string): TidelockError {
    return fail(sourceErrors.unseenChange, { route: this.#options.route, table, position: this.position, what });
  }

  /** What a command does to a table: told at once, beside the columns that the catalogue has by then. */
  #definition(open: OpenTransaction, { table, alters }: Definition, query: QueryEvent): void {
    const { isTaken, catalogue, onNewTable, loadedTo } = this.#options;
    if (!isTaken(table.schema, table.name)) {
      onNewTable(table);
      return;
    }
    if (this.#isLoaded(open, loadedTo(table))) return;
    // Of servers without GTIDs the place in front of the command is known: what was read there has it.
    if (!coversPosition(catalogue.position, this.#progress.after(open.name))) throw new StaleCatalogue();
    this.#announced.touch(table);
    const told = alters ? this.#alter(table, query) : [];
    const version = catalogue.table(table) ?? (told.length > 0 ? { ...table, columns: [], identity: 'full' } : null);
    if (version !== null) this.#announced.announce(open, version, told);
  }

  #alter(table: TableName, query: QueryEvent): ToldCommand {
    const { mariadb, collations, logsCascades } = this.#options;
    const { collations: ids, ...quotes } = readSettings(query, mariadb);
    const charsets = ids.map((id) => collations.get(id)?.charset ?? '');
    const { text, database } = query;
    return readAlter(table, { text, database, charsets, dialect: { mariadb, ...quotes }, logsCascades });
  }

  #truncate(open: OpenTransaction, table: TableName): void {
    const version = this.#announced.get(table) ?? this.#options.catalogue.table(table);
    if (version === null) throw this.#unseen(tableLabel(table), 'TRUNCATE');
    // No row comes with it that would tell what the table is by then, and what was told last may be the catalogue's, which is further.
    this.#announced.touch(table);
    this.#announced.announce(open, version, []);
    open.first = false;
    open.builder.add({ kind: 'truncate', tables: [version], restartIdentity: true });
  }

  /**
   * Logged where a transaction has changed tables without transactions, too: these stand in groups of their own before it, and what is in
   * it is undone.
   */
  #rollback(open: OpenTransaction, event: BinlogEvent): void {
    this.#undo(open, open.beginning);
    this.#end(event);
  }

  #undo(open: OpenTransaction, mark: BuilderMark | undefined): void {
    if (open.skipped === 'applied' || open.skipped === 'replicated') return;
    const undone = mark === undefined ? null : open.builder.rewind(mark);
    if (undone === null) throw fail(sourceErrors.undoneRows, { route: this.#options.route, position: this.position });
    const latestFirst = undone.toReversed();
    open.rows -= latestFirst.filter(isRowChange).length;
    this.#announced.takeBack(latestFirst);
  }
}

/** Of one whose parts are held back: all so far. */
function changesOf({ parts, builder }: OpenTransaction): Change[] {
  return [...parts.flatMap(({ changes }) => changes), ...builder.pending];
}

/** Without a place in a file: the server has made it up for its reader. */
function isMadeUp({ type, flags }: BinlogEvent): boolean {
  const artificial = 0x20;
  return (
    (flags & artificial) !== 0 ||
    type === eventTypes.rotate ||
    type === eventTypes.heartbeat ||
    type === eventTypes.heartbeatV2
  );
}

/** XA START and XA END stand around the rows of a transaction that is about to be prepared. */
function isXaPart({ text }: QueryEvent): boolean {
  return /^\s*XA\s+(START|BEGIN|END)\b/i.test(text);
}

/** From here on the rows are those of a transaction that will be prepared. */
function isXaStart({ text }: QueryEvent): boolean {
  return /^\s*XA\s+(START|BEGIN)\b/i.test(text);
}

/** As Buffer throws it where it is read beyond its end. */
function isOutOfRange(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_RANGE';
}

/** Events that tell nothing of rows. */
const passedOver: ReadonlySet<number> = new Set([
  eventTypes.stop,
  eventTypes.intVar,
  eventTypes.rand,
  eventTypes.userVar,
  eventTypes.heartbeat,
  eventTypes.heartbeatV2,
  eventTypes.ignorable,
  eventTypes.rowsQuery,
  eventTypes.previousGtids,
  eventTypes.transactionContext,
  eventTypes.viewChange,
  eventTypes.mariadbAnnotateRows,
  eventTypes.mariadbBinlogCheckpoint,
  eventTypes.mariadbGtidList,
  eventTypes.mariadbStartEncryption,
]);
