import type { Row } from '../../../src/core/cell.ts';
import { type Change, isRowChange, type RowChange } from '../../../src/core/change.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart, Urgency } from '../../../src/core/transaction.ts';
import { type BuilderMark, idleAdvance, PartBuilder } from '../../sql/part-builder.ts';
import { readSignal, signalTable } from '../signals.ts';
import { ByteReader } from './binlog/byte-reader.ts';
import { type BinlogEvent, EventFramer } from './binlog/event-framer.ts';
import { eventTypes, ignorableFlag } from './binlog/event-types.ts';
import { readGtid, readTaggedGtid } from './binlog/gtid-event.ts';
import { readMariadbGtid } from './binlog/mariadb-gtid-event.ts';
import { type QueryEvent, readCompressedQuery, readQuery } from './binlog/query-event.ts';
import type { RowPlan } from './binlog/row-plan.ts';
import { RowReader, UnreadableValueError } from './binlog/row-reader.ts';
import { isRowsEvent, type RowsEvent, readPartialColumns, readRowsEvent } from './binlog/rows-event.ts';
import { readTableId } from './binlog/table-map.ts';
import { readTransactionPayload } from './binlog/transaction-payload.ts';
import type { Collations } from './binlog/values/charsets.ts';
import type { BinlogPosition } from './position/binlog-position.ts';
import { PreparedTransactions } from './prepared-transactions.ts';
import { Progress, type TransactionName } from './progress.ts';
import { readStatement, type Statement } from './read-statement.ts';
import { type PlannedTable, sameDefinition, TablePlans } from './table-plans.ts';

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
  readonly collations: Collations;
  readonly mariadb: boolean;
  /** Whether events carry checksums before the first binlog has said so. */
  readonly checksums: boolean;
  isTaken(schema: string, name: string): boolean;
  /** As the catalogue has it, of a table that was emptied before a row of it came. */
  tableOf(table: TableName): TableVersion | null;
  emit(part: TransactionPart): void;
  /** Takes from, or with a negative number gives back to, the route's byte budget. */
  hold(bytes: number): void;
}

interface OpenTransaction {
  readonly name: TransactionName;
  readonly id: string;
  readonly atMicros: number;
  readonly builder: PartBuilder;
  readonly parts: TransactionPart[];
  /** Between BEGIN and its end; before it a Query event is the whole transaction. */
  begun: boolean;
  /** `applied` before the restart, or `replicated` from a node and not to be forwarded: only its end is of interest. */
  skipped: 'applied' | 'replicated' | null;
  /** Nothing with rows has come: an origin counts only there. */
  first: boolean;
  /** Somebody waits for the position. */
  marked: boolean;
  /** Rows of the route so far. */
  rows: number;
  /** The beginning, and savepoints by name. */
  readonly marks: Map<string, BuilderMark>;
  /** The end of an XA START: its rows are held until they are decided. */
  prepared: boolean;
}

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
  readonly #rows = new RowReader();
  readonly #prepared: PreparedTransactions<OpenTransaction>;
  /** The definition of each table that was last told, by label. */
  readonly #told = new Map<string, TableVersion>();
  #open: OpenTransaction | null = null;
  /** Events that stand in a compressed transaction have no place of their own in the file. */
  #inPayload = false;

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#framer = new EventFramer(options.checksums);
    this.#progress = new Progress(options.start);
    this.#prepared = new PreparedTransactions(options.route, options.maxPreparedBytes, (bytes) => options.hold(bytes));
    this.#plans = new TablePlans({
      route: options.route,
      collations: options.collations,
      mariadb: options.mariadb,
      isTaken: (schema, name) => isSignalTable({ schema, name }) || options.isTaken(schema, name),
      position: () => this.position,
    });
  }

  get position(): string {
    return this.#progress.position;
  }

  /** What XA transactions hold is given back. */
  close(): void {
    this.#prepared.close();
  }

  /** One event, which lies in `bytes` from `start` to `end`. Throws a TidelockError; after that the session is of no more use. */
  event(bytes: Buffer, start: number, end: number): void {
    try {
      const event = this.#framer.event(bytes, start, end);
      this.#read(event);
      if (event.nextOffset > 0 && !isMadeUp(event)) this.#progress.passed(event.nextOffset, event.size);
    } catch (error) {
      if (error instanceof TidelockError) throw error;
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
    else if (type === eventTypes.query) this.#query(readQuery(event), event);
    else if (type === eventTypes.gtid || type === eventTypes.anonymousGtid)
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
    } else if (type === eventTypes.xaPrepare) this.#xaPrepare(event);
    else if (type === eventTypes.incident) throw fail(sourceErrors.incident, { route, position: this.position });
    else if (type === eventTypes.beginLoadQuery || type === eventTypes.executeLoadQuery)
      throw fail(sourceErrors.statementLogged, { route, position: this.position, database: '' });
    else if (!passedOver.has(type) && (flags & ignorableFlag) === 0)
      throw new RangeError(`an unknown event of type ${type}`);
  }

  #rotate(event: BinlogEvent): void {
    const reader = new ByteReader(event.bytes, event.start, event.end);
    const offset = Number(reader.uint64());
    this.#progress.rotate(reader.text(reader.left), offset);
  }

  #abandon(): void {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    // Parts that were given out are without a commit: whoever reads them can't be told to forget them but by an end of the stream.
    if (open.rows > 0) throw new RangeError('a binlog ends inside a transaction');
  }

  #gtid({ source, number, committedAtMicros }: ReturnType<typeof readGtid>, event: BinlogEvent): void {
    const atMicros = committedAtMicros ?? event.timestamp * 1_000_000;
    const { kind } = this.#progress;
    if (source === null) {
      // Where positions are places in files, an anonymous one is as good.
      if (kind !== 'file') throw this.#otherKind('an anonymous transaction');
      this.#begin({ kind: 'file' }, '', atMicros);
      return;
    }
    if (kind === 'gtid')
      this.#begin({ kind: 'gtid', gtid: { source, number, committedAtMicros } }, `${source}:${number}`, atMicros);
    else if (kind === 'file') this.#begin({ kind: 'file' }, `${source}:${number}`, atMicros);
    else throw this.#otherKind("a GTID of MySQL's");
  }

  #mariadbGtid(event: BinlogEvent): void {
    const gtid = readMariadbGtid(event);
    const { kind } = this.#progress;
    if (kind === 'gtid') throw this.#otherKind("a GTID of MariaDB's");
    const id = `${gtid.domain}-${gtid.server}-${gtid.sequence}`;
    const open = this.#begin(kind === 'mariadb' ? { kind, gtid } : { kind: 'file' }, id, event.timestamp * 1_000_000);
    if (gtid.xa === 'prepared') open.prepared = true;
    open.begun = !gtid.standalone && gtid.xa !== 'completed';
  }

  #otherKind(expected: string): TidelockError {
    return fail(sourceErrors.positionKind, { route: this.#options.route, position: this.position, expected });
  }

  #begin(name: TransactionName, id: string, atMicros: number): OpenTransaction {
    if (this.#open !== null) throw new RangeError('a transaction begins inside another');
    const { place } = this.#progress;
    const parts: TransactionPart[] = [];
    const named = id === '' ? `${place.file}:${place.offset}` : id;
    const builder = new PartBuilder(named, (part) => this.#part(part));
    const open: OpenTransaction = {
      name,
      id: named,
      atMicros,
      builder,
      marks: new Map([['', builder.mark]]),
      parts,
      begun: false,
      skipped: this.#progress.has(name) ? 'applied' : null,
      first: true,
      marked: false,
      rows: 0,
      prepared: false,
    };
    this.#open = open;
    return open;
  }

  #transaction(): OpenTransaction {
    if (this.#open === null) throw new RangeError('a change outside of a transaction');
    return this.#open;
  }

  #part(part: TransactionPart): void {
    const open = this.#open;
    if (open?.prepared) this.#prepared.hold(open.parts, part, this.position);
    else this.#options.emit(part);
  }

  #end(event: BinlogEvent): void {
    const open = this.#transaction();
    this.#open = null;
    this.#settle(event);
    if (open.skipped === 'applied') return;
    this.#progress.add(open.name);
    this.#finish(open);
  }

  /** The place behind the event that ends a transaction is part of its position. */
  #settle(event: BinlogEvent): void {
    if (!this.#inPayload && event.nextOffset > 0) this.#progress.passed(event.nextOffset, event.size);
  }

  #finish(open: OpenTransaction): void {
    const commit = {
      position: this.#progress.position,
      atMs: Math.floor(open.atMicros / 1_000),
      // A source that was restored gives the same numbers again, at another time.
      id: `${open.id}@${open.atMicros}`,
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
    if (isSignalTable(table)) {
      this.#signals(open, event, table, first);
      return;
    }
    open.first = false;
    if (open.skipped !== null) return;
    if (table.refused !== null) throw table.refused;
    if (table.plan === null) return;
    this.#announce(open, table.plan.table);
    this.#readRows(open, event, table.plan);
  }

  #readRows(open: OpenTransaction, event: BinlogEvent, plan: RowPlan): void {
    const rows = readRowsEvent(event, this.#options.maxPayloadBytes);
    const { table } = plan;
    this.#demandWhole(rows, plan);
    const reader = this.#rows;
    reader.open(rows.bytes, rows.start, rows.end);
    try {
      while (reader.left > 0) {
        const at = reader.at;
        const change = readChange(reader, rows, plan);
        const bytes = reader.at - at;
        if (bytes > this.#options.maxRowBytes) throw this.#tooLarge(table, bytes);
        open.rows++;
        open.builder.addRow(change, memoryOf(change, bytes));
      }
    } catch (error) {
      if (!(error instanceof UnreadableValueError)) throw error;
      const place = { route: this.#options.route, table: tableLabel(table), position: this.position };
      throw fail(sourceErrors.unreadableValue, {
        ...place,
        column: table.columns[error.column]?.name ?? '?',
        why: error.message,
      });
    } finally {
      reader.close();
    }
  }

  #demandWhole(rows: RowsEvent, plan: RowPlan): void {
    if (rows.columns !== plan.columns) throw new RangeError('rows with another number of columns than their table');
    if (rows.before === null && rows.after === null) return;
    const { route } = this.#options;
    throw fail(sourceErrors.partialImage, { route, table: tableLabel(plan.table), position: this.position });
  }

  #tooLarge(table: TableVersion, bytes: number): TidelockError {
    const { route, maxRowBytes } = this.#options;
    const place = { route, table: tableLabel(table), position: this.position };
    return fail(sourceErrors.rowTooLarge, { ...place, bytes, maxBytes: maxRowBytes });
  }

  #announce(open: OpenTransaction, table: TableVersion): void {
    const label = tableLabel(table);
    const before = this.#told.get(label) ?? null;
    if (before === table) return;
    this.#told.set(label, table);
    if (before !== null && sameDefinition(before, table) && !this.#touched.has(label)) return;
    this.#touched.delete(label);
    const at = this.#progress.position;
    open.builder.add({ kind: 'schemaChange', from: before, to: table, tableId: label, seen: null, at });
  }

  /** Tables that a command was about since they were announced: what has changed may not show in their columns. */
  readonly #touched = new Set<string>();

  #signals(open: OpenTransaction, event: BinlogEvent, { plan, refused }: PlannedTable, first: boolean): void {
    if (plan === null) throw refused ?? new RangeError('signals that can not be read');
    const rows = readRowsEvent(event, this.#options.maxPayloadBytes);
    this.#demandWhole(rows, plan);
    const reader = this.#rows;
    reader.open(rows.bytes, rows.start, rows.end);
    try {
      while (reader.left > 0) {
        const change = readChange(reader, rows, plan);
        if (change.kind !== 'delete') this.#signal(open, change.after, first);
      }
    } finally {
      reader.close();
    }
  }

  #signal(open: OpenTransaction, row: Row, first: boolean): void {
    const signal = readSignal(row);
    if (signal.kind === 'origin') {
      if (!first) return;
      open.builder.origin = signal.origin;
      if (this.#options.forward === 'own') open.skipped = 'replicated';
    } else if (open.skipped === null && signal.kind !== 'node') {
      const isOwn = signal.id === this.#options.heartbeatId;
      if (signal.kind === 'mark') open.marked = true;
      else if (isOwn && signal.kind === 'watermark') open.builder.add({ kind: 'watermark', id: signal.watermark });
      else if (isOwn && signal.kind === 'heartbeat')
        open.builder.add({ kind: 'heartbeat', id: signal.id, sentAtMs: signal.sentAtMs });
    }
  }

  #query(query: QueryEvent, event: BinlogEvent): void {
    const statement = readStatement(query.text, query.database);
    const { kind } = statement;
    if (kind === 'begin') {
      const open = this.#open ?? this.#begin({ kind: 'file' }, '', event.timestamp * 1_000_000);
      if (this.#progress.kind !== 'file' && open.name.kind === 'file')
        throw this.#otherKind('a transaction without a GTID');
      open.begun = true;
      return;
    }
    // What a server without GTIDs logs between transactions is one of its own.
    const open = this.#open ?? this.#begin({ kind: 'file' }, '', event.timestamp * 1_000_000);
    if (isXaStart(query)) open.prepared = true;
    if (kind === 'commit') this.#end(event);
    else if (kind === 'rollback') this.#rollback(open, event);
    else if (kind === 'savepoint') open.marks.set(statement.name, open.builder.mark);
    else if (kind === 'rollbackTo') this.#undo(open, open.marks.get(statement.name));
    else if (kind === 'xaCommit' || kind === 'xaRollback') this.#decide(open, event, query, kind === 'xaCommit');
    else {
      if (open.skipped !== 'applied') this.#statement(open, statement, query);
      const stays =
        open.begun || kind === 'release' || isXaPart(query) || (statement.kind === 'definition' && statement.opens);
      if (statement.kind === 'definition' && statement.opens) open.begun = true;
      if (!stays) this.#end(event);
    }
  }

  #statement(open: OpenTransaction, statement: Statement, { database }: QueryEvent): void {
    const { route, isTaken } = this.#options;
    const taken = ({ schema, name }: TableName): boolean => isTaken(schema, name);
    if (statement.kind === 'rows' && (statement.tables === null || statement.tables.some(taken)))
      throw fail(sourceErrors.statementLogged, { route, position: this.position, database });
    if (open.skipped !== null) return;
    if (statement.kind === 'truncate' && taken(statement.table)) this.#truncate(open, statement.table);
    if (statement.kind === 'definition' && taken(statement.table)) this.#touched.add(tableLabel(statement.table));
    if (statement.kind !== 'unseen') return;
    const { what } = statement;
    const table = statement.tables.find(taken);
    if (table !== undefined) throw this.#unseen(tableLabel(table), what);
    const dropped = statement.databases.find((name) => [...this.#told.values()].some(({ schema }) => schema === name));
    if (dropped !== undefined) throw this.#unseen(dropped, what);
  }

  #unseen(table: string, what: string): TidelockError {
    return fail(sourceErrors.unseenChange, { route: this.#options.route, table, position: this.position, what });
  }

  #truncate(open: OpenTransaction, table: TableName): void {
    const version = this.#told.get(tableLabel(table)) ?? this.#options.tableOf(table);
    if (version === null) throw this.#unseen(tableLabel(table), 'TRUNCATE');
    this.#announce(open, version);
    open.first = false;
    const change: Change = { kind: 'truncate', tables: [version], restartIdentity: true };
    open.builder.add(change);
  }

  /**
   * Logged where a transaction has changed tables without transactions, too: these stand in groups of their own before it, and what is in
   * it is undone.
   */
  #rollback(open: OpenTransaction, event: BinlogEvent): void {
    this.#undo(open, open.marks.get(''));
    this.#end(event);
  }

  #undo(open: OpenTransaction, mark: BuilderMark | undefined): void {
    if (open.skipped !== null) return;
    const undone = mark === undefined ? null : open.builder.rewind(mark);
    if (undone === null) throw fail(sourceErrors.undoneRows, { route: this.#options.route, position: this.position });
    for (const change of undone.toReversed()) {
      if (isRowChange(change)) open.rows--;
      if (change.kind !== 'schemaChange') continue;
      // It has still to be told, with the next row.
      const label = tableLabel(change.to);
      if (change.from === null) this.#told.delete(label);
      else this.#told.set(label, change.from);
      this.#touched.add(label);
    }
  }

  /** The end of an XA transaction that is prepared: MySQL leaves a hole in the position until it is decided. */
  #xaPrepare(event: BinlogEvent): void {
    const open = this.#transaction();
    const reader = new ByteReader(event.bytes, event.start, event.end);
    const onePhase = reader.uint(1) !== 0;
    if (onePhase) {
      this.#release(open);
      this.#end(event);
      return;
    }
    reader.skip(4);
    const [global, branch] = [reader.uint(4), reader.uint(4)];
    const xid = `${reader.view(global).toString('hex')},${reader.view(branch).toString('hex')}`;
    this.#open = null;
    this.#settle(event);
    if (open.skipped === 'applied') return;
    if (open.name.kind !== 'gtid') {
      if (open.rows > 0) throw this.#cannotPrepare('only with GTIDs of MySQL its place is known after a restart');
      this.#progress.add(open.name);
      this.#prepared.passOver(xid);
      this.#finish({ ...open, prepared: false });
      return;
    }
    this.#prepared.add(xid, open);
  }

  #cannotPrepare(why: string): TidelockError {
    return fail(sourceErrors.preparedTransaction, { route: this.#options.route, position: this.position, why });
  }

  /** It was no XA transaction of two phases after all: what was held goes out. */
  #release(open: OpenTransaction): void {
    open.prepared = false;
    for (const part of this.#prepared.release(open.parts)) this.#options.emit(part);
  }

  #decide(open: OpenTransaction, event: BinlogEvent, { text }: QueryEvent, commits: boolean): void {
    this.#open = null;
    this.#settle(event);
    if (open.skipped === 'applied') return;
    const xid = /^\s*XA\s+\w+\s+X'([0-9a-f]*)',X'([0-9a-f]*)'/i.exec(text);
    const name = `${xid?.[1] ?? ''},${xid?.[2] ?? ''}`.toLowerCase();
    const decided = this.#prepared.take(name);
    if (decided === null && commits) throw this.#cannotPrepare('it was prepared before the route began');
    this.#progress.add(open.name);
    if (decided === null || decided === 'passed') {
      this.#finish(open);
      return;
    }
    this.#progress.add(decided.name);
    if (!commits) {
      this.#prepared.release(decided.parts);
      this.#finish(open);
      return;
    }
    this.#release(decided);
    this.#finish({ ...decided, atMicros: open.atMicros });
  }
}

function readChange(reader: RowReader, rows: RowsEvent, plan: RowPlan): RowChange {
  const { table } = plan;
  if (rows.kind === 'insert') return { kind: 'insert', table, after: reader.image(plan, null, false, null) };
  if (rows.kind === 'delete') return { kind: 'delete', table, before: reader.image(plan, null, false, null) };
  const before = reader.image(plan, null, rows.partial, null);
  const partial = rows.partial ? reader.partialColumns((head) => readPartialColumns(head, plan.json)) : null;
  return { kind: 'update', table, before, after: reader.image(plan, null, false, partial) };
}

/**
 * What a row takes: a binlog tells no more of a value than it needs, and each is a text here, with its place in an array; its values
 * are about twice what they are in the log, and it has some objects of its own.
 */
function memoryOf(change: RowChange, wireBytes: number): number {
  const images = change.kind === 'update' ? 2 : 1;
  return 2 * wireBytes + 16 * images * change.table.columns.length + 64;
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

function isSignalTable({ schema, name }: TableName): boolean {
  return schema === signalTable.schema && name === signalTable.name;
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
