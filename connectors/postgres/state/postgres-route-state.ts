import type pg from 'pg';
import type { Action, ActionJournal, MakeEntry } from '../../../src/core/action.ts';
import type { ApplyActivity } from '../../../src/core/apply-activity.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { JobStore } from '../../../src/core/job.ts';
import type { StoredLoad } from '../../../src/core/load.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import type { ParkedStore } from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import { type JournalLimits, type NodeDefinition, routeKey } from '../../../src/core/route.ts';
import type { RouteDescription } from '../../../src/core/route-description.ts';
import type {
  LeaseAttempt,
  LeaseHolder,
  PendingChange,
  RouteStateStore,
  SharedState,
  SourceIdentity,
  StoredRoute,
  StoredTable,
  TablesChange,
  Wanted,
  WantedOptions,
} from '../../../src/core/route-state-store.ts';
import type { Reason, RouteStatus, WantedState } from '../../../src/core/route-status.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import { applicationName } from '../target/apply-connection.ts';
import { readApplyActivity } from './apply-activity.ts';
import { demandApart } from './demand-apart.ts';
import { acquire, type HeldLease, release, renew } from './lease.ts';
import { storeFailure, storePending } from './pending-change.ts';
import { PostgresActionJournal, writeAction } from './postgres-action-journal.ts';
import { PostgresJobStore } from './postgres-job-store.ts';
import { PostgresParkedStore } from './postgres-parked-store.ts';
import { pruneJournals } from './prune-journals.ts';
import { readTables, replaceTables, storeApplied, storeChange, storeHalted } from './registered-tables.ts';
import { dropRoute, readRegistration, readRouteId, registerRoute } from './registration.ts';
import { isSettledFree, renameState } from './rename-state.ts';
import { inTransaction, leftoverSince, loadsSince, migrateState, sharesSince } from './state-schema.ts';
import { isStateGone, openStateSession, type StateSession } from './state-session.ts';
import { currentWanted, storeWanted } from './store-wanted.ts';
import { readLoads } from './stored-loads.ts';
import { readStoredRoute } from './stored-route.ts';
import { requestChannel } from './wanted.ts';

/** A lease changes hands in several statements, each of which may wait for a lock or a session's end. */
const leaseAnswerMs = 30_000;

/** Thousands of transactions may be parked; only commands ask for them. */
const parkedAnswerMs = 60_000;

/** Each of its attempts waits for a lock, and asks the source. */
const renameAnswerMs = 120_000;

/** Parked rows go one by one, and there may be millions. */
const dropAnswerMs = 3_600_000;

export interface PostgresStateOptions {
  readonly node: NodeDefinition;
  readonly routeKey: string;
  readonly logger: Logger;
}

/** Opens a connection of its own. */
export async function openPostgresState({ node, routeKey, logger }: PostgresStateOptions): Promise<RouteStateStore> {
  const idleName = `tidelock ${routeKey}`.slice(0, 63);
  const session = await openStateSession(node, { idleName, isShared: false });
  return new PostgresRouteState(session, routeKey, logger);
}

/** What is stored about all routes of a target, over one connection: for those who only read. */
export async function openSharedState(node: NodeDefinition): Promise<SharedState> {
  const session = await openStateSession(node, { idleName: 'tidelock: state', isShared: true });
  const stores = new Map<string, RouteStateStore>();
  return {
    store: async (route) => {
      const key = routeKey(route);
      const store = stores.get(key) ?? new PostgresRouteState(session, key, silentLogger);
      stores.set(key, store);
      return store;
    },
    close: () => session.close(),
  };
}

class PostgresRouteState implements RouteStateStore {
  readonly parked: ParkedStore;
  readonly actions: ActionJournal;
  readonly jobs: JobStore;
  readonly #session: StateSession;
  readonly #client: pg.Client;
  readonly #key: string;
  readonly #route: string;
  readonly #logger: Logger;
  #routeId: number | null = null;
  /** Of the lease that the log knows of. */
  #toldEpoch: bigint | null = null;
  #lease: HeldLease | null = null;

  constructor(session: StateSession, routeKey: string, logger: Logger) {
    const { client } = session;
    this.#client = client;
    this.#session = session;
    this.#key = routeKey;
    this.#route = routeKey.slice(routeKey.indexOf('/') + 1);
    this.#logger = logger;
    const shared = {
      client,
      routeKey,
      run: <T>(run: () => Promise<T>) => session.run(run),
      stateVersion: () => session.stateVersion(),
    };
    this.parked = new PostgresParkedStore({
      ...shared,
      run: (run) => session.run(run, parkedAnswerMs),
      route: this.#route,
      routeId: () => this.#id(),
    });
    this.actions = new PostgresActionJournal(shared);
    this.jobs = new PostgresJobStore({
      ...shared,
      node: session.node,
      ask: (run) => session.ask(run),
      routeId: () => this.#id(),
      epoch: () => this.#lease?.epoch ?? null,
      fenced: () => this.#fenced(),
    });
  }

  migrate(creates = true): Promise<void> {
    return this.#session.run(() => migrateState(this.#client, this.#session.node, creates));
  }

  register(known: string | null = null): Promise<string> {
    return this.#session.run(async () => {
      try {
        if (known === null) await registerRoute(this.#client, this.#key);
      } catch (error) {
        // The last other route was dropped, and the schema with it, since it was migrated.
        if (!isStateGone(error)) throw error;
        await migrateState(this.#client, this.#session.node);
        await registerRoute(this.#client, this.#key);
      }
      const isThere = (await this.#session.stateVersion()) !== null;
      const registration = isThere ? await readRegistration(this.#client, this.#key) : null;
      if (registration === null)
        throw fail(known === null ? routeErrors.notRegistered : routeErrors.dropped, { route: this.#route });
      // The channel's name is made of digits and needs no quotes.
      await this.#client.query(`listen ${requestChannel(await this.#id())}`);
      return registration;
    });
  }

  read(): Promise<StoredRoute | null> {
    return this.#session.ask(() =>
      this.#session.asOfVersion((version) => readStoredRoute(this.#client, version, this.#key)),
    );
  }

  acquireLease(holder: LeaseHolder, takeover: boolean, onClaim = (): void => {}): Promise<LeaseAttempt> {
    return this.#session.run(async () => {
      const session = this.#session;
      const routeId = await this.#id();
      const options = { client: this.#client, routeId, routeKey: this.#key, route: this.#route, holder };
      this.#lease = null;
      const attempt = await acquire(options, takeover, async () => {
        onClaim();
        await session.takeName(applicationName(routeId, this.#key, 'control'));
      });
      if (!attempt.granted) {
        await session.leaveName();
        return attempt;
      }
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
    return this.#session.ask(async () => {
      const lease = this.#lease;
      const wanted = lease === null ? null : await renew(this.#client, await this.#id(), lease, status);
      if (wanted === null) throw await this.#fenced();
      return wanted;
    });
  }

  releaseLease(): Promise<void> {
    return this.#session.run(async () => {
      if (this.#lease === null) return;
      // Before the lease: whoever takes that ends the sessions that have its holder's name.
      await this.#session.leaveName();
      await release(this.#client, await this.#id(), this.#lease);
      this.#lease = null;
    });
  }

  prune(limits: JournalLimits): Promise<void> {
    return this.#session.run(async () => {
      const routeId = await this.#id();
      await pruneJournals({ client: this.#client, routeId, routeKey: this.#key, limits });
    }, parkedAnswerMs);
  }

  applyActivity(): Promise<ApplyActivity> {
    return this.#session.ask(async () => await readApplyActivity(this.#client, await this.#id()));
  }

  wanted(): Promise<Wanted> {
    return this.#session.ask(async () => {
      const wanted = await currentWanted(this.#client, { routeId: await this.#id(), routeKey: this.#key });
      if (wanted === null) throw fail(routeErrors.notRegistered, { route: this.#route });
      return wanted;
    });
  }

  onRequest(listener: () => void): void {
    this.#client.on('notification', listener);
  }

  setWanted(state: WantedState, options: WantedOptions = {}): Promise<Wanted | null> {
    return this.#session.run(async () => {
      const place = { routeId: await this.#id(), routeKey: this.#key };
      return await storeWanted(this.#session, place, state, options);
    });
  }

  setCreating(source: SourceIdentity): Promise<void> {
    return this.#session.run(() => this.#setRoute(`phase = 'creating', source = $2`, source));
  }

  setReady(
    source: SourceIdentity,
    position: Position,
    { applied, entry }: { readonly applied?: RouteDescription; readonly entry?: MakeEntry | undefined } = {},
  ): Promise<void> {
    return this.#session.run(() =>
      inTransaction(this.#client, async () => {
        // First, since it locks the route: no other checkpoint comes in between.
        await this.#setRoute(`phase = 'ready', source = $2`, source);
        await this.#client.query(
          `insert into tidelock.checkpoints (route_id, sequence, position)
           select $1, coalesce(max(sequence), 0) + 1, $2 from tidelock.checkpoints where route_id = $1`,
          [await this.#id(), position],
        );
        if (applied !== undefined) await storeApplied(this.#client, await this.#id(), { applied });
        if (entry !== undefined) await writeAction(this.#client, this.#key, entry());
      }),
    );
  }

  setPending(change: PendingChange, entry?: MakeEntry): Promise<void> {
    return this.#session.run(() =>
      inTransaction(this.#client, async () => {
        await storePending(this.#client, await this.#id(), change);
        if (entry !== undefined) await writeAction(this.#client, this.#key, entry());
      }),
    );
  }

  failPending(reason: Reason): Promise<void> {
    return this.#session.run(async () => {
      await storeFailure(this.#client, await this.#id(), { epoch: this.#lease?.epoch ?? null, reason });
    });
  }

  apply(change: TablesChange): Promise<void> {
    return this.#session.run(() =>
      inTransaction(this.#client, async () => {
        const routeId = await this.#id();
        const { rows } = await this.#client.query<{ epoch: string }>(
          'select epoch::text from tidelock.routes where id = $1 for update',
          [routeId],
        );
        if (this.#lease === null || rows[0]?.epoch !== this.#lease.epoch.toString()) throw await this.#fenced();
        await storeChange(this.#client, { name: this.#route }, routeId, change);
        failpoint('change.stored');
      }),
    );
  }

  setSource(source: SourceIdentity): Promise<void> {
    return this.#session.run(() => this.#setRoute('source = $2', source));
  }

  tables(): Promise<readonly StoredTable[]> {
    return this.#session.ask(async () => await readTables(this.#client, await this.#id()));
  }

  loads(): Promise<readonly StoredLoad[]> {
    return this.#session.ask(async () => {
      const loads = await this.#session.asOfVersion(async (version) =>
        version < loadsSince ? [] : await readLoads(this.#client, await this.#id()),
      );
      return loads ?? [];
    });
  }

  setTables(tables: readonly StoredTable[]): Promise<void> {
    return this.#session.run(async () => {
      await replaceTables(this.#client, { route: this.#route, routeId: await this.#id() }, tables);
    });
  }

  demandApart(tables: readonly StoredTable[]): Promise<void> {
    return this.#session.run(async () => {
      // What an older engine has made knows nothing of shares, and one owner of each table.
      if (((await this.#session.stateVersion()) ?? 0) < sharesSince) return;
      const place = { route: this.#route, routeId: (await readRouteId(this.#client, this.#key)) ?? 0 };
      await demandApart(this.#client, place, tables, { changes: false });
    });
  }

  noteLeftover(name: string | null): Promise<void> {
    return this.#session.run(async () => {
      const routeId = await this.#id();
      const found = (await this.#session.stateVersion()) ?? 0;
      const { node } = this.#session;
      if (found < leftoverSince) throw fail(routeErrors.stateOlder, { node, found, wanted: leftoverSince });
      await this.#client.query(
        `update tidelock.routes set leftover = $2, leftover_at = clock_timestamp() where id = $1`,
        [routeId, name],
      );
    });
  }

  isFree(name: string): Promise<boolean> {
    return this.#session.run(() => isSettledFree(this.#client, this.#deployment, name));
  }

  rename(name: string, entry: Action, confirm: () => Promise<void>): Promise<void> {
    return this.#session.run(async () => {
      const routeId = await this.#id();
      const key = `${this.#deployment}/${name}`;
      await renameState({ client: this.#client, routeId, from: this.#key, to: key, entry, confirm });
      this.#routeId = null;
      this.#lease = null;
    }, renameAnswerMs);
  }

  get #deployment(): string {
    return this.#key.slice(0, this.#key.indexOf('/'));
  }

  setHalted(source: string, halted: NonNullable<TableDefinition['halted']>): Promise<void> {
    return this.#session.run(async () => {
      await storeHalted(this.#client, await this.#id(), { source, halted });
    });
  }

  drop(): Promise<void> {
    return this.#session.run(async () => {
      if ((await this.#session.stateVersion()) === null) return;
      await dropRoute(this.#client, this.#key, () => this.#holdLease());
      this.#routeId = null;
      this.#lease = null;
    }, dropAnswerMs);
  }

  /** Nobody takes the lease before this transaction is over. False where nothing is stored about the route. */
  async #holdLease(): Promise<boolean> {
    const there = await this.#client.query('select from tidelock.routes where key = $1', [this.#key]);
    if (there.rows.length === 0) return false;
    const { supervisor = null, claim = null, epoch = null } = this.#lease ?? {};
    const { rows } = await this.#client.query(
      `select from tidelock.leases l join tidelock.routes r on r.id = l.route_id
       where r.key = $1 and l.supervisor = $2 and l.claim = $3 and r.epoch = $4 for update of l`,
      [this.#key, supervisor, claim, epoch?.toString() ?? null],
    );
    if (rows.length === 0) throw await this.#fenced();
    return true;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Changes the route's row; where this connection holds the lease, only under its epoch. */
  async #setRoute(assignments: string, source: SourceIdentity): Promise<void> {
    const epoch = this.#lease?.epoch.toString() ?? null;
    const { rowCount } = await this.#client.query(
      `update tidelock.routes set ${assignments} where id = $1 and epoch = coalesce($3::bigint, epoch)`,
      [await this.#id(), JSON.stringify(source), epoch],
    );
    if (rowCount !== 1) throw await this.#fenced();
  }

  async #fenced(): Promise<TidelockError> {
    const { rows } = await this.#client.query('select from tidelock.routes where key = $1', [this.#key]);
    if (rows.length === 0) return fail(routeErrors.notRegistered, { route: this.#route });
    return fail(routeErrors.fenced, { route: this.#route, epoch: this.#lease?.epoch.toString() ?? 'none' });
  }

  async #id(): Promise<number> {
    if (this.#routeId === null || this.#session.isShared) {
      const isThere = (await this.#session.stateVersion()) !== null;
      const id = isThere ? await readRouteId(this.#client, this.#key) : null;
      if (id === null) throw fail(routeErrors.notRegistered, { route: this.#route });
      this.#routeId = id;
    }
    return this.#routeId;
  }
}
