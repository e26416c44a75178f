import type { StartPoint } from '../../../src/core/collector.ts';
import type { ApplyCounts, Consumer, Progress } from '../../../src/core/consumer.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { LatestValue } from '../../../src/core/latest-value.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, Hop, Origin, TransactionPart } from '../../../src/core/transaction.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch, CountMismatch } from './batch.ts';
import { applyCarefully, isOfTheChange } from './careful-apply.ts';
import { DisplacedRows } from './displaced-rows.ts';
import { FlushWatch } from './flush-watch.ts';
import { type Group, type GroupLimits, isIdle, nextGroup, transactionsOf } from './group.ts';
import { originMarker } from './origin-marker.ts';
import { sendAsSets, sendInOrder } from './set-apply.ts';
import { TablePlans } from './table-plans.ts';

/** Checkpoint rows below the current one are deleted now and then: one row updated again and again would bloat. */
const pruneEvery = 500n;

/** A column of a group becomes one text, which the runtime bounds at 512 MB, escaped. */
const maxGroupBytes = 128_000_000;

/**
 * How a group is applied. `set`: net effect in few statements. `ordered`: every change by itself in source order, all
 * written at once, constraints deferred. `careful`: one by one behind savepoints, with collisions resolved. Each is
 * tried after the one before has failed and was rolled back.
 */
type Mode = 'set' | 'ordered' | 'careful';
const modes: readonly Mode[] = ['set', 'ordered', 'careful'];

/**
 * One target transaction per group: the route's epoch is locked and the origin marker written first, then the rows,
 * last the checkpoint. A source transaction that is larger than a group keeps the target transaction open; each of its
 * groups is behind a savepoint of its own, so that it can be replayed without the ones before.
 *
 * Parallel lanes will be several of these sessions behind the same contract: `apply` then accepts parts before earlier
 * ones are committed, and `progress` keeps reporting in source order.
 */
export class PostgresConsumer implements Consumer {
  readonly start: StartPoint;
  readonly #connection: ApplyConnection;
  readonly #route: RouteDefinition;
  readonly #routeId: number;
  readonly #options: ConsumerOptions;
  readonly #logger: Logger;
  readonly #limits: GroupLimits;
  readonly #plans: TablePlans;
  readonly #flush: FlushWatch;
  readonly #progress = new LatestValue<Progress>();
  readonly #displaced: DisplacedRows;
  #sequence: bigint;
  #lastCommit: StartPoint['lastCommit'];
  #applied: Position;
  #durable: Position;
  #idle: Commit | null = null;
  /** A source transaction's target transaction is open and holds parts of it. */
  #open = false;
  #counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };

  constructor(
    route: RouteDefinition,
    routeId: number,
    connection: ApplyConnection,
    options: ConsumerOptions,
    logger: Logger,
  ) {
    const { position, lastCommit, sequence } = options.checkpoint;
    this.start = { position, lastCommit };
    this.#route = route;
    this.#routeId = routeId;
    this.#connection = connection;
    this.#options = options;
    this.#logger = logger;
    const bytes = Math.min(Math.floor(route.apply.memoryBytes / 8), maxGroupBytes);
    this.#limits = { rows: route.apply.groupRows, bytes };
    this.#displaced = new DisplacedRows(this.#limits.bytes);
    this.#plans = new TablePlans({ route, replicaRole: connection.replicaRole });
    this.#sequence = sequence;
    this.#lastCommit = lastCommit;
    this.#applied = position;
    this.#durable = position;
    this.#flush = new FlushWatch(connection.client, (durable) => this.#report(this.#applied, durable));
  }

  async apply(parts: readonly TransactionPart[], signal: AbortSignal): Promise<void> {
    let at = 0;
    while (at < parts.length && !signal.aborted) {
      const group = nextGroup(parts, at, this.#limits, this.#open);
      at += group.parts.length;
      if (!this.#open && group.parts.every(isIdle)) await this.#rest(group);
      else await this.#applyGroup(group);
    }
  }

  async flushIdle(): Promise<void> {
    if (this.#idle === null || this.#open) return;
    const commit = this.#idle;
    await this.#guard(() => this.#attempt({ parts: [], rows: 0, commit, lastCommit: null }, 'set'));
  }

  progress(): AsyncIterable<Progress> {
    return this.#progress.values();
  }

  counts(): ApplyCounts {
    return { ...this.#counts };
  }

  abort(): void {
    this.#connection.client.connection.stream.destroy();
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

  /** An advance without changes rides with the next change, unless somebody waits for it. */
  async #rest(group: Group): Promise<void> {
    this.#idle = group.commit;
    if (group.parts.some((part) => part.urgency === 'now')) await this.flushIdle();
  }

  async #applyGroup(group: Group): Promise<void> {
    await this.#guard(async () => {
      await this.#plans.prepare(this.#connection.client, group.parts, this.#open);
      for (const mode of modes) {
        // The key of a row that stands aside may be another row's by now: only `careful` tells them apart.
        if (mode !== 'careful' && this.#displaced.size > 0) continue;
        try {
          await this.#attempt(group, mode);
          return;
        } catch (error) {
          if (mode === 'careful' || !isOff(error)) throw error;
          this.#counts.replays++;
          this.#logger.debug({ mode, rows: group.rows }, 'group did not go through as a whole, replaying');
          await this.#rollBack();
        }
        // What halts is to halt alone: the transactions before it are committed, and the checkpoint is right before it.
        const single = mode === 'ordered' && !this.#open ? transactionsOf(group) : [];
        if (single.length > 1) {
          for (const one of single) await (one.parts.every(isIdle) ? this.#rest(one) : this.#applyGroup(one));
          return;
        }
      }
    });
  }

  /** Runs one group in one mode. Throws with the target transaction still there, to be rolled back. */
  async #attempt(group: Group, mode: Mode): Promise<void> {
    const { client, replicaRole } = this.#connection;
    const batch = new Batch(client);
    if (this.#open) {
      batch.send('savepoint tl_part');
      failpoint('part.savepoint');
    } else {
      this.#begin(batch, group);
    }
    if (mode !== 'set') batch.send('set constraints all deferred');
    const applier = { batch, plans: this.#plans, replicaRole };
    if (mode === 'set') sendAsSets(applier, group.parts);
    else if (mode === 'ordered') sendInOrder(applier, group.parts);
    await batch.settle();
    const collisions = mode === 'careful' ? await this.#applyCarefully(group) : 0;
    if (group.commit !== null) await this.#commit(group, group.commit);
    else await this.#keepOpen();
    this.#count(group, collisions);
  }

  #begin(batch: Batch, group: Group): void {
    batch.send('begin');
    // Whoever raises the epoch waits for this lock, or we see the raised one: an engine that was replaced can't commit.
    batch.send(
      {
        name: 'tl_epoch',
        text: 'select epoch::text from tidelock.routes where id = $1 for share',
        values: [this.#routeId],
      },
      ({ rows }) => {
        const epoch = this.#options.epoch.toString();
        if (rows[0]?.epoch !== epoch) throw fail(routeErrors.fenced, { route: this.#route.name, epoch });
      },
    );
    failpoint('marker.before');
    batch.send({
      name: 'tl_marker',
      text: `select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`,
      values: [markerOf(this.#options.sourceNode, group)],
    });
    failpoint('marker.after');
  }

  async #applyCarefully(group: Group): Promise<number> {
    const { client, replicaRole } = this.#connection;
    const { collisions, name: route, to } = this.#route;
    const shared = { client, plans: this.#plans, replicaRole, displaced: this.#displaced };
    return await applyCarefully({ ...shared, route, node: to.name, collisions, logger: this.#logger }, group.parts);
  }

  /** The transaction goes on in the next group. */
  async #keepOpen(): Promise<void> {
    if (this.#open) await this.#connection.client.query('release savepoint tl_part');
    this.#open = true;
    failpoint('part.applied');
  }

  async #commit(group: Group, commit: Commit): Promise<void> {
    const { client, asynchronousCommit } = this.#connection;
    const sequence = this.#sequence + 1n;
    const lastCommit = group.lastCommit ?? this.#lastCommit;
    const batch = new Batch(client);
    batch.send({
      name: 'tl_checkpoint',
      text: 'insert into tidelock.checkpoints (route_id, sequence, position, last_commit_position, last_commit_id) values ($1, $2, $3, $4, $5)',
      values: [
        this.#routeId,
        sequence.toString(),
        commit.position,
        lastCommit?.position ?? null,
        lastCommit?.id ?? null,
      ],
    });
    if (sequence % pruneEvery === 0n) {
      batch.send({
        name: 'tl_prune',
        text: 'delete from tidelock.checkpoints where route_id = $1 and sequence < $2',
        values: [this.#routeId, (sequence - 10n).toString()],
      });
    }
    await batch.settle();
    failpoint('commit.before');
    let walEnd = '';
    batch.send('commit', ({ command }) => {
      // The server answers COMMIT of a failed transaction with ROLLBACK and no error.
      if (command !== 'COMMIT') throw new CountMismatch('commit', 1, 0);
    });
    if (asynchronousCommit) {
      batch.send('select pg_current_wal_insert_lsn()::text as lsn', ({ rows }) => {
        walEnd = rows[0]?.lsn ?? '';
      });
    }
    failpoint('commit.sent');
    await batch.settle().catch((error: unknown) => {
      // After a refused COMMIT there is no transaction left to replay a part of.
      throw this.#open && isOff(error) ? this.#commitFailed(error, commit.position) : error;
    });
    failpoint('commit.answerLost');
    failpoint('commit.answered');
    this.#open = false;
    this.#idle = null;
    this.#sequence = sequence;
    this.#lastCommit = lastCommit;
    this.#report(commit.position, asynchronousCommit ? this.#durable : commit.position);
    if (asynchronousCommit) this.#flush.wait(commit.position, walEnd);
  }

  #count(group: Group, collisions: number): void {
    if (group.rows === 0 && group.parts.length === 0) return;
    this.#counts.groups++;
    this.#counts.rows += group.rows;
    this.#counts.collisions += collisions;
    for (const part of group.parts) if (part.commit !== null && !isIdle(part)) this.#counts.transactions++;
  }

  #report(applied: Position, durable: Position): void {
    this.#applied = applied;
    this.#durable = durable;
    this.#progress.set({ applied, durable });
  }

  async #rollBack(): Promise<void> {
    const { client } = this.#connection;
    if (this.#open) {
      await client.query('rollback to savepoint tl_part');
      await client.query('release savepoint tl_part');
    } else {
      await client.query('rollback');
    }
  }

  /** Every error that leaves the Consumer is a TidelockError. */
  async #guard(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      throw this.#classify(error);
    }
  }

  #commitFailed(error: unknown, position: Position): TidelockError {
    const state = sqlState(error) ?? '';
    // A constraint's name is in the text, its values only in the detail; a trigger's own text may hold anything.
    const isTold = state.startsWith('23') && error instanceof Error;
    const message = isTold ? error.message : 'see the server log';
    return fail(targetErrors.commitFailed, { route: this.#route.name, position, sqlState: state, message }, error);
  }

  #classify(error: unknown): TidelockError {
    if (error instanceof TidelockError) return error;
    const route = this.#route.name;
    if (sqlState(error) === '23505' && (error as { table?: string }).table === 'checkpoints') {
      return fail(targetErrors.checkpointTaken, { route, sequence: (this.#sequence + 1n).toString() }, error);
    }
    if (/^(23|P0)/.test(sqlState(error) ?? '')) return this.#commitFailed(error, this.#applied);
    return classifyPostgresError(error, this.#route.to.name);
  }
}

/** True where replaying the group change by change may go through, or tells which change is at fault. */
function isOff(error: unknown): boolean {
  if (error instanceof CountMismatch) return true;
  if ((error as { table?: string }).table === 'checkpoints') return false;
  return isOfTheChange(sqlState(error) ?? '');
}

/** The nodes that the group's transactions have been through: where they come from, and the source itself. */
function markerOf(sourceNode: string, group: Group): string {
  const hops: Origin = group.parts[0]?.origin ?? [];
  const commit = group.commit ?? group.parts.findLast((part) => part.commit !== null)?.commit ?? null;
  const here: Hop = { node: sourceNode, position: commit?.position ?? '', committedAtMs: commit?.atMs ?? 0 };
  return originMarker([...hops, here]);
}
