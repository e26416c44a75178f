import type { StartPoint } from '../../../src/core/collector.ts';
import type { Progress } from '../../../src/core/consumer.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { LatestValue } from '../../../src/core/latest-value.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, Hop, Origin } from '../../../src/core/transaction.ts';
import { type Group, groupOf } from '../../sql/apply/group.ts';
import { classifyPostgresError, isPostgresError, sqlState } from '../classify-error.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch, CountMismatch } from './batch.ts';
import { cancelAndDestroy } from './cancel-and-destroy.ts';
import { isOfTheChange } from './careful-apply.ts';
import { FlushWatch } from './flush-watch.ts';
import { awaitLane, takeLane } from './lanes/lane-marks.ts';
import { originMarker } from './origin-marker.ts';

/** Checkpoint rows below the current one are deleted now and then: one row updated again and again would bloat. */
const pruneEvery = 500n;

/** The server flushes what was committed asynchronously after three times wal_writer_delay, 200 ms by default. */
const settledMs = 1_000;

export interface TargetTransactionOptions
  extends Pick<ConsumerOptions, 'epoch' | 'sourceNode' | 'checkpoint' | 'meter'> {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly connection: ApplyConnection;
}

/**
 * The target transactions of one Consumer, one after the other: begun under the route's epoch and with the origin
 * marker, ended with the checkpoint. One that holds a part of a source transaction stays open for the next; each part
 * is behind a savepoint then.
 */
export class TargetTransaction {
  readonly #options: TargetTransactionOptions;
  readonly #connection: ApplyConnection;
  readonly #onClosed: () => void;
  readonly #flush: FlushWatch;
  readonly #progress = new LatestValue<Progress>();
  #last: LastCheckpoint;
  /** Of what was sent with its COMMIT and is not answered, where there is any. */
  #sent: LastCheckpoint;
  #applied: Position;
  /** Null until the server has told: where the session goes on from may have been committed a moment ago by another one. */
  #durable: Position | null = null;
  #open = false;
  /** The savepoint of the part before is still to be let go. */
  #holdsSavepoint = false;

  /** `onClosed` is called whenever none is open any more. */
  constructor(options: TargetTransactionOptions, onClosed: () => void) {
    const { checkpoint, connection, meter } = options;
    this.#options = options;
    this.#connection = connection;
    this.#onClosed = onClosed;
    this.#last = { sequence: checkpoint.sequence, position: checkpoint.position, lastCommit: checkpoint.lastCommit };
    this.#sent = this.#last;
    this.#applied = checkpoint.position;
    this.#flush = new FlushWatch({
      client: connection.client,
      meter,
      // A group that is carried out on another session holds up nothing in this one.
      isToldSoon: () => options.route.apply.lanes === 1 && this.#sent !== this.#last,
      onDurable: (durable) => this.#report(this.#applied, durable),
    });
  }

  /** A source transaction's target transaction is open and holds parts of it. */
  get open(): boolean {
    return this.#open;
  }

  /** Position of the last checkpoint. */
  get applied(): Position {
    return this.#applied;
  }

  /** Resolves when what was committed survives a crash: with the server's next flush, or without it after a while. */
  settled(): Promise<void> {
    return this.#flush.settled(settledMs);
  }

  progress(): AsyncIterable<Progress> {
    return this.#progress.values();
  }

  /** What is not answered is cancelled: of what was sent with its COMMIT nothing is to be carried out later, by a session that waits now. */
  abort(): void {
    cancelAndDestroy(this.#connection.client);
  }

  async close(): Promise<void> {
    this.#flush.close();
    this.#progress.close();
    // An open transaction is rolled back by the server; a graceful end would wait for statements that may hang.
    const { client } = this.#connection;
    if (this.#open) client.connection.stream.destroy();
    else
      await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, 1000).unref())]).catch(() => {});
    client.connection.stream.destroy();
  }

  /** Begins one, or the next part of the one that is open. */
  begin(batch: Batch, group: Group): void {
    if (!this.#open) {
      this.#beginNew(batch, group);
      return;
    }
    if (this.#holdsSavepoint) batch.send('release savepoint tl_part');
    this.#holdsSavepoint = false;
    batch.send('savepoint tl_part');
    failpoint('part.savepoint');
  }

  /** `locks`: false where the epoch is locked later. */
  #beginNew(batch: Batch, group: Group, locks = true): void {
    batch.send('begin');
    if (locks) this.#lockEpoch(batch);
    failpoint('marker.before');
    batch.send({
      name: 'tl_marker',
      text: `select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`,
      values: [markerOf(this.#options.sourceNode, group)],
    });
    failpoint('marker.after');
  }

  /**
   * Whoever raises the epoch waits for this lock, or we see the raised one: an engine that was replaced can't commit. The server refuses by
   * itself: by the time that we would, the COMMIT may be on its way.
   */
  #lockEpoch(batch: Batch): void {
    const epoch = this.#options.epoch.toString();
    batch.send(
      {
        name: 'tl_epoch',
        text: 'select 1 / count(*) from (select from tidelock.routes where id = $1 and epoch::text = $2 for share) as own',
        values: [this.#options.routeId, epoch],
      },
      null,
      () => fail(routeErrors.fenced, { route: this.#options.route.name, epoch }),
    );
  }

  /** The transaction goes on in the next group, with which the savepoint of this one is let go. */
  keepOpen(): void {
    this.#holdsSavepoint = this.#open;
    this.stayOpen();
    failpoint('part.applied');
  }

  /** What was written since `begin` has no savepoint of its own. */
  stayOpen(): void {
    this.#open = true;
  }

  /** Statements in a target transaction under the route's epoch, without a checkpoint. */
  async run(run: () => Promise<void>): Promise<void> {
    const { client, asynchronousCommit } = this.#connection;
    const batch = new Batch(client);
    this.begin(batch, groupOf([]));
    // Somebody is told that it is done.
    if (asynchronousCommit) batch.send('set local synchronous_commit = local');
    await batch.settle();
    await run();
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new CountMismatch('commit', 1, 0);
  }

  /**
   * Takes a parked transaction that was tried again out of the store, in place of a checkpoint: that was passed long ago.
   */
  async unpark(unpark: () => Promise<void>): Promise<void> {
    // Somebody is told that it is done.
    await this.#connection.client.query('set local synchronous_commit = local');
    await unpark();
  }

  /** Commits, with the checkpoint of the group or what stands in its place already answered. */
  async commit(group: Group, commit: Commit): Promise<void> {
    const next = this.#next(group, commit, this.#last);
    const batch = new Batch(this.#connection.client);
    const sent = this.#sendCommit(batch, group, this.#connection);
    await batch.settle().catch((error: unknown) => {
      // After a refused COMMIT there is no transaction left to replay a part of.
      throw this.#open && isOff(error) ? this.#commitFailed(error, commit.position) : error;
    });
    failpoint('commit.answerLost');
    failpoint('commit.answered');
    this.#holdsSavepoint = false;
    this.#open = false;
    this.#onClosed();
    if (group.parked !== undefined) return;
    this.#sent = next;
    this.#committed(next, commit, sent.written);
  }

  /**
   * Sends a whole target transaction with its COMMIT. `isBehind`: what was sent before is not answered yet. Resolves when it is
   * committed; where it is not, nothing of what is sent behind it is either.
   */
  async sendWhole(batch: Batch, whole: WholeGroup, sendRows: (to: Batch) => void): Promise<void> {
    const { group, commit, isBehind, lane = null } = whole;
    const previous = this.#sent;
    const next = this.#next(group, commit, previous);
    const waitsForTurn = lane !== null && lane.turn !== null;
    this.#beginNew(batch, group, !waitsForTurn);
    this.#sent = next;
    if (lane?.isMarked) {
      batch.send(takeLane(this.#options.routeId, next.sequence));
      // By itself: those behind it on other sessions go on once this is answered.
      lane.onBegun(next.sequence, batch.flush());
    }
    if (isBehind && !waitsForTurn) this.#sendLook(batch, previous);
    sendRows(batch);
    if (waitsForTurn) {
      await this.#sendTurn(batch, lane);
      this.#sendLook(batch, previous);
    }
    this.#storeCheckpoint(batch, next);
    const sent = this.#sendCommit(batch, group, lane?.connection ?? this.#connection);
    lane?.onSent();
    await batch.settle().catch((error: unknown) => {
      // It is there, and the checkpoint with it: to apply it again would be twice.
      throw sent.isCommitted && isOff(error) ? this.committedOff(error, commit.position) : error;
    });
    failpoint('commit.answerLost');
    failpoint('commit.answered');
    // Answers of other sessions may come sooner than the one before.
    if (lane !== null && !(await lane.isNext())) return;
    this.#committed(next, commit, sent.written);
  }

  /**
   * Waits at the server until those before it on other sessions have ended, each as soon as it is known to have begun. The epoch is locked only then:
   * with one group at a time that holds it whoever changes the route comes in between two of them.
   */
  async #sendTurn(batch: Batch, { turn }: LanePlace): Promise<void> {
    void batch.flush();
    try {
      for await (const sequence of turn ?? []) {
        batch.send(awaitLane(this.#options.routeId, sequence));
        void batch.flush();
      }
    } catch (error) {
      // Nothing is left to be answered once it is told.
      await batch.settle().catch(() => {});
      throw error;
    }
    this.#lockEpoch(batch);
    failpoint('lane.turn');
  }

  /**
   * Sends a part of a source transaction, behind what was sent before; the target transaction is taken for open from then on. Resolves when
   * it was carried out.
   */
  async sendPart(
    batch: Batch,
    { group, isBehind }: Omit<WholeGroup, 'commit'>,
    sendRows: (to: Batch) => void,
  ): Promise<void> {
    const wasOpen = this.#open;
    this.begin(batch, group);
    if (!wasOpen && isBehind) this.#sendLook(batch, this.#sent);
    sendRows(batch);
    void batch.flush();
    this.#holdsSavepoint = wasOpen;
    this.stayOpen();
    await batch.settle();
    failpoint('part.applied');
  }

  /** Takes back what has failed, and with it what was sent behind. `wasOpen`: it was a part behind others, which stay. */
  async takeBack(wasOpen: boolean): Promise<void> {
    const batch = new Batch(this.#connection.client);
    if (wasOpen) {
      batch.send('rollback to savepoint tl_part');
      batch.send('release savepoint tl_part');
    } else batch.send('rollback');
    await batch.settle();
    this.#holdsSavepoint = false;
    this.#open = wasOpen;
    if (!wasOpen) this.#onClosed();
  }

  /** All that was sent is answered: what is not committed by now will not be. */
  nothingSent(): void {
    this.#sent = this.#last;
  }

  /** A COMMIT that was refused, or has ended a failed transaction, keeps nothing behind it from being carried out: so it looks whether that is there. */
  #sendLook(batch: Batch, { sequence, position }: LastCheckpoint): void {
    batch.send(
      {
        name: 'tl_behind',
        text: 'select 1 / count(*) from tidelock.checkpoints where route_id = $1 and sequence = $2 and position = $3',
        values: [this.#options.routeId, sequence.toString(), position],
      },
      null,
      () => new CountMismatch('commit', 1, 0),
    );
  }

  #sendCommit(
    batch: Batch,
    group: Group,
    { asynchronousCommit }: Pick<ApplyConnection, 'asynchronousCommit'>,
  ): { readonly isCommitted: boolean; readonly written: WrittenLog | null } {
    const sent: { isCommitted: boolean; written: WrittenLog | null } = { isCommitted: false, written: null };
    failpoint('commit.before');
    // Somebody waits for it to be durable (a COMMIT of the source's, whose standby this route is): the server's log writer would let them wait up to three
    // times wal_writer_delay.
    const isFlushed = !asynchronousCommit || isUrgent(group);
    if (asynchronousCommit && isFlushed) batch.send('set local synchronous_commit = local');
    batch.sendCommit(({ command }) => {
      sent.isCommitted = command === 'COMMIT';
      // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
      if (!sent.isCommitted) throw new CountMismatch('commit', 1, 0);
    });
    // Of one that is flushed the end of the log is not asked for: it holds what others have written behind it by then, which only the log writer flushes.
    if (!isFlushed && group.parked === undefined) {
      batch.send(
        { name: 'tl_written', text: 'select pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text' },
        ({ rows: [row] }) => {
          sent.written = { end: row?.[0] ?? '', flushed: row?.[1] ?? '' };
        },
      );
    }
    void batch.flush();
    failpoint('commit.sent');
    return sent;
  }

  /** `written`: the target's WAL has to be flushed to its end; null where its COMMIT has waited for that. */
  #committed(last: LastCheckpoint, { position }: Commit, written: WrittenLog | null): void {
    this.#last = last;
    if (written === null) this.#flush.passed();
    this.#report(position, written === null ? position : this.#durable);
    if (written !== null) this.#flush.wait(position, written.end, written.flushed);
  }

  /** What was written since `begin`. */
  async rollBack(): Promise<void> {
    const { client } = this.#connection;
    if (this.#open) {
      await client.query('rollback to savepoint tl_part');
      await client.query('release savepoint tl_part');
    } else {
      await client.query('rollback');
    }
  }

  /** The whole target transaction, where there is one. */
  async rollBackAll(): Promise<void> {
    await this.#connection.client.query('rollback');
    this.#holdsSavepoint = false;
    this.#open = false;
    this.#onClosed();
  }

  /** What a statement has failed with, as a TidelockError. */
  classify(error: unknown): TidelockError {
    if (error instanceof TidelockError) return error;
    const route = this.#options.route.name;
    if (sqlState(error) === '23505' && isOfCheckpoints(error)) {
      return fail(targetErrors.checkpointTaken, { route, sequence: (this.#last.sequence + 1n).toString() }, error);
    }
    if (/^(23|P0)/.test(sqlState(error) ?? '')) return this.#commitFailed(error, this.#applied);
    return classifyPostgresError(error, this.#options.route.to.name);
  }

  /** Sends the checkpoint that the group ends with, behind its rows. */
  sendCheckpoint(batch: Batch, group: Group, commit: Commit): void {
    this.#storeCheckpoint(batch, this.#next(group, commit, this.#sent));
  }

  #storeCheckpoint(batch: Batch, { sequence, position, lastCommit }: LastCheckpoint): void {
    batch.send({
      name: 'tl_checkpoint',
      text: 'insert into tidelock.checkpoints (route_id, sequence, position, last_commit_position, last_commit_id) values ($1, $2, $3, $4, $5)',
      values: [
        this.#options.routeId,
        sequence.toString(),
        position,
        lastCommit?.position ?? null,
        lastCommit?.id ?? null,
      ],
    });
    if (sequence % pruneEvery !== 0n) return;
    batch.send({
      name: 'tl_prune',
      text: 'delete from tidelock.checkpoints where route_id = $1 and sequence < $2',
      values: [this.#options.routeId, (sequence - 10n).toString()],
    });
  }

  #next({ lastCommit }: Group, { position }: Commit, last: LastCheckpoint): LastCheckpoint {
    return { sequence: last.sequence + 1n, position, lastCommit: lastCommit ?? last.lastCommit };
  }

  /** Statements were off that are committed all the same, or something behind them is. */
  committedOff(error: unknown, position: Position): TidelockError {
    const message = error instanceof CountMismatch ? error.message : (sqlState(error) ?? 'see the log');
    return fail(targetErrors.committedOff, { route: this.#options.route.name, position, message }, error);
  }

  #commitFailed(error: unknown, position: Position): TidelockError {
    const state = sqlState(error) ?? '';
    // A constraint's name is in the text, its values only in the detail; a trigger's own text may hold anything.
    const isTold = state.startsWith('23') && error instanceof Error;
    const message = isTold ? error.message : 'see the server log';
    return fail(
      targetErrors.commitFailed,
      { route: this.#options.route.name, position, sqlState: state, message },
      error,
    );
  }

  #report(applied: Position, durable: Position | null): void {
    this.#applied = applied;
    this.#durable = durable;
    this.#progress.set({ applied, durable });
  }
}

/** A group that ends with a COMMIT of its own. */
export interface WholeGroup {
  readonly group: Group;
  readonly commit: Commit;
  readonly isBehind: boolean;
  /** Of a group that goes down one of several sessions. */
  readonly lane?: LanePlace | null;
}

/** A group among others that are carried out beside it, on other sessions. */
export interface LanePlace {
  readonly connection: Pick<ApplyConnection, 'asynchronousCommit'>;
  /** Others may be carried out beside it, which wait for its end. */
  readonly isMarked: boolean;
  /**
   * Sequences of those before it on other sessions, each once it is known to have begun; throws where one of them has failed. Null where the
   * one before is on the same session.
   */
  readonly turn: AsyncIterable<bigint> | null;
  /** `answered` resolves when its mark is taken, or it has failed. */
  onBegun(sequence: bigint, answered: Promise<void>): void;
  /** All of it has left. */
  onSent(): void;
  /** Resolves once the one before is answered: whether that is committed. */
  isNext(): Promise<boolean>;
}

/** Positions of the target's WAL. */
interface WrittenLog {
  readonly end: string;
  readonly flushed: string;
}

/** The last that is stored, or would be. */
interface LastCheckpoint {
  readonly sequence: bigint;
  readonly position: Position;
  readonly lastCommit: StartPoint['lastCommit'];
}

/** True where replaying the group change by change may go through, or tells which change is at fault. */
export function isOff(error: unknown): boolean {
  if (error instanceof CountMismatch) return true;
  if (isOfCheckpoints(error)) return false;
  return isOfTheChange(sqlState(error) ?? '');
}

/** Why it is off, for the log: what the server names, and never its own words, which quote values. */
export function offBecause(error: unknown): object {
  if (error instanceof CountMismatch) return { why: error.message };
  if (!isPostgresError(error)) return {};
  const { code: sqlState, schema, table, column, constraint } = error;
  return { sqlState, table: table === undefined ? undefined : `${schema}.${table}`, column, constraint };
}

/** Of the route's own checkpoints: a table of the user's may have that name, too. */
function isOfCheckpoints(error: unknown): boolean {
  return isPostgresError(error) && error.schema === 'tidelock' && error.table === 'checkpoints';
}

/** The nodes that the group's transactions have been through: where they come from, and the source itself. */
function markerOf(sourceNode: string, group: Group): string {
  const hops: Origin = group.parts[0]?.origin ?? [];
  const commit = group.commit ?? group.parts.findLast((part) => part.commit !== null)?.commit ?? null;
  const here: Hop = { node: sourceNode, position: commit?.position ?? '', committedAtMs: commit?.atMs ?? 0 };
  return originMarker([...hops, here]);
}

function isUrgent({ parts, isAwaited }: Group): boolean {
  return isAwaited === true || parts.some(({ urgency }) => urgency === 'now');
}
