import type { StartPoint } from '../../../src/core/collector.ts';
import {
  type ApplyCounts,
  backlogRows,
  type Consumer,
  type PartFeed,
  type Progress,
} from '../../../src/core/consumer.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ParkedCount } from '../../../src/core/parked.ts';
import type { PositionOrder } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import type { WorkMeter } from '../../../src/core/work-meter.ts';
import { evolutionOf } from '../../sql/apply/evolutions.ts';
import { bytesOf, type Group, groupOf, isIdle, isOfLoad, nextGroup, transactionsOf } from '../../sql/apply/group.ts';
import { GroupSize } from '../../sql/apply/group-size.ts';
import { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import { mappingError } from '../../sql/apply/mapping-error.ts';
import { Turns } from '../../sql/apply/turns.ts';
import { againStatement } from '../state/stored-loads.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch } from './batch.ts';
import { boundStatements, isBounded, mostStatements } from './bound-statements.ts';
import { applyCarefully } from './careful-apply.ts';
import { carryCommand } from './carry-command.ts';
import { DisplacedRows } from './displaced-rows.ts';
import { evolveTable } from './evolve-table.ts';
import { GroupAhead } from './group-ahead.ts';
import type { KnownTables } from './known-tables.ts';
import { LoadApply } from './load-apply.ts';
import { haltAt, parkableCause } from './parking/parkable.ts';
import { ParkedWork, type ParkedWorker } from './parking/parked-work.ts';
import { Parking, type ParkWhy } from './parking/parking.ts';
import { type Applier, sendAsSets, sendInOrder } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { isOff, TargetTransaction } from './target-transaction.ts';

/** A column of a group becomes one text, which the runtime bounds at 512 MB, escaped. */
const maxGroupBytes = 128_000_000;

/**
 * How a group is applied. `set`: net effect in few statements. `ordered`: every change by itself in source order, all
 * written at once, constraints deferred. `careful`: one by one behind savepoints, with collisions resolved. Each is
 * tried after the one before has failed and was rolled back.
 */
type Mode = 'set' | 'ordered' | 'careful';
const modes: readonly Mode[] = ['set', 'ordered', 'careful'];

/** A group that is being applied, with what comes behind it. */
interface Current {
  readonly group: Group;
  /** Begins with the group's parts. */
  readonly incoming: IncomingParts;
  readonly feed: PartFeed;
  readonly signal: AbortSignal;
  /** It was looked at whether the next group can be made ready early: what stands against it stays. */
  isTried: boolean;
}

/** Of parts that are all there is. */
const noFeed: PartFeed = { take: () => [], gather: async () => [], onMore() {}, done() {} };

export interface PostgresConsumerOptions extends ConsumerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly connection: ApplyConnection;
  /** Definitions of the target's tables that were read before. */
  readonly known: KnownTables | null;
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
  readonly #logger: Logger;
  readonly #meter: WorkMeter;
  #commitMs = 0;
  readonly #groupRows: number;
  readonly #size: GroupSize;
  readonly #plans: TablePlans;
  readonly #share: ConsumerOptions['share'];
  readonly #target: TargetTransaction;
  readonly #ahead: GroupAhead;
  readonly #loads: LoadApply;
  /** The next group, sent behind the COMMIT of the one before: in a target transaction that ends with a COMMIT of its own or not at all. */
  #begun: { readonly group: Group; readonly batch: Batch; readonly generation: number } | null = null;
  /** The group that is being applied, and where those after it come from; null while people's requests are carried out. */
  #current: Current | null = null;
  readonly #displaced: DisplacedRows;
  readonly #parking: Parking;
  readonly #parkedWork: ParkedWork;
  /** One at a time: a group, or what people have asked about parked transactions. */
  readonly #turns = new Turns();
  #idle: (Pick<Group, 'lastCommit'> & { readonly commit: Commit }) | null = null;
  /** Parts of a source transaction were applied in the open target transaction, and not only definitions followed. */
  #holdsRows = false;
  /** Why the parts in the open target transaction are written to the store, and not applied; null where they are applied. */
  #writing: ParkWhy | null = null;
  #counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };

  constructor(options: PostgresConsumerOptions) {
    const { route, routeId, connection, logger, order } = options;
    const { position, lastCommit } = options.checkpoint;
    this.start = { position, lastCommit };
    this.#route = route;
    this.#routeId = routeId;
    this.#connection = connection;
    this.#logger = logger;
    this.#meter = options.meter;
    this.#share = options.share;
    const bytes = Math.min(Math.floor(route.apply.memoryBytes / 8), maxGroupBytes);
    this.#groupRows = route.apply.groupRows;
    this.#size = new GroupSize({ rows: this.#groupRows, bytes });
    this.#displaced = new DisplacedRows(bytes);
    this.#plans = new TablePlans({ route, replicaRole: connection.replicaRole, known: options.known });
    const { client, replicaRole } = connection;
    this.#loads = new LoadApply({ client, route, routeId, plans: this.#plans, replicaRole });
    this.#ahead = new GroupAhead({ plans: this.#plans, replicaRole, isPartial: this.#isPartial, mostBytes: bytes });
    this.#target = new TargetTransaction(options, () => this.#turns.changed());
    this.#parking = new Parking({ client, routeId, route: route.name, routeKey: routeKey(route), order });
    this.#parkedWork = new ParkedWork({ client, routeId, route: route.name, map: options.map });
  }

  /** Reads what is parked, and which tables are being loaded. Before anything else. */
  open(): Promise<void> {
    return this.#guard(async () => {
      await this.#parking.load(this.start.position);
      await this.#loads.open();
    });
  }

  async apply(given: readonly TransactionPart[], signal: AbortSignal, feed: PartFeed = noFeed): Promise<void> {
    const incoming = new IncomingParts(given);
    while (incoming.parts.length > 0 && !signal.aborted) {
      const beganMs = performance.now();
      const [first] = incoming.parts;
      const begun = this.#begun?.group.parts[0] === first ? this.#begun?.group : null;
      const group = begun ?? this.#ahead.of(first, this.#target.open) ?? this.#groupAt(incoming, 0, this.#target.open);
      const done = await this.#turns.take(() => {
        this.#current = { group, incoming, feed, signal, isTried: false };
        return this.#guard(() => this.#timed(() => this.#next(group))).finally(() => {
          this.#current = null;
        });
      });
      feed.done(incoming.drop(done));
      this.#size.applied(performance.now() - beganMs, incoming.rows);
      await this.#refill(incoming, feed);
    }
    // Nobody comes for what was begun: it keeps its locks no longer. Its statements are not waited for.
    if (signal.aborted) this.#takeBack().catch(() => {});
  }

  async flushIdle(): Promise<void> {
    await this.#turns.take(() => this.#guard(() => this.#timed(() => this.#flushIdle())));
  }

  parked(): ParkedCount {
    return this.#parking.count;
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    let done = false;
    while (!done && !signal.aborted) {
      done = await this.#turns.takeWhere(
        () => !this.#target.open,
        () => this.#guard(() => this.#carryOut(signal)),
        signal,
      );
    }
  }

  progress(): AsyncIterable<Progress> {
    return this.#target.progress();
  }

  counts(): ApplyCounts {
    return { ...this.#counts };
  }

  async settled(): Promise<void> {
    await this.#target.settled();
  }

  abort(): void {
    this.#target.abort();
  }

  async close(): Promise<void> {
    this.#turns.changed();
    await this.#target.close();
  }

  #groupAt(incoming: IncomingParts, at: number, open: boolean): Group {
    return nextGroup(incoming.parts, at, this.#size.limits, open);
  }

  /** What has come; and in a backlog that makes no whole group yet a little more, where the target has nothing to do anyhow. */
  async #refill(incoming: IncomingParts, feed: PartFeed): Promise<void> {
    incoming.add(feed.take());
    const { rows, parts } = incoming;
    if (this.#begun !== null || rows < backlogRows(this.#groupRows) || rows >= this.#groupRows) return;
    if (!parts.some(({ urgency }) => urgency === 'now')) incoming.add(await feed.gather(rows));
  }

  /** Applies the group, or as much of it as goes together. Returns how many of its parts are done with. */
  async #next(group: Group): Promise<number> {
    if (!this.#target.open && group.parts.every(isIdle)) {
      await this.#rest(group);
      return group.parts.length;
    }
    // What was begun may have failed by now, and nothing else can be asked in its transaction.
    if (!this.#holds(group)) await this.#takeBack();
    // A definition to be followed: also where the rows around it are set aside, since later ones need it.
    if (evolutionOf(group.parts[0]) !== null) {
      await this.#attempt(group, 'set');
      return group.parts.length;
    }
    await boundStatements(this.#connection.client, mostStatements);
    await this.#plans.prepare(this.#connection.client, group.parts, this.#target.open);
    if (group.parts.some(isOfLoad)) return await this.#load(group);
    const isWatched = this.#parking.writing || this.#parking.active;
    if (isWatched || group.parts.some(({ unmapped }) => unmapped !== undefined)) return await this.#sort(group);
    await this.#applyOrPark(group);
    return group.parts.length;
  }

  readonly #isPartial = (plan: TablePlan): boolean => this.#loads.ofTable(plan) !== null;

  /** Rows of a load with how far it is, or its begin. The rows of a chunk are not there, as a rule: only then COPY takes them. */
  async #load(group: Group): Promise<number> {
    const [{ chunk, begins, commit } = {}] = group.parts;
    if (commit === null || commit === undefined) throw new RangeError('a load without a commit');
    if (this.#parksAny) throw fail(targetErrors.loadWhileParked, { route: this.#route.name });
    const beganMs = performance.now();
    for (const isEmpty of [true, false]) {
      const batch = new Batch(this.#connection.client);
      this.#target.begin(batch, group);
      try {
        if (begins !== undefined) {
          await batch.settle();
          await this.#loads.begin(begins);
        }
        if (chunk !== undefined) this.#loads.send(batch, chunk, isEmpty);
        this.#sendCheckpoint(batch, group);
        await batch.settle();
        break;
      } catch (error) {
        if (chunk === undefined || !isOff(error)) throw error;
        if (!isEmpty || !this.#loads.isTaken(error)) throw this.#loads.refused(error, chunk, commit.position);
        await this.#target.rollBack();
      }
    }
    failpoint('chunk.sent');
    // Before what comes behind the COMMIT is made ready: it is of a table that lacks rows from here on, or lacks none any more.
    if (begins !== undefined) this.#loads.begun(begins);
    if (chunk !== undefined) this.#loads.sent(chunk);
    await this.#commit(group, commit);
    if (chunk !== undefined) chunk.appliedMs = performance.now() - beganMs;
    failpoint('chunk.applied');
    return group.parts.length;
  }

  #sendAgain(batch: Batch, { parts }: Group): void {
    const again = parts.flatMap((part) => part.again ?? []);
    if (again.length > 0) batch.send(againStatement(this.#routeId, again));
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
    if (!this.#target.open && ahead.parts.every(isIdle)) await this.#rest(ahead);
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
    if (this.#idle === null || this.#target.open) return;
    await this.#attempt({ parts: [], rows: 0, ...this.#idle }, 'set');
  }

  /** Where the target refuses rows of a single transaction: sets it aside if the route says so, else halts at it. */
  async #applyOrPark(group: Group): Promise<void> {
    try {
      await this.#applyGroup(group);
    } catch (reason) {
      const error = this.#target.classify(reason);
      const cause = parkableCause(error);
      const part = group.parts.findLast(({ commit }) => commit !== null) ?? group.parts.at(-1);
      if (cause === null || part === undefined || 'transaction' in error.place) throw error;
      if (this.#route.apply.onError !== 'park' || this.#loads.active) throw haltAt(error, part, this.#route.name);
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
        this.#size.replayed();
        this.#logger.debug({ mode, rows: group.rows }, 'group did not go through as a whole, replaying');
        await this.#target.rollBack();
      }
      // What halts is to halt alone: the transactions before it are committed, and the checkpoint is right before it.
      const single = mode === 'ordered' && !this.#target.open ? transactionsOf(group) : [];
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
    const [part] = group.parts;
    if (this.#loads.active) throw fail(targetErrors.loadWhileParked, { route: this.#route.name });
    await this.#takeBack();
    // What was refused has left the target transaction in pieces, with the definitions that were followed in it.
    const isInPieces = refused && (this.#target.open || group.commit === null);
    const isPartOfIt = isInPieces || this.#holdsRows;
    if (refused || isPartOfIt) await this.#rollBackAll();
    if (isPartOfIt) await this.#readAgain(group, why);
    const batch = new Batch(this.#connection.client);
    if (!this.#target.open) this.#target.begin(batch, group);
    await batch.settle();
    this.#writing = why;
    await this.#parking.write(group.parts, why, this.#plans);
    if (group.commit === null) {
      this.#target.stayOpen();
      return;
    }
    this.#sendCheckpoint(batch, group);
    await batch.settle();
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
    await this.#target.run(() => this.#parking.decide(part, why));
    throw fail(targetErrors.readAgain, { route: this.#route.name, transaction: part.id });
  }

  async #carryOut(signal: AbortSignal): Promise<void> {
    await this.#takeBack();
    const requests = await this.#parkedWork.requests();
    const worker: ParkedWorker = {
      apply: (groups) => this.#applyParked(groups),
      isOfTheRows: (error) => error.recovery === 'halt' && error.code !== nodeErrors.defect.code,
      claimAgain: (id, groups) => this.#claimAgain(id, groups),
      transaction: (run) => this.#target.run(run),
    };
    for (const request of requests) {
      if (signal.aborted) break;
      this.#logger.info({ request: request.id, action: request.action, ids: request.ids }, 'parked transactions');
      await this.#parkedWork.carryOut(request, worker, signal);
    }
    if (requests.length > 0) await this.#parking.load(this.#target.applied);
  }

  async #claimAgain(id: number, groups: AsyncIterable<Group>): Promise<void> {
    try {
      await this.#target.run(async () => {
        for await (const { parts } of groups) {
          await this.#plans.prepare(this.#connection.client, parts, false);
          await this.#parking.claimAgain(id, parts, this.#plans);
        }
      });
    } catch (reason) {
      const error = this.#target.classify(reason);
      // A table that is no longer there: nobody else can touch its rows.
      if (error.recovery !== 'halt' || error.code === nodeErrors.defect.code) throw error;
      await this.#rollBackAll();
    }
  }

  /** One parked transaction. Throws classified, with everything rolled back and the target transaction closed. */
  async #applyParked(groups: AsyncIterable<Group>): Promise<void> {
    try {
      for await (const group of groups) {
        await this.#plans.prepare(this.#connection.client, group.parts, this.#target.open);
        await this.#applyGroup(group);
        failpoint('retry.part');
      }
    } catch (reason) {
      const error = this.#target.classify(reason);
      // Where the connection is gone there is nothing to roll back, and the first error is the one that tells.
      if (error.recovery === 'halt') await this.#rollBackAll();
      throw error;
    }
  }

  get #parksAny(): boolean {
    return this.#writing !== null || this.#parking.writing || this.#parking.active;
  }

  /** Runs one group in one mode. Throws with the target transaction still there, to be rolled back. */
  async #attempt(group: Group, mode: Mode): Promise<void> {
    const beganMs = this.#meter.onDone === null ? 0 : Date.now();
    const { client, replicaRole } = this.#connection;
    const begun = await this.#takeBegun(group, mode);
    const batch = begun ?? new Batch(client);
    if (begun === null) this.#target.begin(batch, group);
    const evolving = evolutionOf(group.parts[0]);
    if (evolving !== null) {
      await batch.settle();
      const at = { client, route: this.#route, routeId: this.#routeId };
      if (evolving.kind === 'ddl') {
        await carryCommand(evolving, { ...at, logger: this.#logger, isParking: this.#parksAny });
        this.#loads.carried(evolving);
        await boundStatements(client, 0);
      } else await evolveTable(evolving, { ...at, route: this.#route.name });
      this.#plans.forget();
      failpoint('evolve.altered');
    }
    if (mode !== 'set') batch.send('set constraints all deferred');
    const isPartial = this.#isPartial;
    const applier = { client, batch, plans: this.#plans, replicaRole, isPartial, share: this.#share };
    if (mode === 'set' && begun === null) await this.#sendSets(applier, group);
    else if (mode === 'ordered') await sendInOrder(applier, group.parts);
    this.#sendAgain(batch, group);
    const { commit } = group;
    // In one flight with the rows; one by one, they are answered first.
    if (mode !== 'careful' && begun === null) this.#sendCheckpoint(batch, group);
    if (mode === 'set') await this.#makeAheadWhile(group, batch);
    else await batch.settle();
    const collisions = mode === 'careful' ? await this.#applyCarefully(group) : 0;
    if (mode === 'careful') {
      this.#sendCheckpoint(batch, group);
      await batch.settle();
    }
    if (commit !== null) await this.#commit(group, commit);
    else {
      this.#target.keepOpen();
      this.#holdsRows ||= evolving === null;
    }
    this.#count(group, collisions);
    this.#trace(group, mode, beganMs);
  }

  async #sendSets(applier: Applier, group: Group): Promise<void> {
    const ready = this.#ahead.take(group);
    if (ready === null) await sendAsSets(applier, group.parts);
    else ready.sendTo(applier.batch);
  }

  /** What the group was begun with, where that is how it is to be applied now. Anything else that was begun is taken back. */
  async #takeBegun(group: Group, mode: Mode): Promise<Batch | null> {
    const begun = this.#begun;
    if (begun === null) return null;
    if (begun.group !== group || mode !== 'set' || begun.generation !== this.#plans.generation) {
      await this.#takeBack();
      return null;
    }
    this.#begun = null;
    return begun.batch;
  }

  /** The group was begun, and nothing has to be done before it goes on. */
  #holds(group: Group): boolean {
    if (this.#begun?.group !== group) return false;
    return this.#plans.areMade(group.parts, false) && isBounded(this.#connection.client, mostStatements);
  }

  async #takeBack(): Promise<void> {
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null) return;
    // Written at once, so that whatever is asked next comes behind it.
    const batch = new Batch(this.#connection.client);
    batch.send('rollback');
    batch.flush();
    await begun.batch.settle().catch(() => {});
    await batch.settle();
  }

  /** Behind a COMMIT that is on its way. Whether it went through is known before this group is looked at. */
  #sendNext(before: Group): void {
    if (this.#parksAny) return;
    if (!this.#ahead.isMade(before)) this.#makeAhead(before, 'behind');
    const group = this.#ahead.after(before);
    const ready = group === null ? null : this.#ahead.take(group);
    if (group === null || ready === null) return;
    const batch = new Batch(this.#connection.client);
    this.#target.beginNew(batch, group);
    ready.sendTo(batch);
    if (group.commit !== null) this.#target.sendCheckpoint(batch, group, group.commit, before);
    batch.flush();
    this.#begun = { group, batch, generation: this.#plans.generation };
  }

  #sendCheckpoint(batch: Batch, group: Group): void {
    if (group.commit !== null && group.parked === undefined) this.#target.sendCheckpoint(batch, group, group.commit);
  }

  /** Waits for the answers. While the server works on this group, the next one is made ready. */
  async #makeAheadWhile(group: Group, batch: Batch): Promise<void> {
    const current = this.#current?.group === group ? this.#current : null;
    const answered = batch.settle();
    if (current === null) return await answered;
    answered.catch(() => {});
    current.feed.onMore(() => this.#makeAhead(group, 'early'));
    // What the socket didn't take at once goes out first.
    if (group.rows >= backlogRows(this.#groupRows)) await new Promise((resolve) => setImmediate(resolve));
    this.#makeAhead(group, 'early');
    try {
      await answered;
    } finally {
      current.feed.onMore(null);
    }
  }

  /**
   * Makes ready what is to follow this group. Early where it is worth a group of its own; behind the group's COMMIT also
   * what little has come, which would be late otherwise, and what there is at all of a transaction that is under way.
   */
  #makeAhead(before: Group, when: 'early' | 'behind'): void {
    const current = this.#current?.group === before ? this.#current : null;
    if (current === null || current.signal.aborted || this.#ahead.isMade(before)) return;
    const { incoming, feed } = current;
    incoming.add(feed.take());
    const at = before.parts.length;
    if (incoming.parts.length <= at) return;
    const [rows, bytes] = [incoming.rows - before.rows, incoming.bytes - bytesOf(before)];
    const { limits } = this.#size;
    const isLarge = rows >= limits.rows / 2 || bytes >= limits.bytes / 2;
    const isBehind = when === 'behind' && (rows < backlogRows(this.#groupRows) || rows >= this.#groupRows / 2);
    if (!isBehind && (!isLarge || current.isTried)) return;
    current.isTried = true;
    this.#ahead.make(before, this.#groupAt(incoming, at, before.commit === null));
  }

  async #applyCarefully(group: Group): Promise<number> {
    const { client, replicaRole } = this.#connection;
    const { collisions, name: route, to } = this.#route;
    const loading = (plan: TablePlan) => this.#loads.ofTable(plan);
    const shared = { client, plans: this.#plans, replicaRole, displaced: this.#displaced, share: this.#share, loading };
    return await applyCarefully({ ...shared, route, node: to.name, collisions, logger: this.#logger }, group.parts);
  }

  async #commit(group: Group, commit: Commit): Promise<void> {
    const beganMs = performance.now();
    const { parked } = group;
    if (parked !== undefined) {
      await this.#target.unpark(async () => {
        await this.#parkedWork.unpark(parked);
        failpoint('retry.taken');
      });
    }
    try {
      await this.#target.commit(group, commit, () => this.#sendNext(group));
    } catch (error) {
      // Where the connection is gone nothing is left to be taken back.
      await this.#takeBack().catch(() => {});
      throw error;
    }
    const spentMs = performance.now() - beganMs;
    this.#commitMs += spentMs;
    this.#meter.spent('commit', spentMs);
    if (group.parked === undefined) this.#idle = null;
    else failpoint('retry.done');
    this.#holdsRows = false;
  }

  #trace({ parts, rows, commit }: Group, mode: Mode, beganMs: number): void {
    if (this.#meter.onDone === null || parts.length === 0) return;
    const transactions = parts.filter((part) => part.commit !== null && !isIdle(part)).length;
    const position = commit?.position ?? null;
    this.#meter.onDone({ kind: 'group', beganMs, endedMs: Date.now(), rows, transactions, position, mode });
  }

  #count(group: Group, collisions: number): void {
    if (group.rows === 0 && group.parts.length === 0) return;
    this.#counts.groups++;
    this.#counts.rows += group.rows;
    this.#counts.collisions += collisions;
    this.#meter.applied(group.parts, group.rows);
    for (const part of group.parts) if (part.commit !== null && !isIdle(part)) this.#counts.transactions++;
  }

  /** The whole target transaction, where there is one. */
  async #rollBackAll(): Promise<void> {
    await this.#target.rollBackAll();
    this.#holdsRows = false;
    this.#displaced.takeAll();
    this.#parking.rolledBack();
    this.#writing = null;
  }

  /** What is not the commit is the apply, however often it was tried. */
  async #timed<T>(run: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    const committedMs = this.#commitMs;
    try {
      return await run();
    } finally {
      this.#meter.spent('apply', performance.now() - beganMs - (this.#commitMs - committedMs));
    }
  }

  /** Every error that leaves the Consumer is a TidelockError. */
  async #guard<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw this.#target.classify(error);
    }
  }
}
