import type { StartPoint } from '../../../src/core/collector.ts';
import {
  type ApplyCounts,
  backlogRows,
  type Consumer,
  type PartFeed,
  type Progress,
} from '../../../src/core/consumer.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ParkedCount } from '../../../src/core/parked.ts';
import { pause } from '../../../src/core/pause.ts';
import type { PositionOrder } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import { ApplyCounter } from '../../sql/apply/apply-counter.ts';
import { type Evolving, evolutionOf } from '../../sql/apply/evolutions.ts';
import { type Group, isIdle, isOfLoad, nextGroup, transactionsOf } from '../../sql/apply/group.ts';
import { GroupSize } from '../../sql/apply/group-size.ts';
import { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import { Turns } from '../../sql/apply/turns.ts';
import { ParkedRequests } from '../../sql/parking/parked-requests.ts';
import { ParkedWork } from '../../sql/parking/parked-work.ts';
import { Parking } from '../../sql/parking/parking.ts';
import { type GroupApplier, SetAside } from '../../sql/parking/set-aside.ts';
import { storeAgain } from '../state/stored-loads.ts';
import type { ApplySession } from './apply-session.ts';
import { applyCarefully } from './careful-apply.ts';
import { ContestedKeys } from './contested-keys.ts';
import { alterTarget, deleteIntent } from './evolve-table.ts';
import { type Flights, longestStatement } from './flights.ts';
import { LoadApply } from './load-apply.ts';
import { MysqlParkedWorkStore } from './parking/mysql-parked-work-store.ts';
import { MysqlParkingStore } from './parking/mysql-parking-store.ts';
import { parkedTables } from './parking/parked-tables.ts';
import { isDuplicate, isLockError, isOff, isOfItsRows, offBecause } from './refusals.ts';
import { orderedStatements, type SetOptions, setStatements } from './set-apply.ts';
import { storeDefinition } from './store-definition.ts';
import type { TablePlan } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { TargetTransaction } from './target-transaction.ts';
import { wholeStatements } from './whole-rows.ts';

/** A group's statements are text before they are bytes: both are in memory. */
const maxGroupBytes = 64_000_000;

/** A statement is not longer than this where its rows allow that: the server holds it, and its list of rows, in memory. */
const statementBytes = 4_000_000;

/** Deadlocks and lock waits of one group, which is done again each time. */
const mostRetries = 10;
const retryMs = 50;

/**
 * How a group is applied. `set`: net effect in few statements. `ordered`: every change by itself in source order. `whole`: rows that go, then rows that come;
 * only where a unique key was in the way. `careful`: one by one, with collisions resolved. Each is tried after the one before has failed and was rolled back.
 */
type Mode = 'set' | 'ordered' | 'whole' | 'careful';
const modes: readonly Mode[] = ['set', 'ordered', 'whole', 'careful'];
const statementsOf = { set: setStatements, ordered: orderedStatements, whole: wholeStatements } as const;

const noFeed: PartFeed = { take: () => [], gather: async () => [], onMore() {}, done() {} };

export interface MysqlConsumerOptions extends ConsumerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly apply: ApplySession;
  readonly logger: Logger;
  /** Of the source. */
  readonly order: PositionOrder;
}

/**
 * One target transaction per group: the route's epoch is locked and the origin marker written first, then the rows, last the checkpoint; all of a small
 * group is one message, and its COMMIT, which is sent once the counts are right, another. A source transaction that is larger than a group keeps the target
 * transaction open; each of its groups is behind a savepoint of its own, so that it can be replayed without the ones before.
 *
 * What locks of others undo is done again: here where the group is the whole transaction, by reading the stream again where parts of it are gone.
 */
export class MysqlConsumer implements Consumer {
  readonly start: StartPoint;
  readonly #route: RouteDefinition;
  readonly #routeId: number;
  readonly #apply: ApplySession;
  readonly #logger: Logger;
  readonly #counter: ApplyCounter;
  readonly #groupRows: number;
  readonly #size: GroupSize;
  readonly #plans: TablePlans;
  readonly #target: TargetTransaction;
  readonly #loads: LoadApply;
  readonly #maxBytes: number;
  readonly #contested: ContestedKeys;
  readonly #turns = new Turns();
  readonly #parking: Parking<TablePlan>;
  readonly #parkedWork: ParkedWork;
  readonly #aside: SetAside<TablePlan>;
  readonly #requests: ParkedRequests<TablePlan>;
  /** Rows of the source transaction that is under way are in the open target transaction. */
  #holdsRows = false;
  /** The target's table is what it asks for. */
  #altered: Evolving | null = null;
  #idle: (Pick<Group, 'lastCommit'> & { readonly commit: Commit }) | null = null;

  constructor(options: MysqlConsumerOptions) {
    const { route, apply, logger } = options;
    const { position, lastCommit } = options.checkpoint;
    this.start = { position, lastCommit };
    this.#route = route;
    this.#routeId = options.routeId;
    this.#apply = apply;
    this.#logger = logger;
    this.#counter = new ApplyCounter(options.meter);
    this.#groupRows = route.apply.groupRows;
    const bytes = Math.min(Math.floor(route.apply.memoryBytes / 8), maxGroupBytes);
    this.#size = new GroupSize({ rows: this.#groupRows, bytes });
    this.#contested = new ContestedKeys(bytes);
    this.#plans = new TablePlans(route, apply.foreignKeysAct);
    const { session, foreignKeysAct, maxPacketBytes } = apply;
    this.#maxBytes = Math.min(statementBytes, longestStatement(maxPacketBytes));
    this.#loads = new LoadApply({ session, route, routeId: options.routeId, plans: this.#plans, foreignKeysAct });
    this.#target = new TargetTransaction(options);
    const { routeId, order, map } = options;
    const store = new MysqlParkingStore({ session, routeId });
    this.#parking = new Parking({ store, tables: parkedTables(session), route: route.name, order });
    this.#parkedWork = new ParkedWork({
      store: new MysqlParkedWorkStore({ session, routeId }),
      route: route.name,
      map,
    });
    const [plans, target, parking] = [this.#plans, this.#target, this.#parking];
    const applier = this.#applier();
    const shared = { route, logger, plans, target, parking, applier };
    // Whatever this server says of a change is of the change: refusals.ts.
    this.#aside = new SetAside({ ...shared, loads: this.#loads, isOfTheData: (_, error) => isOfItsRows(error) });
    this.#requests = new ParkedRequests({
      ...shared,
      aside: this.#aside,
      parkedWork: this.#parkedWork,
      prepare: (parts) => plans.prepare(session, parts),
    });
  }

  #applier(): GroupApplier {
    const holdsRows = (): boolean => this.#holdsRows;
    return {
      get holdsRows() {
        return holdsRows();
      },
      apply: (group) => this.#applyGroup(group),
      rest: (group) => this.#rest(group),
      begin: async (group) => {
        const flights = this.#target.flights();
        await this.#target.begin(flights, group);
        await flights.settle();
      },
      commit: async (group, commit) => {
        await this.#target.storeCheckpoint(group, commit);
        await this.#commit(group, commit);
      },
      rollBackAll: async () => {
        await this.#target.rollBackAll();
        this.#contested.takeAll();
        this.#holdsRows = false;
        this.#turns.changed();
      },
    };
  }

  /** What is parked, and which tables lack rows. */
  async open(): Promise<this> {
    await this.#guard(async () => {
      await this.#parking.load(this.start.position);
      await this.#loads.open();
      await this.#requests.takeUp();
    });
    return this;
  }

  async apply(given: readonly TransactionPart[], signal: AbortSignal, feed: PartFeed = noFeed): Promise<void> {
    const incoming = new IncomingParts(given);
    while (incoming.parts.length > 0 && !signal.aborted) {
      const beganMs = performance.now();
      const group = nextGroup(incoming.parts, 0, this.#size.limits, this.#target.open);
      const done = await this.#turns.take(() => this.#guard(() => this.#counter.timed(() => this.#next(group))));
      feed.done(incoming.drop(done));
      this.#size.applied(performance.now() - beganMs, incoming.rows);
      incoming.add(feed.take());
      await this.#gather(incoming, feed);
    }
  }

  /** In a backlog that makes no whole group yet a little more, where the target has nothing to do anyhow. */
  async #gather(incoming: IncomingParts, feed: PartFeed): Promise<void> {
    const { rows, parts } = incoming;
    if (rows < backlogRows(this.#groupRows) || rows >= this.#groupRows) return;
    if (!parts.some(({ urgency }) => urgency === 'now')) incoming.add(await feed.gather(rows));
  }

  async flushIdle(): Promise<void> {
    await this.#turns.take(() => this.#guard(() => this.#counter.timed(() => this.#flushIdle())));
  }

  progress(): AsyncIterable<Progress> {
    return this.#target.progress();
  }

  counts(): ApplyCounts {
    return this.#counter.counts;
  }

  parked(): ParkedCount {
    return this.#parking.count;
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    let done = false;
    while (!done && !signal.aborted) {
      done = await this.#turns.takeWhere(
        () => !this.#target.open,
        () => this.#guard(() => this.#requests.carryOut(signal)),
        signal,
      );
    }
  }

  /** A COMMIT that was answered has flushed, or it was allowed by name that it has not. */
  async settled(): Promise<void> {}

  abort(): void {
    this.#target.abort();
  }

  async close(): Promise<void> {
    this.#turns.changed();
    this.#target.close();
  }

  /** Applies the group, or as much of it as goes together. Returns how many of its parts are done with. */
  async #next(group: Group): Promise<number> {
    const { parts } = group;
    if (!this.#target.open && parts.every(isIdle)) {
      await this.#rest(group);
      return parts.length;
    }
    const evolving = evolutionOf(parts[0]);
    if (evolving !== null) {
      this.#aside.demandNames(evolving, evolving.at);
      await this.#retried(group, 'set');
      return parts.length;
    }
    await this.#plans.prepare(this.#apply.session, parts);
    if (parts.some(isOfLoad)) {
      await this.#load(group);
      return parts.length;
    }
    if (this.#aside.isWatched || parts.some(({ unmapped }) => unmapped !== undefined))
      return await this.#aside.sort(group);
    await this.#aside.applyOrPark(group);
    return parts.length;
  }

  /** Rows of a load with how far it is, or its begin. The rows of a chunk are not there, as a rule. */
  async #load(group: Group): Promise<void> {
    const [{ chunk, begins } = {}] = group.parts;
    if (chunk !== undefined && this.#aside.isWatched)
      throw fail(targetErrors.loadWhileParked, { route: this.#route.name });
    const beganMs = performance.now();
    try {
      await this.#retried(group, 'set');
    } catch (error) {
      if (chunk === undefined || !isOff(error)) throw error;
      await this.#target.rollBack();
      try {
        await this.#retried(group, 'ordered');
      } catch (again) {
        throw this.#loads.refused(again, chunk, group.commit?.position ?? '');
      }
    }
    if (begins !== undefined) this.#loads.begun(begins);
    if (chunk !== undefined) {
      chunk.appliedMs = performance.now() - beganMs;
      this.#loads.sent(chunk);
    }
    failpoint('chunk.applied');
  }

  async #sendLoad(flights: Flights, { parts }: Group, mode: Mode): Promise<void> {
    const [{ chunk, begins } = {}] = parts;
    if (begins !== undefined) {
      await flights.settle();
      await this.#loads.begin([begins], false);
    }
    if (chunk !== undefined)
      await this.#loads.send(flights, chunk, { isEmpty: mode === 'set', maxBytes: this.#maxBytes });
    failpoint('chunk.sent');
  }

  /** An advance without changes rides with the next change, unless somebody waits for it. */
  async #rest({ commit, lastCommit, parts }: Group): Promise<void> {
    if (commit === null) return;
    this.#idle = { commit, lastCommit: lastCommit ?? this.#idle?.lastCommit ?? null };
    if (parts.some((part) => part.urgency === 'now')) await this.#flushIdle();
  }

  async #flushIdle(): Promise<void> {
    if (this.#idle === null || this.#target.open) return;
    await this.#retried({ parts: [], rows: 0, ...this.#idle }, 'set');
  }

  async #applyGroup(group: Group): Promise<void> {
    let refused: unknown = null;
    for (const mode of modes) {
      // Only that one knows whose place others have taken.
      if (mode !== 'careful' && this.#contested.size > 0) continue;
      if (mode === 'whole' && !isDuplicate(refused)) continue;
      try {
        await this.#retried(group, mode);
        return;
      } catch (error) {
        if (mode === 'careful' || !isOff(error)) throw error;
        refused = error;
        this.#counter.replayed();
        this.#size.replayed();
        this.#logger.debug(
          { mode, rows: group.rows, ...offBecause(error) },
          'group did not go through as a whole, replaying',
        );
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

  /** Runs one group in one mode, again after a deadlock or a lock wait where it is all that the target transaction holds. */
  async #retried(group: Group, mode: Mode): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt(group, mode);
        return;
      } catch (error) {
        if (!isLockError(error) || this.#target.open || attempt > mostRetries) throw error;
        this.#logger.debug({ attempt, rows: group.rows }, 'a lock of somebody else has undone the group, again');
        // The server has rolled back all of it, or a statement only: afterwards it is all.
        await this.#target.rollBack();
        await pause(retryMs * attempt * (0.5 + Math.random()), new AbortController().signal);
      }
    }
  }

  async #attempt(group: Group, mode: Mode): Promise<void> {
    const beganMs = this.#counter.now();
    const { commit, parts } = group;
    const evolving = evolutionOf(parts[0]);
    if (evolving !== null) await this.#alter(evolving);
    const flights = this.#target.flights();
    await this.#target.begin(flights, group);
    if (evolving !== null) {
      await flights.settle();
      const { session } = this.#apply;
      await storeDefinition(evolving, { session, route: this.#route, routeId: this.#routeId });
      if (evolving === this.#altered) {
        const { stored } = evolving.kind === 'schemaChange' ? evolving.evolution : { stored: null };
        if (stored !== null) await deleteIntent(session, this.#routeId, stored.source);
        failpoint('evolve.stored');
      }
    }
    let collisions = 0;
    if (parts.some(isOfLoad)) await this.#sendLoad(flights, group, mode);
    const again = parts.flatMap((part) => part.again ?? []);
    if (again.length > 0) {
      await flights.settle();
      await storeAgain(this.#apply.session, this.#routeId, { added: again });
    }
    const leaves = commit !== null && group.parked === undefined;
    if (mode === 'careful') {
      await flights.settle();
      const { name: route, collisions: rules } = this.#route;
      const loading = this.#loads.ofTable;
      const shared = { apply: this.#apply, plans: this.#plans, loading, contested: this.#contested };
      const options = { ...shared, route, collisions: rules, logger: this.#logger };
      const before = this.#contested.state;
      try {
        collisions = await applyCarefully(options, parts);
      } catch (error) {
        this.#contested.restore(before);
        throw error;
      }
      if (leaves) await this.#target.storeCheckpoint(group, commit);
    } else {
      await this.#send(flights, group, mode);
      if (leaves) await this.#target.sendCheckpoint(flights, group, commit);
      await flights.settle();
    }
    if (commit !== null) await this.#commit(group, commit);
    else {
      this.#target.keepOpen();
      this.#holdsRows ||= evolving === null;
    }
    this.#counter.applied(group, collisions);
    this.#counter.trace(group, mode, beganMs);
  }

  /** Once: the transaction that stores it may be done again. */
  async #alter(evolving: Evolving): Promise<void> {
    if (evolving === this.#altered || evolving.kind !== 'schemaChange' || evolving.evolution.steps.length === 0) return;
    const { session } = this.#apply;
    // What came before is not read once more by the definition of behind, as rows that the route's filter leaves out would be.
    await this.#flushIdle();
    await alterTarget(evolving, { session, route: this.#route, routeId: this.#routeId, target: this.#target });
    this.#plans.forget();
    this.#altered = evolving;
  }

  async #send(flights: Flights, { parts }: Group, mode: keyof typeof statementsOf): Promise<void> {
    const options: SetOptions = {
      plans: this.#plans,
      isPartial: (plan) => this.#loads.ofTable(plan) !== null,
      foreignKeysAct: this.#apply.foreignKeysAct,
      maxBytes: this.#maxBytes,
    };
    for (const statement of statementsOf[mode](options, parts)) await flights.sendCounted(statement);
  }

  async #commit(group: Group, commit: Commit): Promise<void> {
    const beganMs = performance.now();
    if (group.parked !== undefined) {
      await this.#parkedWork.unpark(group.parked);
      failpoint('retry.taken');
    }
    await this.#target.commit(group, commit);
    this.#counter.committed(performance.now() - beganMs);
    this.#holdsRows = false;
    if (group.parked === undefined) this.#idle = null;
    else failpoint('retry.done');
    this.#turns.changed();
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
