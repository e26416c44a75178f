import type { StartPoint } from '../../../src/core/collector.ts';
import {
  type ApplyCounts,
  backlogRows,
  type Consumer,
  type PartFeed,
  type Progress,
} from '../../../src/core/consumer.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ParkedCount } from '../../../src/core/parked.ts';
import type { PositionOrder } from '../../../src/core/position.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { ApplyCounter } from '../../sql/apply/apply-counter.ts';
import { evolutionOf } from '../../sql/apply/evolutions.ts';
import { type Group, isIdle, isOfLoad, nextGroup } from '../../sql/apply/group.ts';
import { GroupSize } from '../../sql/apply/group-size.ts';
import { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import { Turns } from '../../sql/apply/turns.ts';
import { ParkedRequests } from '../../sql/parking/parked-requests.ts';
import { ParkedWork } from '../../sql/parking/parked-work.ts';
import { Parking } from '../../sql/parking/parking.ts';
import { type GroupApplier, SetAside, type Tried } from '../../sql/parking/set-aside.ts';
import { sqlState } from '../classify-error.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch } from './batch.ts';
import { writeChunk } from './chunk-writer.ts';
import { DisplacedRows } from './displaced-rows.ts';
import { GroupWriter } from './group-writer.ts';
import { GroupsUnderWay } from './groups-under-way.ts';
import type { KnownTables } from './known-tables.ts';
import { LaneKeys } from './lanes/lane-keys.ts';
import { LaneUse } from './lanes/lane-use.ts';
import { Lanes } from './lanes/lanes.ts';
import { LoadApply } from './load-apply.ts';
import { parkedTables } from './parking/parked-tables.ts';
import { PostgresParkedWorkStore } from './parking/postgres-parked-work-store.ts';
import { PostgresParkingStore } from './parking/postgres-parking-store.ts';
import { StatementsAhead } from './statements-ahead.ts';
import type { TablePlan } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { isOff, TargetTransaction } from './target-transaction.ts';

/** A column of a group becomes one text, which the runtime bounds at 512 MB, escaped. */
const maxGroupBytes = 128_000_000;

/** What is to be applied, and where more comes from. */
interface Incoming {
  readonly incoming: IncomingParts;
  readonly feed: PartFeed;
  readonly signal: AbortSignal;
}

/** Of parts that are all there is. */
const noFeed: PartFeed = { take: () => [], gather: async () => [], onMore() {}, done() {} };

export interface PostgresConsumerOptions extends ConsumerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly connection: ApplyConnection;
  /** Another session like it. */
  openLane(): Promise<ApplyConnection>;
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
 * With `apply.lanes` groups that touch different keys are carried out on several sessions, and committed in source order: groups-under-way.ts. All
 * else is done on the first of them, while the others rest.
 */
export class PostgresConsumer implements Consumer {
  readonly start: StartPoint;
  readonly #connection: ApplyConnection;
  readonly #route: string;
  readonly #groupRows: number;
  readonly #size: GroupSize;
  readonly #plans: TablePlans;
  readonly #target: TargetTransaction;
  readonly #loads: LoadApply;
  readonly #parking: Parking<TablePlan>;
  readonly #underWay: GroupsUnderWay;
  readonly #lanes: Lanes;
  readonly #laneKeys: LaneKeys;
  readonly #laneUse = new LaneUse();
  readonly #openLanes: () => Promise<void>;
  readonly #counter: ApplyCounter;
  readonly #writer: GroupWriter;
  readonly #aside: SetAside<TablePlan>;
  readonly #requests: ParkedRequests<TablePlan>;
  /** One at a time: a group, or what people have asked about parked transactions. */
  readonly #turns = new Turns();

  constructor(options: PostgresConsumerOptions) {
    const { route, routeId, connection, logger, order, known, meter, share, map } = options;
    const { position, lastCommit } = options.checkpoint;
    const { client, replicaRole } = connection;
    this.start = { position, lastCommit };
    this.#connection = connection;
    this.#route = route.name;
    this.#groupRows = route.apply.groupRows;
    const bytes = Math.min(Math.floor(route.apply.memoryBytes / 8), maxGroupBytes);
    const size = new GroupSize({ rows: this.#groupRows, bytes });
    const plans = new TablePlans({ route, replicaRole, known });
    const loads = new LoadApply({ client, route, routeId, plans, replicaRole });
    const target = new TargetTransaction(options, () => this.#turns.changed());
    const store = new PostgresParkingStore({ client, routeId, routeKey: routeKey(route) });
    const parking = new Parking({ store, tables: parkedTables(client), route: route.name, order });
    const parkedWork = new ParkedWork({
      store: new PostgresParkedWorkStore({ client, routeId }),
      route: route.name,
      map,
    });
    const counter = new ApplyCounter(meter);
    const isPartial = (plan: TablePlan): boolean => loads.ofTable(plan) !== null;
    const parksAny = (): boolean => this.#aside.parksAny;
    const session = { client, connection, logger, plans, loads, target, parking, parkedWork, size, counter, parksAny };
    const ahead = new StatementsAhead({
      plans,
      replicaRole,
      isPartial,
      isOwing: (plan) => loads.owing(plan) !== null,
      mostBytes: bytes,
    });
    const displaced = new DisplacedRows(bytes);
    const isFree = (): boolean => displaced.size === 0 && !parksAny();
    const lanes = new Lanes(connection);
    const laneKeys = new LaneKeys({ plans, replicaRole, isPartial });
    this.#lanes = lanes;
    this.#laneKeys = laneKeys;
    this.#openLanes = () => lanes.open(route.apply.lanes - 1, options.openLane);
    const sending = {
      lanes,
      laneKeys,
      laneUse: this.#laneUse,
      ahead,
      groupRows: this.#groupRows,
      mostBytes: 2 * bytes,
      isFree,
    };
    this.#underWay = new GroupsUnderWay({ ...session, ...sending });
    const writer = new GroupWriter({ ...session, route, routeId, displaced, share });
    const applier = this.#applier(writer);
    const aside = new SetAside({ ...session, route, applier });
    this.#size = size;
    this.#plans = plans;
    this.#target = target;
    this.#loads = loads;
    this.#parking = parking;
    this.#counter = counter;
    this.#writer = writer;
    this.#aside = aside;
    const prepare = (parts: readonly TransactionPart[]) => plans.prepare(client, parts, target.open);
    this.#requests = new ParkedRequests({ ...session, applier, aside, prepare });
  }

  #applier(writer: GroupWriter): GroupApplier {
    const { client } = this.#connection;
    return {
      get holdsRows() {
        return writer.holdsRows;
      },
      apply: (group, tried) => writer.apply(group, (one) => this.#carry(one), tried),
      rest: (group) => writer.rest(group),
      begin: async (group) => {
        const batch = new Batch(client);
        this.#target.begin(batch, group);
        await batch.settle();
      },
      commit: async (group, commit) => {
        const batch = new Batch(client);
        writer.sendCheckpoint(batch, group);
        await batch.settle();
        await writer.commit(group, commit);
      },
      rollBackAll: () => writer.rollBackAll(),
    };
  }

  /** Reads what is parked, and which tables are being loaded. Before anything else. */
  open(): Promise<void> {
    return this.#guard(async () => {
      // On a session that sends both at once. All are waited for: what has connected by then can be closed.
      const opening = [this.#parking.load(this.start.position), this.#loads.open(), this.#openLanes()];
      for (const one of await Promise.allSettled(opening)) if (one.status === 'rejected') throw one.reason;
      await this.#requests.takeUp();
    });
  }

  async apply(given: readonly TransactionPart[], signal: AbortSignal, feed: PartFeed = noFeed): Promise<void> {
    const incoming = new IncomingParts(given);
    const from = { incoming, feed, signal };
    // What is under way with its COMMIT comes to its end.
    while (this.#underWay.size > 0 || (incoming.parts.length > 0 && !signal.aborted)) {
      const beganMs = performance.now();
      const done = await this.#turns.take(() => this.#guard(() => this.#counter.timed(() => this.#step(from))));
      feed.done(incoming.drop(done));
      this.#size.applied(performance.now() - beganMs, incoming.rows - this.#underWay.rows);
      if (!signal.aborted) await this.#refill(incoming, feed);
    }
  }

  async flushIdle(): Promise<void> {
    await this.#turns.take(() => this.#guard(() => this.#counter.timed(() => this.#writer.flushIdle())));
  }

  parked(): ParkedCount {
    return this.#parking.count;
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    const run = async (): Promise<void> => {
      await this.#underWay.rest();
      await this.#requests.carryOut(signal);
    };
    let done = false;
    while (!done && !signal.aborted) {
      done = await this.#turns.takeWhere(
        () => !this.#target.open,
        () => this.#guard(run),
        signal,
      );
    }
  }

  progress(): AsyncIterable<Progress> {
    return this.#target.progress();
  }

  counts(): ApplyCounts {
    return this.#counter.counts;
  }

  async settled(): Promise<void> {
    await this.#target.settled();
  }

  abort(): void {
    this.#lanes.abort();
    this.#target.abort();
  }

  async close(): Promise<void> {
    this.#turns.changed();
    await Promise.all([this.#target.close(), this.#lanes.close()]);
  }

  /** What has come; and in a backlog that makes no whole group yet a little more, where the target has nothing to do anyhow. */
  async #refill(incoming: IncomingParts, feed: PartFeed): Promise<void> {
    incoming.add(feed.take());
    const { rows, parts } = incoming;
    if (this.#underWay.size > 0 || rows < backlogRows(this.#groupRows) || rows >= this.#groupRows) return;
    if (!parts.some(({ urgency }) => urgency === 'now')) incoming.add(await feed.gather(rows));
  }

  /** The next group, with others sent behind it where they are plain. Returns how many parts are done with. */
  async #step({ incoming, feed, signal }: Incoming): Promise<number> {
    const { limits } = this.#size;
    if (this.#underWay.size === 0) {
      const group = nextGroup(incoming.parts, 0, limits, this.#target.open);
      if (!this.#isOfRows(group)) return await this.#carry(group);
      await this.#prepare(group);
    }
    if (!signal.aborted) this.#underWay.fill(incoming, feed);
    const outcome = await this.#underWay.first(incoming, feed, signal);
    if (outcome === null) return await this.#carry(nextGroup(incoming.parts, 0, limits, this.#target.open));
    const { group, beganMs } = outcome;
    if (outcome.kind === 'failed') {
      const { error } = outcome;
      const isAlone = await this.#underWay.clear();
      const isDisturbed = outcome.isBeside && (isOff(error) || isOfOthers(error));
      if (!isOff(error) && !isDisturbed) throw error;
      if (!isAlone) throw this.#target.committedOff(error, group.commit?.position ?? this.#target.applied);
      // Of what has changed nothing, nothing is begun again. A single change is soon told of: it may be what the route halts at.
      if (signal.aborted && group.rows > 1) return 0;
      if (!isDisturbed) return await this.#carry(group, outcome);
      this.#laneUse.disturbed();
      return await this.#carry(group);
    }
    this.#writer.went(group);
    this.#counter.applied(group, 0);
    this.#counter.trace(group, 'set', beganMs);
    return this.#underWay.shift();
  }

  /** It may be sent before others are answered. */
  #isOfRows({ parts }: Group): boolean {
    return !parts.every(isIdle) && evolutionOf(parts[0]) === null && !parts.some(isOfLoad);
  }

  async #prepare(group: Group): Promise<void> {
    const { client } = this.#connection;
    await this.#lanes.bound(this.#plans.generation);
    await this.#plans.prepare(client, group.parts, this.#target.open);
    if (this.#lanes.areSeveral) await this.#laneKeys.prepare(client, group.parts);
  }

  /**
   * Applies the group, or as much of it as goes together. Returns how many of its parts are done with. `tried`: what it was
   * refused with when it was sent with its COMMIT.
   */
  async #carry(group: Group, tried: Tried | null = null): Promise<number> {
    const { client } = this.#connection;
    if (!this.#target.open && group.parts.every(isIdle)) {
      await this.#writer.rest(group);
      return group.parts.length;
    }
    // A definition to be followed: also where the rows around it are set aside, since later ones need it.
    const evolving = evolutionOf(group.parts[0]);
    if (evolving !== null) {
      this.#aside.demandNames(evolving, evolving.at);
      await this.#writer.attempt(group, 'set');
      return group.parts.length;
    }
    await this.#prepare(group);
    if (group.parts.some(isOfLoad)) {
      const [loads, target, writer, aside] = [this.#loads, this.#target, this.#writer, this.#aside];
      await writeChunk(group, { client, route: this.#route, loads, target, writer, aside });
      return group.parts.length;
    }
    if (this.#aside.isWatched || group.parts.some(({ unmapped }) => unmapped !== undefined))
      return await this.#aside.sort(group);
    await this.#aside.applyOrPark(group, tried);
    return group.parts.length;
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

/** A deadlock, or a version of a row that is no more: there may be nothing wrong with the group but what went on beside it. */
function isOfOthers(error: unknown): boolean {
  return /^(40|55P03)/.test(sqlState(error) ?? '');
}
