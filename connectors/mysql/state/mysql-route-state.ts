import type { Action, ActionJournal, MakeEntry } from '../../../src/core/action.ts';
import type { ApplyActivity } from '../../../src/core/apply-activity.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { JobStore } from '../../../src/core/job.ts';
import type { StoredLoad } from '../../../src/core/load.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { ParkedStore } from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import type { JournalLimits, NodeDefinition } from '../../../src/core/route.ts';
import type { RouteDescription } from '../../../src/core/route-description.ts';
import type {
  LeaseAttempt,
  LeaseHolder,
  PendingChange,
  RouteStateStore,
  SourceIdentity,
  StoredRoute,
  StoredTable,
  TablesChange,
  Wanted,
  WantedOptions,
} from '../../../src/core/route-state-store.ts';
import type { Reason, RouteStatus, WantedState } from '../../../src/core/route-status.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import { classifyMysqlError } from '../classify-error.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { readApplyActivity } from './apply-activity.ts';
import { storeFirstCheckpoint } from './first-checkpoint.ts';
import { acquire, type HeldLease, release, renew } from './lease.ts';
import { MysqlActionJournal, writeAction } from './mysql-action-journal.ts';
import { MysqlJobStore } from './mysql-job-store.ts';
import { MysqlParkedStore } from './mysql-parked-store.ts';
import { storeFailure, storePending } from './pending-change.ts';
import { pruneJournals } from './prune-journals.ts';
import { demandApart, readTables, replaceTables, storeApplied, storeChange, storeHalted } from './registered-tables.ts';
import { dropRoute, readRegistration, readRouteId, registerRoute } from './registration.ts';
import { isSettledFree, renameState } from './rename-state.ts';
import { leaveSessionLock, takeSessionLock } from './session-locks.ts';
import { isMissing, migrateState, readStateVersion, sharesSince } from './state-schema.ts';
import { inTransaction, nowMs } from './statements.ts';
import { currentWanted, storeWanted } from './store-wanted.ts';
import { readLoads } from './stored-loads.ts';
import { readStoredRoute } from './stored-route.ts';

/** With a renewal every 3 s, what is left of a lease of 10 s. */
const answerMs = 6_500;

/** A lease changes hands in several statements, each of which may wait for a lock or a session's end. */
const leaseAnswerMs = 30_000;

/** DDL waits for its turn, and old checkpoints may be many. */
const longAnswerMs = 120_000;

/** Thousands of transactions may be parked; only commands ask for them. */
const parkedAnswerMs = 60_000;

/** How long the control session waits for a lock: a renewal has to come through in time. */
const lockWaitSeconds = 3;

export interface MysqlStateOptions {
  readonly node: NodeDefinition;
  readonly routeKey: string;
  readonly logger: Logger;
}

/** Opens a session of its own. */
export async function openMysqlState(options: MysqlStateOptions): Promise<RouteStateStore> {
  const session = await connectMysql(options.node);
  try {
    await session.query(
      `set session innodb_lock_wait_timeout = ${lockWaitSeconds}, lock_wait_timeout = ${lockWaitSeconds}`,
    );
    await session.query('set session transaction isolation level read committed');
  } catch (error) {
    session.close();
    throw error;
  }
  return new MysqlRouteState(options, session);
}

class MysqlRouteState implements RouteStateStore {
  readonly parked: ParkedStore;
  readonly actions: ActionJournal;
  readonly jobs: JobStore;
  readonly #session: MysqlSession;
  readonly #node: string;
  readonly #key: string;
  readonly #route: string;
  readonly #logger: Logger;
  #routeId: number | null = null;
  /** Of the lease that the log knows of. */
  #toldEpoch: bigint | null = null;
  #lease: HeldLease | null = null;
  #isNamed = false;
  /** One at a time: a renewal must not slip into a transaction of another call. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ node, routeKey, logger }: MysqlStateOptions, session: MysqlSession) {
    this.#session = session;
    this.#node = node.name;
    this.#key = routeKey;
    this.#route = routeKey.slice(routeKey.indexOf('/') + 1);
    this.#logger = logger;
    const shared = {
      session,
      routeKey,
      run: <T>(run: () => Promise<T>) => this.#run(run),
      stateVersion: () => readStateVersion(session, this.#node),
    };
    this.parked = new MysqlParkedStore({
      ...shared,
      run: (run) => this.#run(run, parkedAnswerMs),
      route: this.#route,
      routeId: () => this.#id(),
    });
    this.actions = new MysqlActionJournal(shared);
    this.jobs = new MysqlJobStore({
      ...shared,
      routeId: () => this.#id(),
      epoch: () => this.#lease?.epoch ?? null,
      fenced: () => this.#fenced(),
    });
  }

  migrate(creates = true): Promise<void> {
    return this.#run(() => migrateState(this.#session, this.#node, creates), longAnswerMs);
  }

  register(known: string | null = null): Promise<string> {
    return this.#run(async () => {
      try {
        if (known === null) await registerRoute(this.#session, this.#node, this.#key);
      } catch (error) {
        // The last other route was dropped, and the tables with it, since they were migrated.
        if (!isMissing(error)) throw error;
        await migrateState(this.#session, this.#node, true);
        await registerRoute(this.#session, this.#node, this.#key);
      }
      const isThere = (await readStateVersion(this.#session, this.#node)) !== null;
      const registration = isThere ? await readRegistration(this.#session, this.#key) : null;
      if (registration === null)
        throw fail(known === null ? routeErrors.notRegistered : routeErrors.dropped, { route: this.#route });
      return registration;
    }, longAnswerMs);
  }

  read(): Promise<StoredRoute | null> {
    return this.#run(async () => {
      const version = await readStateVersion(this.#session, this.#node);
      return version === null ? null : await readStoredRoute(this.#session, this.#key, version);
    });
  }

  acquireLease(holder: LeaseHolder, takeover: boolean, onClaim = (): void => {}): Promise<LeaseAttempt> {
    return this.#run(async () => {
      const session = this.#session;
      const routeId = await this.#id();
      const options = { session, routeId, routeKey: this.#key, route: this.#route, holder };
      this.#lease = null;
      const attempt = await acquire(options, takeover, async () => onClaim());
      if (!attempt.granted) {
        await this.#unname(routeId);
        return attempt;
      }
      // By this lock whoever takes the route over finds the session and ends it; only a holder has it.
      this.#isNamed ||= await takeSessionLock(session, routeId, 'control', 1);
      const { epoch, claim = '' } = attempt;
      this.#lease = { supervisor: holder.supervisor, claim, epoch };
      // Asked for again after each pause, stop and halt: that the same lease goes on is no news.
      const isNews = epoch !== this.#toldEpoch;
      this.#toldEpoch = epoch;
      this.#logger[isNews ? 'info' : 'debug']({ epoch: epoch.toString(), takeover }, 'lease acquired');
      return { granted: true, epoch };
    }, leaseAnswerMs);
  }

  renewLease(status: RouteStatus | null): Promise<Wanted> {
    return this.#run(async () => {
      const lease = this.#lease;
      const isHeld = lease !== null && (await renew(this.#session, await this.#id(), lease, status));
      if (!isHeld) throw await this.#fenced();
      return await this.#wanted();
    });
  }

  releaseLease(): Promise<void> {
    return this.#run(async () => {
      if (this.#lease === null) return;
      const routeId = await this.#id();
      // Before the lease: whoever takes that ends the sessions that are marked as its holder's.
      await this.#unname(routeId);
      await release(this.#session, routeId, this.#lease);
      this.#lease = null;
    });
  }

  async #unname(routeId: number): Promise<void> {
    if (this.#isNamed) await leaveSessionLock(this.#session, routeId, 'control');
    this.#isNamed = false;
  }

  prune(limits: JournalLimits): Promise<void> {
    return this.#run(async () => {
      await pruneJournals(this.#session, { routeId: await this.#id(), routeKey: this.#key }, limits);
    }, longAnswerMs);
  }

  applyActivity(): Promise<ApplyActivity> {
    return this.#run(async () => await readApplyActivity(this.#session, await this.#id()));
  }

  wanted(): Promise<Wanted> {
    return this.#run(() => this.#wanted());
  }

  async #wanted(): Promise<Wanted> {
    const wanted = await currentWanted(this.#session, await this.#place());
    if (wanted === null) throw fail(routeErrors.notRegistered, { route: this.#route });
    return wanted;
  }

  async #place() {
    const version = await readStateVersion(this.#session, this.#node);
    return { routeId: await this.#id(), routeKey: this.#key, version };
  }

  /** These servers announce nothing: what is asked for is found with the next renewal of the lease. */
  onRequest(): void {}

  setWanted(state: WantedState, options: WantedOptions = {}): Promise<Wanted | null> {
    return this.#run(async () => await storeWanted(this.#session, await this.#place(), state, options));
  }

  setCreating(source: SourceIdentity): Promise<void> {
    return this.#run(() => this.#setRoute(`phase = 'creating', source = ?`, source));
  }

  setReady(
    source: SourceIdentity,
    position: Position,
    { applied, entry }: { readonly applied?: RouteDescription; readonly entry?: MakeEntry | undefined } = {},
  ): Promise<void> {
    return this.#run(() =>
      inTransaction(this.#session, async () => {
        // First, since it locks the route: no other checkpoint comes in between.
        await this.#setRoute(`phase = 'ready', source = ?`, source);
        const routeId = await this.#id();
        await storeFirstCheckpoint(this.#session, routeId, position);
        if (applied !== undefined) await storeApplied(this.#session, routeId, { applied });
        if (entry !== undefined) await writeAction(this.#session, this.#key, entry());
      }),
    );
  }

  setSource(source: SourceIdentity): Promise<void> {
    return this.#run(() => this.#setRoute('source = ?', source));
  }

  setPending(change: PendingChange, entry?: MakeEntry): Promise<void> {
    return this.#run(() =>
      inTransaction(this.#session, async () => {
        await storePending(this.#session, await this.#id(), change);
        if (entry !== undefined) await writeAction(this.#session, this.#key, entry());
      }),
    );
  }

  failPending(reason: Reason): Promise<void> {
    return this.#run(() =>
      inTransaction(this.#session, async () => {
        await storeFailure(this.#session, await this.#id(), { epoch: this.#lease?.epoch ?? null, reason });
      }),
    );
  }

  apply(change: TablesChange): Promise<void> {
    return this.#run(() =>
      inTransaction(this.#session, async () => {
        const routeId = await this.#id();
        const [row] = await this.#session.query('select epoch from tidelock.routes where id = ? for update', [routeId]);
        if (this.#lease === null || row?.[0] !== this.#lease.epoch.toString()) throw await this.#fenced();
        await storeChange(this.#session, this.#route, routeId, change);
        failpoint('change.stored');
      }),
    );
  }

  tables(): Promise<readonly StoredTable[]> {
    return this.#run(async () => await readTables(this.#session, await this.#id()));
  }

  setTables(tables: readonly StoredTable[]): Promise<void> {
    return this.#run(async () => {
      await replaceTables(this.#session, { route: this.#route, routeId: await this.#id() }, tables);
    });
  }

  demandApart(tables: readonly StoredTable[]): Promise<void> {
    return this.#run(async () => {
      // What an older engine has made knows nothing of shares, and one owner of each table.
      if (((await readStateVersion(this.#session, this.#node)) ?? 0) < sharesSince) return;
      const routeId = (await readRouteId(this.#session, this.#key)) ?? 0;
      await demandApart(this.#session, { route: this.#route, routeId }, tables);
    });
  }

  loads(): Promise<readonly StoredLoad[]> {
    return this.#run(async () => {
      try {
        return await readLoads(this.#session, await this.#id());
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    });
  }

  setHalted(source: string, halted: NonNullable<TableDefinition['halted']>): Promise<void> {
    return this.#run(async () => {
      await storeHalted(this.#session, await this.#id(), { source, halted });
    });
  }

  noteLeftover(name: string | null): Promise<void> {
    return this.#run(async () => {
      await this.#session.change(`update tidelock.routes set leftover = ?, leftover_at_ms = ${nowMs} where id = ?`, [
        name,
        await this.#id(),
      ]);
    });
  }

  isFree(name: string): Promise<boolean> {
    return this.#run(async () => {
      if ((await readStateVersion(this.#session, this.#node)) === null) return true;
      return await isSettledFree(this.#session, this.#keyOf(name));
    });
  }

  rename(name: string, entry: Action, confirm: () => Promise<void>): Promise<void> {
    return this.#run(async () => {
      const routeId = await this.#id();
      const [from, to] = [this.#key, this.#keyOf(name)];
      await renameState({ session: this.#session, routeId, from, to, entry, confirm });
      this.#routeId = null;
      this.#lease = null;
    }, longAnswerMs);
  }

  #keyOf(name: string): string {
    return `${this.#key.slice(0, this.#key.indexOf('/'))}/${name}`;
  }

  drop(): Promise<void> {
    return this.#run(async () => {
      if ((await readStateVersion(this.#session, this.#node)) === null) return;
      await dropRoute(this.#session, { node: this.#node, key: this.#key }, () => this.#holdLease());
      this.#routeId = null;
      this.#lease = null;
    }, longAnswerMs);
  }

  /** Nobody takes the lease before this transaction is over. False where nothing is stored about the route. */
  async #holdLease(): Promise<boolean> {
    const [there] = await this.#session.query('select id from tidelock.routes where route_key = ?', [this.#key]);
    if (there === undefined) return false;
    const { supervisor = null, claim = null, epoch = null } = this.#lease ?? {};
    const [row] = await this.#session.query(
      `select 1 from tidelock.leases l join tidelock.routes r on r.id = l.route_id
       where r.route_key = ? and l.supervisor = ? and l.claim = ? and r.epoch = ? for update`,
      [this.#key, supervisor, claim, epoch?.toString() ?? null],
    );
    if (row === undefined) throw await this.#fenced();
    return true;
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  /** Changes the route's row; where this connection holds the lease, only under its epoch. */
  async #setRoute(assignments: string, source: SourceIdentity): Promise<void> {
    const epoch = this.#lease?.epoch.toString() ?? null;
    const changed = await this.#session.change(
      `update tidelock.routes set ${assignments} where id = ? and epoch = coalesce(?, epoch)`,
      [JSON.stringify(source), await this.#id(), epoch],
    );
    if (changed !== 1) throw await this.#fenced();
  }

  async #fenced(): Promise<TidelockError> {
    const [row] = await this.#session.query('select 1 from tidelock.routes where route_key = ?', [this.#key]);
    if (row === undefined) return fail(routeErrors.notRegistered, { route: this.#route });
    return fail(routeErrors.fenced, { route: this.#route, epoch: this.#lease?.epoch.toString() ?? 'none' });
  }

  async #id(): Promise<number> {
    if (this.#routeId === null) {
      const isThere = (await readStateVersion(this.#session, this.#node)) !== null;
      const id = isThere ? await readRouteId(this.#session, this.#key) : null;
      if (id === null) throw fail(routeErrors.notRegistered, { route: this.#route });
      this.#routeId = id;
    }
    return this.#routeId;
  }

  /** A call that the target does not answer in time ends the connection: it may be of no more use, and a lease expires. */
  #run<T>(run: () => Promise<T>, deadlineMs = answerMs): Promise<T> {
    const timed = async (): Promise<T> => {
      const timer = setTimeout(() => this.#session.close(), deadlineMs);
      try {
        return await run();
      } finally {
        clearTimeout(timer);
      }
    };
    const result = this.#last.then(timed).catch((error: unknown) => {
      throw classifyMysqlError(error, this.#node);
    });
    this.#last = result.catch(() => {});
    return result;
  }
}
