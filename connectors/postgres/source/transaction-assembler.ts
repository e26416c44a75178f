import type { Change, RowChange } from '../../../src/core/change.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { type PackedRow, PackedUpdate, readUInt32 } from '../../../src/core/packed-row.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart, Urgency } from '../../../src/core/transaction.ts';
import { idleAdvance, PartBuilder } from '../../sql/part-builder.ts';
import { formatLsn, type Lsn } from '../lsn.ts';
import type { DdlReader } from './ddl-reader.ts';
import type { DeliveredTransactions } from './delivered-transactions.ts';
import type { EarlyTransactions } from './early-transactions.ts';
import type { HistoryCheck } from './history-check.ts';
import { markerPrefixes, readHeartbeat, readOrigin, readWatermark } from './markers.ts';
import { UnfitPartitions } from './partition-identity.ts';
import {
  type Begin,
  type Commit,
  messageTypes,
  type RelationMessage,
  readBegin,
  readCommit,
  readLogicalMessage,
  readMessageHead,
  readRelation,
  readStreamCommit,
  readStreamedXid,
  readTruncate,
  readType,
  type StreamCommit,
  unprefixed,
} from './pgoutput/messages.ts';
import type { Relation, RelationCache } from './pgoutput/relation-cache.ts';
import { InvalidTextError, largestRowBytes, RowReader } from './pgoutput/row-reader.ts';
import type { TypeNames } from './pgoutput/type-names.ts';
import { RetainedBytes } from './retained-bytes.ts';

export interface AssemblerOptions {
  readonly route: string;
  /** Own heartbeats and watermarks carry it: deployment/route. */
  readonly routeKey: string;
  readonly forward: 'own' | 'all';
  readonly maxRowBytes: number;
  /** Whole transactions that end here or before are at the target already. */
  readonly checkpoint: Lsn;
  readonly history: HistoryCheck;
  readonly relations: RelationCache;
  readonly types: TypeNames;
  /** Reads DDL commands; null where the route takes none. */
  readonly commands: DdlReader | null;
  readonly delivered: DeliveredTransactions;
  /** Null where each transaction comes whole. */
  readonly early: EarlyTransactions | null;
  /** Somebody reads the source between two watermarks: what others have brought is read for them, too. */
  isWatched(): boolean;
  /** How soon a transaction without changes for the route has to be stored. */
  idleUrgency(): Urgency;
  emit(part: TransactionPart): void;
}

interface OpenTransaction extends Begin {
  readonly builder: PartBuilder;
  /** Its commit has not come: `commitLsn` is where it lies at the earliest. */
  readonly isEarly: boolean;
  /** `applied` before the restart, or `replicated` from a node and not to be forwarded: only its end is of interest. */
  skipped: 'applied' | 'replicated' | null;
  /** Nothing but Begin has come: an origin marker counts only there. */
  first: boolean;
  /** Somebody waits for the position. */
  marked: boolean;
}

/**
 * Makes transaction parts of the messages of one replication session.
 *
 *   between transactions --Begin--> open --Commit--> between transactions
 *
 * A transaction is sent after its commit was decoded, whole and without another in between, so one
 * open transaction is all the state there is. A transaction that has nothing for the route still moves its position:
 * it becomes an idle advance.
 *
 * With `early` a large one is sent while it is decoded, in several streams, and its commit at the end:
 *
 *   between transactions --Stream Start--> in a stream <--Stop, Start of the same--> between streams --Stream Commit--> between transactions
 *
 * Whatever else comes between streams ends the session (early-transactions.ts).
 */
export class TransactionAssembler {
  readonly #options: AssemblerOptions;
  readonly #rows = new RowReader();
  readonly #retained = new RetainedBytes();
  #open: OpenTransaction | null = null;
  /** Between Stream Start and Stream Stop. */
  #inStream = false;
  /** Of the last heartbeat: what it sees was committed before all that comes now. */
  #snapshot: string | null = null;
  /** Oids of the tables that were described since the last row. */
  readonly #described: number[] = [];
  readonly #unfit = new UnfitPartitions();

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  get inTransaction(): boolean {
    return this.#open !== null;
  }

  /**
   * One message of pgoutput, which lies in `bytes` from `start` to `end`. Rows may go on lying in there: nobody may write to the bytes
   * any more. Throws a TidelockError; after that the session is of no more use.
   */
  message(bytes: Buffer, start = 0, end = bytes.length): void {
    try {
      this.#read(bytes, start, end);
    } catch (error) {
      if (error instanceof TidelockError) throw error;
      if (!(error instanceof RangeError)) throw error;
      throw fail(
        sourceErrors.unreadableChange,
        { route: this.#options.route, position: this.#position(), why: error.message },
        error,
      );
    }
  }

  /**
   * A large message begins in `bytes` at `start`; some hundred bytes of it are there. True where the whole of it is to come by
   * `message`. Else it is one that would be left out, and counts as read.
   */
  largeMessage(bytes: Buffer, start: number): boolean {
    const open = this.#open;
    const at = this.#inStream ? this.#unprefixed(bytes, start) : start;
    const type = bytes[at];
    if (type === messageTypes.message) {
      const { transactional, isOurs } = readMessageHead(bytes, at);
      if (!transactional) return false;
      // What has no place here is told when it is read.
      if (open === null || isOurs) return true;
      open.first = false;
      return false;
    }
    if (!isRow(type) || open === null) return true;
    const oid = readUInt32(bytes, at + 1);
    if (!this.#isLeftOut(open, oid)) return true;
    open.first = false;
    if (this.#described.length > 0) this.#meetPartition(oid);
    return false;
  }

  #isLeftOut(open: OpenTransaction, oid: number): boolean {
    if (isLeftOut(open)) return true;
    const { relations } = this.#options;
    if (!relations.has(oid)) return false;
    const relation = relations.get(oid);
    return !relation.selected || this.#isCopied(relation, open);
  }

  #read(bytes: Buffer, given: number, end: number): void {
    const start = this.#inStream ? this.#unprefixed(bytes, given) : given;
    const type = bytes[start];
    if (isRow(type)) this.#row(bytes, start, end);
    else if (type === messageTypes.begin) this.#begin(readBegin(bytes, start));
    else if (type === messageTypes.commit) this.#commit(readCommit(bytes, start));
    else this.#rare(bytes.subarray(start, end));
  }

  #rare(message: Buffer): void {
    const type = message[0];
    if (type === messageTypes.relation) this.#relation(readRelation(message));
    else if (type === messageTypes.type) this.#options.types.describe(readType(message));
    else if (type === messageTypes.truncate) this.#truncate(message);
    else if (type === messageTypes.message) this.#logicalMessage(message);
    else if (type === messageTypes.streamStart) this.#startStream(readStreamedXid(message));
    else if (type === messageTypes.streamStop) this.#stopStream();
    else if (type === messageTypes.streamCommit) this.#commitStream(readStreamCommit(message));
    else if (type === messageTypes.streamAbort) this.#abortStream(readStreamedXid(message));
    // A replication origin is that of the server's own apply workers; ours come as messages.
    else if (type !== messageTypes.origin) throw new RangeError(`unknown message ${type}`);
  }

  #relation(message: RelationMessage): void {
    this.#options.relations.describe(message);
    this.#described.push(message.oid);
  }

  #begin(begin: Begin): void {
    if (this.#open?.isEarly) this.#refuse(this.#open, 'another transaction comes between its parts');
    if (this.#open !== null) throw new RangeError('a transaction begins inside another');
    const { checkpoint, history } = this.#options;
    // No commit record lies across the checkpoint (verified at the commit), so where it starts tells where it ends.
    const applied = begin.commitLsn < checkpoint;
    if (!applied) history.passed(begin.commitLsn);
    this.#open = this.#opened(begin, applied ? 'applied' : null);
  }

  #opened(
    { commitLsn, xid }: Pick<Begin, 'commitLsn' | 'xid'>,
    skipped: OpenTransaction['skipped'],
    isEarly = false,
  ): OpenTransaction {
    const builder = new PartBuilder(xid, this.#options.emit);
    return { commitLsn, xid, builder, isEarly, skipped, first: true, marked: false };
  }

  #startStream(xid: string): void {
    const { early, checkpoint } = this.#options;
    if (early === null || this.#inStream) throw new RangeError('a stream that was not asked for');
    if (this.#open === null) this.#open = this.#opened({ commitLsn: checkpoint, xid }, null, true);
    else if (!this.#open.isEarly) throw new RangeError('a stream begins inside a transaction');
    else if (this.#open.xid !== xid) this.#refuse(this.#open, 'parts of another transaction come between its own');
    this.#inStream = true;
  }

  #stopStream(): void {
    if (!this.#inStream) throw new RangeError('no stream to end');
    this.#inStream = false;
    // Of one that had nothing for the route so far others may follow.
    if (this.#open?.first) this.#open = null;
  }

  #commitStream(commit: StreamCommit): void {
    const { checkpoint, history, idleUrgency, emit } = this.#options;
    const { endLsn, atMs } = commit;
    if (this.#open === null) {
      history.passed(commit.commitLsn);
      // Nothing of it is published. Sent whole it would not have come, so no checkpoint may be proven by it.
      emit(idleAdvance({ position: formatLsn(endLsn), atMs, id: '' }, idleUrgency()));
      return;
    }
    if (this.#open.xid !== commit.xid) this.#refuse(this.#open, 'another transaction comes between its parts');
    // The server sends nothing early of what it was told is stored.
    if (commit.commitLsn < checkpoint) this.#refuse(this.#open, 'it lies before the checkpoint');
    history.passed(commit.commitLsn);
    this.#commit(commit);
  }

  /** Of a part of it, too. */
  #abortStream(xid: string): void {
    if (this.#open?.xid === xid) this.#refuse(this.#open, 'it was rolled back, or a part of it');
  }

  #refuse({ xid }: OpenTransaction, why: string): never {
    const { early } = this.#options;
    if (early === null) throw new RangeError('a stream that was not asked for');
    return early.refuse(xid, why);
  }

  /** In a stream: where the message begins without the id of its transaction. Throws where it is the first of one that has to wait for its commit. */
  #unprefixed(bytes: Buffer, given: number): number {
    const start = unprefixed(bytes, given);
    if (start === null) return given;
    if (this.#open?.first) this.#options.early?.demand(this.#open.xid);
    return start;
  }

  #commit({ endLsn, atMs, time }: Commit): void {
    const open = this.#transaction();
    // A restored source that goes on gives the same ids, and where its rows are as long, the same places.
    const id = `${open.xid}@${time}`;
    const { checkpoint, history, idleUrgency, emit, delivered } = this.#options;
    this.#open = null;
    delivered.committed(open.xid);
    history.commit(endLsn, id);
    this.#options.commands?.end();
    if (open.skipped === 'applied') {
      if (endLsn > checkpoint) history.across(endLsn, id);
      return;
    }
    const commit = { position: formatLsn(endLsn), atMs, id };
    const urgency = open.marked ? 'now' : idleUrgency();
    if (open.builder.empty) emit(idleAdvance(commit, urgency));
    // Of its rows the mapping may leave none, and a COMMIT may wait for it all the same.
    else open.builder.finish(commit, urgency);
  }

  #row(bytes: Buffer, start: number, end: number): void {
    const open = this.#transaction();
    open.first = false;
    const oid = readUInt32(bytes, start + 1);
    // Also before a row that is left out: it is not described again before those that are not.
    if (this.#described.length > 0) this.#meetPartition(oid);
    if (isLeftOut(open)) return;
    const relation = this.#options.relations.get(oid);
    if (!relation.selected || this.#isCopied(relation, open)) return;
    if (relation.refused !== null) throw relation.refused;
    if (this.#unfit.isOf(oid)) throw this.#identityDiffers(relation);
    if (end - start > this.#options.maxRowBytes) this.#checkSize(bytes.subarray(start, end), relation);
    this.#announce(open, relation);
    const memory = this.#memoryOf(bytes, end - start);
    const packed = this.#packed(bytes, start, end, relation);
    if (packed === null) open.builder.addRow(this.#decode(bytes, start, end, relation), memory);
    else if (bytes[start] === messageTypes.insert) open.builder.addInsert(relation.table, packed, memory);
    else open.builder.addRow(new PackedUpdate(relation.table, packed), memory);
  }

  /** Until the next row. */
  #packed(bytes: Buffer, start: number, end: number, { table }: Relation): PackedRow | null {
    try {
      return this.#rows.packed(bytes, start, end, table);
    } catch (error) {
      throw this.#unreadable(error, table);
    }
  }

  #decode(bytes: Buffer, start: number, end: number, { table }: Relation): RowChange {
    const rows = this.#rows;
    const isInsert = bytes[start] === messageTypes.insert;
    try {
      rows.open(bytes, start, end);
      const kind = rows.kind();
      if (kind === 'N') {
        const after = rows.tuple(table, false);
        return isInsert ? { kind: 'insert', table, after } : { kind: 'update', table, before: null, after };
      }
      const before = rows.tuple(table, kind === 'K');
      if (bytes[start] === messageTypes.delete) return { kind: 'delete', table, before };
      rows.kind();
      return { kind: 'update', table, before, after: rows.tuple(table, false) };
    } catch (error) {
      throw this.#unreadable(error, table);
    } finally {
      rows.close();
    }
  }

  #unreadable(error: unknown, table: TableVersion): unknown {
    if (!(error instanceof InvalidTextError)) return error;
    const place = { route: this.#options.route, table: tableLabel(table), column: error.column };
    return fail(sourceErrors.invalidText, { ...place, position: this.#position() });
  }

  /** What a row takes: its values about twice what they are in the message when they are read, and some objects of their own. */
  #memoryOf(chunk: Buffer, wireBytes: number): number {
    const bytes = 2 * wireBytes + 64;
    return bytes + this.#retained.add(chunk, bytes);
  }

  #truncate(buffer: Buffer): void {
    const open = this.#transaction();
    this.#described.length = 0;
    open.first = false;
    if (isLeftOut(open)) return;
    const { oids, restartIdentity } = readTruncate(buffer);
    const relations = oids
      .map((oid) => this.#options.relations.get(oid))
      .filter((relation) => relation.selected && !this.#isCopied(relation, open));
    if (relations.length === 0) return;
    for (const relation of relations) {
      if (relation.refused !== null) throw relation.refused;
      this.#announce(open, relation);
    }
    open.builder.add({ kind: 'truncate', tables: relations.map(({ table }) => table), restartIdentity });
  }

  #logicalMessage(buffer: Buffer): void {
    const { transactional, prefix, content } = readLogicalMessage(buffer);
    if (!transactional) return;
    const open = this.#transaction();
    const { first } = open;
    open.first = false;
    if (prefix === markerPrefixes.ddl && open.skipped !== 'applied') this.#ddl(open, content);
    if (prefix === markerPrefixes.watermark) this.#watermark(open, content);
    if (open.skipped !== null) return;
    if (prefix === markerPrefixes.mark) open.marked = true;
    else if (prefix === markerPrefixes.origin && first) {
      open.builder.origin = readOrigin(content);
      if (this.#options.forward === 'own') {
        open.skipped = 'replicated';
        open.builder.replicated = this.#options.isWatched();
      }
    } else if (prefix === markerPrefixes.heartbeat) {
      const { id, sentAtMs, snapshot } = readHeartbeat(content);
      this.#snapshot = snapshot ?? this.#snapshot;
      if (this.#snapshot !== null) this.#options.delivered.seen(this.#snapshot);
      if (id === this.#options.routeKey) open.builder.add({ kind: 'heartbeat', id, sentAtMs });
    }
  }

  #watermark({ skipped, builder }: OpenTransaction, content: string): void {
    const { route, id } = readWatermark(content);
    if (route !== this.#options.routeKey || skipped !== null) return;
    this.#options.delivered.watermark(id);
    builder.add({ kind: 'watermark', id });
  }

  #ddl({ skipped, builder, xid, commitLsn }: OpenTransaction, content: string): void {
    const change = this.#options.commands?.read(content, {
      xid,
      at: formatLsn(commitLsn),
      applied: skipped === 'replicated',
    });
    if (change) builder.add(change, 256 + 2 * content.length);
  }

  #announce(open: OpenTransaction, relation: Relation): void {
    const change: Change | null = this.#options.relations.announce(relation, open.commitLsn, this.#snapshot);
    if (change !== null) open.builder.add(change);
  }

  /** In the copy that was made of the table. */
  #isCopied({ from }: Relation, open: OpenTransaction): boolean {
    if (from === null || open.commitLsn >= from) return false;
    if (open.isEarly) this.#refuse(open, 'it may be in the copy of a table');
    return true;
  }

  #transaction(): OpenTransaction {
    if (this.#open === null) throw new RangeError('a change outside of a transaction');
    return this.#open;
  }

  /** The server describes the whole, then the partition, and then sends its first row. */
  #meetPartition(oid: number): void {
    const { relations } = this.#options;
    const described = this.#described.splice(0);
    if (described.length < 2 || !relations.has(oid)) return;
    this.#unfit.described(
      relations.get(oid),
      described.map((part) => relations.get(part)),
    );
  }

  #identityDiffers({ table }: Relation): TidelockError {
    const place = { route: this.#options.route, table: tableLabel(table), position: this.#position() };
    return fail(sourceErrors.identityDiffers, place);
  }

  /** A message may hold two rows, the old one and the new, of which each may have as many bytes. */
  #checkSize(message: Buffer, relation: Relation): void {
    const bytes = largestRowBytes(message);
    if (bytes > this.#options.maxRowBytes) throw this.#tooLarge(relation, bytes);
  }

  #tooLarge({ table }: Relation, bytes: number): TidelockError {
    const { route, maxRowBytes } = this.#options;
    const place = { route, table: tableLabel(table), position: this.#position() };
    return fail(sourceErrors.rowTooLarge, { ...place, bytes, maxBytes: maxRowBytes });
  }

  #position(): string {
    return this.#open === null ? 'an unknown position' : formatLsn(this.#open.commitLsn);
  }
}

function isRow(type: number | undefined): boolean {
  return type === messageTypes.insert || type === messageTypes.update || type === messageTypes.delete;
}

/** Rows that somebody else has brought are read only for those who read the source meanwhile. */
function isLeftOut({ skipped, builder }: OpenTransaction): boolean {
  return skipped !== null && !builder.replicated;
}
