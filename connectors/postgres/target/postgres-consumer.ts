import type { StartPoint } from '../../../src/core/collector.ts';
import type { ApplyCounts, Consumer, Progress } from '../../../src/core/consumer.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { LatestValue } from '../../../src/core/latest-value.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ParkedCount } from '../../../src/core/parked.ts';
import type { Position, PositionOrder } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, Hop, Origin, TransactionPart } from '../../../src/core/transaction.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch, CountMismatch } from './batch.ts';
import { applyCarefully, isOfTheChange } from './careful-apply.ts';
import { DisplacedRows } from './displaced-rows.ts';
import { cutAtEvolutions, type Evolving, evolutionOf, evolveTable } from './evolve-table.ts';
import { FlushWatch } from './flush-watch.ts';
import { type Group, type GroupLimits, groupOf, isIdle, nextGroup, transactionsOf } from './group.ts';
import { originMarker } from './origin-marker.ts';
import { haltAt, mappingError, parkableCause } from './parking/parkable.ts';
import { ParkedWork, type ParkedWorker } from './parking/parked-work.ts';
import { Parking, type ParkWhy } from './parking/parking.ts';
import { sendAsSets, sendInOrder } from './set-apply.ts';
import { TablePlans } from './table-plans.ts';
import { Turns } from './turns.ts';

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

export interface PostgresConsumerOptions extends ConsumerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly connection: ApplyConnection;
  readonly logger: Logger;
  /** Of the source. */
  readonly order: PositionOrder;
}

/**
 * One target transaction per group: the route's epoch is locked and the origin marker written first, then the rows,
 * last the checkpoint. A source transaction that is larger than a group keeps the target transaction open; each of its
 * groups is behind a savepoint of its own, so that it can be replayed without the ones before.
 *
 * What can't be applied is set aside where the route or a person wants that, and with it what depends on it: parking.ts.
 *
 * Parallel lanes will be several of these sessions behind the same contract: `apply` then accepts parts before earlier
 * ones are committed, and `progress` keeps reporting in source order.
 */
export class PostgresConsumer implements Consumer {
  readonly start: StartPoint;
  readonly #connection: ApplyConnection;
  readonly #route: RouteDefinition;
  readonly #routeId: number;
  readonly #options: PostgresConsumerOptions;
  readonly #logger: Logger;
  readonly #limits: GroupLimits;
  readonly #plans: TablePlans;
  readonly #flush: FlushWatch;
  readonly #progress = new LatestValue<Progress>();
  readonly #displaced: DisplacedRows;
  readonly #parking: Parking;
  readonly #parkedWork: ParkedWork;
  /** One at a time: a group, or what people have asked about parked transactions. */
  readonly #turns = new Turns();
  #sequence: bigint;
  #lastCommit: StartPoint['lastCommit'];
  #applied: Position;
  #durable: Position;
  #idle: (Pick<Group, 'lastCommit'> & { readonly commit: Commit }) | null = null;
  /** A source transaction's target transaction is open and holds parts of it. */
  #open = false;
  /** Why those parts are written to the store, and not applied. */
  #writing: ParkWhy | null = null;
  #counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };

  constructor(options: PostgresConsumerOptions) {
    const { route, routeId, connection, logger, order } = options;
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
    const { client } = connection;
    this.#flush = new FlushWatch(client, (durable) => this.#report(this.#applied, durable));
    this.#parking = new Parking({ client, routeId, route: route.name, routeKey: routeKey(route), order });
    this.#parkedWork = new ParkedWork({ client, routeId, route: route.name, map: options.map });
  }

  /** Reads what is parked. Before anything else. */
  open(): Promise<void> {
    return this.#guard(() => this.#parking.load(this.start.position));
  }

  async apply(given: readonly TransactionPart[], signal: AbortSignal): Promise<void> {
    const parts = cutAtEvolutions(given);
    let at = 0;
    while (at < parts.length && !signal.aborted) {
      const group = nextGroup(parts, at, this.#limits, this.#open);
      at += await this.#turns.take(() => this.#guard(() => this.#next(group)));
    }
  }

  async flushIdle(): Promise<void> {
    await this.#turns.take(() => this.#guard(() => this.#flushIdle()));
  }

  parked(): ParkedCount {
    return this.#parking.count;
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    let done = false;
    while (!done && !signal.aborted) {
      done = await this.#turns.takeWhere(
        () => !this.#open,
        () => this.#guard(() => this.#carryOut(signal)),
        signal,
      );
    }
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
    this.#turns.changed();
    // An open transaction is rolled back by the server; a graceful end would wait for statements that may hang.
    const { client } = this.#connection;
    if (this.#open) client.connection.stream.destroy();
    else
      await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, 1000).unref())]).catch(() => {});
    client.connection.stream.destroy();
  }

  /** Applies the group, or as much of it as goes together. Returns how many of its parts are done with. */
  async #next(group: Group): Promise<number> {
    if (!this.#open && group.parts.every(isIdle)) {
      await this.#rest(group);
      return group.parts.length;
    }
    // A definition to be followed: also where the rows around it are set aside, since later ones need it.
    const evolving = evolutionOf(group.parts[0]);
    if (evolving !== null) {
      await this.#follow(evolving, group);
      return group.parts.length;
    }
    await this.#plans.prepare(this.#connection.client, group.parts, this.#open);
    const isWatched = this.#parking.writing || this.#parking.active;
    if (isWatched || group.parts.some(({ unmapped }) => unmapped !== undefined)) return await this.#sort(group);
    await this.#applyOrPark(group);
    return group.parts.length;
  }

  /**
   * In the target transaction of the rows around it. Where these may be set aside, which takes a target transaction of
   * its own, a definition that comes first is committed by itself: met again after a crash, it is the one that is stored.
   */
  async #follow(evolving: Evolving, group: Group): Promise<void> {
    const mayPark = this.#route.apply.onError === 'park' || this.#parking.active;
    if (this.#open || !mayPark) await this.#attempt(group, 'set');
    else await this.#transaction(() => this.#evolve(evolving));
  }

  async #evolve(evolving: Evolving): Promise<void> {
    const { client } = this.#connection;
    await evolveTable(evolving, { client, route: this.#route.name, routeId: this.#routeId });
    failpoint('evolve.altered');
  }

  /** With something parked or unmapped: what is free before the first transaction that is not, or that one. */
  async #sort(group: Group): Promise<number> {
    let free = 0;
    for (const one of transactionsOf(group)) {
      const unmapped = one.parts.find((part) => part.unmapped !== undefined);
      const why = this.#writing ?? (await this.#parking.verdict(one.parts, this.#plans));
      if (why === null && unmapped === undefined) {
        free += one.parts.length;
        continue;
      }
      if (free > 0) break;
      if (why === null) {
        await this.#parkUnmapped(one, unmapped);
        return one.parts.length;
      }
      await this.#park(one, why);
      return one.parts.length;
    }
    const ahead = free === group.parts.length ? group : groupOf(group.parts.slice(0, free));
    if (!this.#open && ahead.parts.every(isIdle)) await this.#rest(ahead);
    else await this.#applyOrPark(ahead);
    return free;
  }

  /** A transaction for which the transforms have no value: set aside if the route says so, else it halts. */
  async #parkUnmapped(group: Group, part: TransactionPart | undefined): Promise<void> {
    if (part?.unmapped === undefined) return;
    const error = mappingError(part.unmapped);
    const end = group.parts.findLast(({ commit }) => commit !== null) ?? part;
    if (this.#route.apply.onError !== 'park') throw haltAt(error, end, this.#route.name);
    const { code, message, remedy } = part.unmapped;
    await this.#park(group, { cause: 'error', code, message, remedy, reason: null, askedBy: null });
  }

  /** An advance without changes rides with the next change, unless somebody waits for it. */
  async #rest(group: Group): Promise<void> {
    const { commit, lastCommit } = group;
    if (commit === null) return;
    // Of heartbeats, too: after a stretch without changes nothing else tells this history from a restored one.
    this.#idle = { commit, lastCommit: lastCommit ?? this.#idle?.lastCommit ?? null };
    if (group.parts.some((part) => part.urgency === 'now')) await this.#flushIdle();
  }

  async #flushIdle(): Promise<void> {
    if (this.#idle === null || this.#open) return;
    await this.#attempt({ parts: [], rows: 0, ...this.#idle }, 'set');
  }

  /** Where the target refuses rows of a single transaction: sets it aside if the route says so, else halts at it. */
  async #applyOrPark(group: Group): Promise<void> {
    try {
      await this.#applyGroup(group);
    } catch (reason) {
      const error = this.#classify(reason);
      const cause = parkableCause(error);
      const part = group.parts.findLast(({ commit }) => commit !== null) ?? group.parts.at(-1);
      if (cause === null || part === undefined || 'transaction' in error.place) throw error;
      if (this.#route.apply.onError !== 'park') throw haltAt(error, part, this.#route.name);
      const { code, message, remedy } = error;
      await this.#park(group, { cause, code, message, remedy, reason: null, askedBy: null }, true);
    }
  }

  async #applyGroup(group: Group): Promise<void> {
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
        for (const one of single) await this.#next(one);
        return;
      }
    }
  }

  /**
   * Sets a transaction aside, as far as it is there: the rest goes the same way. `refused`: it was tried, and there is
   * a target transaction to be rolled back.
   */
  async #park(group: Group, why: ParkWhy, refused = false): Promise<void> {
    const isPartOfIt = this.#open && !this.#parking.writing;
    if (refused || isPartOfIt) await this.#rollBackAll();
    const [part] = group.parts;
    if (part !== undefined && (isPartOfIt || (refused && group.commit === null))) await this.#readAgain(group, why);
    const batch = new Batch(this.#connection.client);
    if (!this.#open) this.#begin(batch, group);
    await batch.settle();
    this.#writing = why;
    await this.#parking.write(group.parts, why, this.#plans);
    if (group.commit === null) {
      this.#open = true;
      return;
    }
    await this.#commit(group, group.commit);
    this.#writing = null;
    this.#parking.committed(group.commit.position);
    const fields = { transaction: part?.id, position: group.commit.position, code: why.code, rows: group.rows };
    // What follows a parked transaction may be all that the source does.
    this.#logger[why.cause === 'behind' ? 'debug' : 'warn'](fields, 'transaction parked');
  }

  /** Parts of it were applied and are no longer in memory: what was decided is stored, and the stream read again. */
  async #readAgain(group: Group, why: ParkWhy): Promise<never> {
    const part = group.parts.at(-1);
    if (part === undefined) throw new RangeError('no parts are left to set aside');
    await this.#transaction(() => this.#parking.decide(part, why));
    throw fail(targetErrors.readAgain, { route: this.#route.name, transaction: part.id });
  }

  /** Statements in a target transaction under the route's epoch, without a checkpoint. */
  async #transaction(run: () => Promise<void>): Promise<void> {
    const { client, asynchronousCommit } = this.#connection;
    const batch = new Batch(client);
    this.#begin(batch, groupOf([]));
    // Somebody is told that it is done.
    if (asynchronousCommit) batch.send('set local synchronous_commit = local');
    await batch.settle();
    await run();
    const { command } = await client.query('commit');
    if (command !== 'COMMIT') throw new CountMismatch('commit', 1, 0);
  }

  async #carryOut(signal: AbortSignal): Promise<void> {
    const requests = await this.#parkedWork.requests();
    const worker: ParkedWorker = {
      apply: (groups) => this.#applyParked(groups),
      isOfTheRows: (error) => error.recovery === 'halt' && error.code !== nodeErrors.defect.code,
      claimAgain: (id, groups) => this.#claimAgain(id, groups),
      transaction: (run) => this.#transaction(run),
    };
    for (const request of requests) {
      if (signal.aborted) break;
      this.#logger.info({ request: request.id, action: request.action, ids: request.ids }, 'parked transactions');
      await this.#parkedWork.carryOut(request, worker, signal);
    }
    if (requests.length > 0) await this.#parking.load(this.#applied);
  }

  async #claimAgain(id: number, groups: AsyncIterable<Group>): Promise<void> {
    try {
      await this.#transaction(async () => {
        for await (const { parts } of groups) {
          await this.#plans.prepare(this.#connection.client, parts, false);
          await this.#parking.claimAgain(id, parts, this.#plans);
        }
      });
    } catch (reason) {
      const error = this.#classify(reason);
      // A table that is no longer there: nobody else can touch its rows.
      if (error.recovery !== 'halt' || error.code === nodeErrors.defect.code) throw error;
      await this.#rollBackAll();
    }
  }

  /** One parked transaction. Throws classified, with everything rolled back and the target transaction closed. */
  async #applyParked(groups: AsyncIterable<Group>): Promise<void> {
    try {
      for await (const group of groups) {
        await this.#plans.prepare(this.#connection.client, group.parts, this.#open);
        await this.#applyGroup(group);
        failpoint('retry.part');
      }
    } catch (reason) {
      const error = this.#classify(reason);
      // Where the connection is gone there is nothing to roll back, and the first error is the one that tells.
      if (error.recovery === 'halt') await this.#rollBackAll();
      throw error;
    }
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
    const evolving = evolutionOf(group.parts[0]);
    if (evolving !== null) {
      await batch.settle();
      await this.#evolve(evolving);
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

  async #storeCheckpoint(commit: Commit, { sequence, lastCommit }: NextCheckpoint): Promise<void> {
    const batch = new Batch(this.#connection.client);
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
  }

  async #commit(group: Group, commit: Commit): Promise<void> {
    const { client } = this.#connection;
    // A parked transaction was passed by a checkpoint long ago, and somebody is told when it is done.
    const asynchronousCommit = this.#connection.asynchronousCommit && group.parked === undefined;
    const next = { sequence: this.#sequence + 1n, lastCommit: group.lastCommit ?? this.#lastCommit };
    if (group.parked === undefined) await this.#storeCheckpoint(commit, next);
    else await this.#takeOut(group.parked);
    const batch = new Batch(client);
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
    this.#turns.changed();
    if (group.parked !== undefined) {
      failpoint('retry.done');
      return;
    }
    this.#idle = null;
    this.#sequence = next.sequence;
    this.#lastCommit = next.lastCommit;
    this.#report(commit.position, asynchronousCommit ? this.#durable : commit.position);
    if (asynchronousCommit) this.#flush.wait(commit.position, walEnd);
  }

  async #takeOut(parked: { readonly id: number; readonly request: number }): Promise<void> {
    await this.#connection.client.query('set local synchronous_commit = local');
    await this.#parkedWork.unpark(parked);
    failpoint('retry.taken');
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

  /** The whole target transaction, where there is one. */
  async #rollBackAll(): Promise<void> {
    await this.#connection.client.query('rollback');
    this.#open = false;
    this.#turns.changed();
    this.#displaced.takeAll();
    this.#parking.rolledBack();
    this.#writing = null;
  }

  /** Every error that leaves the Consumer is a TidelockError. */
  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
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

interface NextCheckpoint {
  readonly sequence: bigint;
  readonly lastCommit: StartPoint['lastCommit'];
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
