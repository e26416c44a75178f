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
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { applicationName } from '../target/apply-connection.ts';
import { readApplyActivity } from './apply-activity.ts';
import { demandApart, lockForShares } from './demand-apart.ts';
import { acquire, type HeldLease, release, renew } from './lease.ts';
import { PostgresActionJournal, writeAction } from './postgres-action-journal.ts';
import { PostgresJobStore } from './postgres-job-store.ts';
import { PostgresParkedStore } from './postgres-parked-store.ts';
import { pruneJournals } from './prune-journals.ts';
import { storeApplied, storeChange } from './registered-tables.ts';
import { isSettledFree, renameState } from './rename-state.ts';
import { SharedTurns } from './shared-turns.ts';
import {
  actionsSince,
  dropState,
  inTransaction,
  leftoverSince,
  loadsSince,
  migrateState,
  readStateVersion,
  readVersionThere,
  schemaLock,
  sharesSince,
  stateVersion,
} from './state-schema.ts';
import { readLoads } from './stored-loads.ts';
import { readStoredRoute } from './stored-route.ts';
import {
  effectiveState,
  jobsDue,
  leftoverFound,
  parkingAsked,
  pendingAsked,
  readWanted,
  requestChannel,
  type WantedRow,
  wantedColumns,
} from './wanted.ts';

/** With a renewal every 3 s, what is left of a lease of 10 s. */
const answerMs = 6_500;

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

const settings = { lock_timeout: '3s', synchronous_commit: 'local' };

/** Opens a connection of its own, on which nothing waits long for a lock: a renewal has to come through in time. */
export async function openPostgresState(options: PostgresStateOptions): Promise<RouteStateStore> {
  const idleName = `tidelock ${options.routeKey}`.slice(0, 63);
  const client = await connectPostgres(options.node, { applicationName: idleName, settings, pipeline: true });
  return new PostgresRouteState(options, { client, idleName, turns: new SharedTurns() });
}

/** What is stored about all routes of a target, over one connection: for those who only read. */
export async function openSharedState(node: NodeDefinition): Promise<SharedState> {
  const idleName = 'tidelock: state';
  const client = await connectPostgres(node, { applicationName: idleName, settings });
  const session: StateSession = { client, idleName, turns: new SharedTurns(), shared: true };
  const stores = new Map<string, RouteStateStore>();
  return {
    store: async (route) => {
      const key = routeKey(route);
      const store = stores.get(key) ?? new PostgresRouteState({ node, routeKey: key, logger: silentLogger }, session);
      stores.set(key, store);
      return store;
    },
    close: () => closeSession(client),
  };
}

interface StateSession {
  readonly client: pg.Client;
  /** Shown in pg_stat_activity while no lease is held. */
  readonly idleName: string;
  /** A renewal must not slip into a transaction of another call. */
  readonly turns: SharedTurns;
  /** Kept for long by those who only read: a route may be dropped and begun anew meanwhile. */
  readonly shared?: true;
}

async function closeSession(client: pg.Client): Promise<void> {
  // A graceful end would wait for a statement that may hang.
  const { stream } = client.connection;
  const timeout = setTimeout(() => stream.destroy(), 1000);
  await client.end().catch(() => {});
  clearTimeout(timeout);
  stream.destroy();
}

class PostgresRouteState implements RouteStateStore {
  readonly parked: ParkedStore;
  readonly actions: ActionJournal;
  readonly jobs: JobStore;
  readonly #client: pg.Client;
  #isThere = false;
  /** Of the state schema, when it was asked for last. */
  #versionBefore: number | null = null;
  readonly #node: string;
  readonly #key: string;
  readonly #route: string;
  readonly #session: StateSession;
  readonly #logger: Logger;
  #routeId: number | null = null;
  /** Of the lease that the log knows of. */
  #toldEpoch: bigint | null = null;
  #lease: HeldLease | null = null;
  #named = false;

  constructor({ node, routeKey, logger }: PostgresStateOptions, session: StateSession) {
    const { client } = session;
    this.#client = client;
    this.#session = session;
    this.#node = node.name;
    this.#key = routeKey;
    this.#route = routeKey.slice(routeKey.indexOf('/') + 1);
    this.#logger = logger;
    this.parked = new PostgresParkedStore({
      client,
      route: this.#route,
      run: (run) => this.#run(run, parkedAnswerMs),
      routeId: () => this.#id(),
      routeKey,
      stateVersion: () => readStateVersion(client, this.#node),
    });
    this.actions = new PostgresActionJournal({
      client,
      routeKey,
      run: (run) => this.#run(run),
      stateVersion: () => readStateVersion(client, this.#node),
    });
    this.jobs = new PostgresJobStore({
      client,
      routeKey,
      node: this.#node,
      run: (run) => this.#run(run),
      ask: (run) => this.#ask(run),
      routeId: () => this.#id(),
      epoch: () => this.#lease?.epoch ?? null,
      fenced: () => this.#fenced(),
      stateVersion: () => readStateVersion(client, this.#node),
    });
  }

  migrate(creates = true): Promise<void> {
    return this.#run(() => migrateState(this.#client, this.#node, creates));
  }

  register(known: string | null = null): Promise<string> {
    return this.#run(async () => {
      try {
        if (known === null) await this.#register();
      } catch (error) {
        // The last other route was dropped, and the schema with it, since it was migrated.
        if (!/^(42P01|3F000)$/.test(sqlState(error) ?? '')) throw error;
        await migrateState(this.#client, this.#node);
        await this.#register();
      }
      const registration = await this.#registration();
      if (registration === null)
        throw fail(known === null ? routeErrors.notRegistered : routeErrors.dropped, { route: this.#route });
      // The channel's name is made of digits and needs no quotes.
      await this.#client.query(`listen ${requestChannel(await this.#id())}`);
      return registration;
    });
  }

  /** Ids begin anew with the schema. */
  async #registration(): Promise<string | null> {
    if ((await readStateVersion(this.#client, this.#node)) === null) return null;
    const { rows } = await this.#client.query<{ registration: string }>(
      `select id || '@' || extract(epoch from created_at) as registration from tidelock.routes where key = $1`,
      [this.#key],
    );
    return rows[0]?.registration ?? null;
  }

  async #register(): Promise<void> {
    await inTransaction(this.#client, async () => {
      await this.#client.query('select pg_advisory_xact_lock_shared($1)', [schemaLock]);
      await this.#client.query(`insert into tidelock.routes (key) values ($1) on conflict do nothing`, [this.#key]);
      await this.#client.query(
        `insert into tidelock.requests (route_id) select id from tidelock.routes where key = $1 on conflict do nothing`,
        [this.#key],
      );
    });
  }

  read(): Promise<StoredRoute | null> {
    return this.#ask(() => this.#asOfVersion((version) => readStoredRoute(this.#client, version, this.#key)));
  }

  /** Asks with the version of before, and again where that is another by now. Null where there is no schema. */
  async #asOfVersion<T>(ask: (version: number) => Promise<T>): Promise<T | null> {
    const before = this.#versionBefore;
    const asked = before === null ? null : ask(before);
    // It counts only where the version is right.
    asked?.catch(() => {});
    const version = await this.#version();
    this.#versionBefore = version;
    if (version === null) return null;
    return asked !== null && version === before ? await asked : await ask(version);
  }

  /** Whether there is a schema is asked once: a start reads the state several times, and the target may be far away. */
  async #version(): Promise<number | null> {
    if (!this.#isThere) {
      const version = await readStateVersion(this.#client, this.#node);
      this.#isThere = version !== null;
      return version;
    }
    try {
      return await readVersionThere(this.#client, this.#node);
    } catch (error) {
      if (!/^(42P01|3F000)$/.test(sqlState(error) ?? '')) throw error;
      // The last route was dropped, and the schema with it.
      this.#isThere = false;
      return null;
    }
  }

  acquireLease(holder: LeaseHolder, takeover: boolean, onClaim = (): void => {}): Promise<LeaseAttempt> {
    return this.#run(async () => {
      const routeId = await this.#id();
      const options = { client: this.#client, routeId, routeKey: this.#key, route: this.#route, holder };
      this.#lease = null;
      const attempt = await acquire(options, takeover, async () => {
        onClaim();
        await this.#nameSession(routeId);
      });
      if (!attempt.granted) {
        await this.#unnameSession();
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
    return this.#ask(async () => {
      const lease = this.#lease;
      const wanted = lease === null ? null : await renew(this.#client, await this.#id(), lease, status);
      if (wanted === null) throw await this.#fenced();
      return wanted;
    });
  }

  releaseLease(): Promise<void> {
    return this.#run(async () => {
      if (this.#lease === null) return;
      // Before the lease: whoever takes that ends the sessions that have its holder's name.
      await this.#unnameSession();
      await release(this.#client, await this.#id(), this.#lease);
      this.#lease = null;
    });
  }

  prune(limits: JournalLimits): Promise<void> {
    return this.#run(async () => {
      const routeId = await this.#id();
      await pruneJournals({ client: this.#client, routeId, routeKey: this.#key, limits });
    }, parkedAnswerMs);
  }

  applyActivity(): Promise<ApplyActivity> {
    return this.#ask(async () => await readApplyActivity(this.#client, await this.#id()));
  }

  wanted(): Promise<Wanted> {
    return this.#ask(async () => {
      const { rows } = await this.#client.query<WantedRow>(
        `select ${wantedColumns(stateVersion)}, ${parkingAsked}, ${pendingAsked}, ${leftoverFound}, ${jobsDue} from tidelock.requests q where route_id = $1
           and exists (select from tidelock.routes where id = $1 and key = $2)`,
        [await this.#id(), this.#key],
      );
      if (!rows[0]) throw fail(routeErrors.notRegistered, { route: this.#route });
      return readWanted(rows[0]);
    });
  }

  onRequest(listener: () => void): void {
    this.#client.on('notification', listener);
  }

  setWanted(state: WantedState, options: WantedOptions = {}): Promise<Wanted | null> {
    return this.#run(async () => {
      const routeId = await this.#id();
      const version = (await readStateVersion(this.#client, this.#node)) ?? 0;
      const {
        instead = null,
        acceptSchemaChangesTo = null,
        forMs = null,
        restart = false,
        reason = null,
        askedBy = null,
        entry,
      } = options;
      const knows = version >= actionsSince;
      if (!knows && (forMs !== null || restart)) {
        throw fail(routeErrors.stateOlder, { node: this.#node, found: version, wanted: actionsSince });
      }
      const more = knows
        ? `, paused_until = clock_timestamp() + $6 * interval '1 ms', reason = $7, asked_by = $8,
             restart = case when $9 then q.request + 1 else q.restart end`
        : '';
      const request = `with stored as (
           update tidelock.requests q set wanted = $2, request = q.request + 1, requested_at = now(),
             accept_schema_changes_to = coalesce($3, q.accept_schema_changes_to)${more}
           where route_id = $1 and ($5::text[] is null or ${effectiveState(version)} = any($5)) returning ${wantedColumns(version)})
         select stored.*, pg_notify($4, '') from stored`;
      const values = [
        routeId,
        state,
        acceptSchemaChangesTo,
        requestChannel(routeId),
        instead,
        ...(knows ? [forMs, reason, askedBy, restart] : []),
      ];
      return await inTransaction(this.#client, async () => {
        const { rows } = await this.#client.query<WantedRow>(request, values);
        const wanted = rows[0] === undefined ? null : readWanted(rows[0]);
        const told =
          wanted === null
            ? { changed: false }
            : { request: wanted.request, ...(forMs !== null && { pausedUntil: wanted.pausedUntil }) };
        if (entry !== undefined && knows) await writeAction(this.#client, this.#key, entry(told));
        return wanted;
      });
    });
  }

  setCreating(source: SourceIdentity): Promise<void> {
    return this.#run(() => this.#setRoute(`phase = 'creating', source = $2`, source));
  }

  setReady(
    source: SourceIdentity,
    position: Position,
    { applied, entry }: { readonly applied?: RouteDescription; readonly entry?: MakeEntry | undefined } = {},
  ): Promise<void> {
    return this.#run(() =>
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
    return this.#run(() =>
      inTransaction(this.#client, async () => {
        const routeId = await this.#id();
        await this.#client.query('update tidelock.routes set pending = $2 where id = $1', [
          routeId,
          JSON.stringify(change),
        ]);
        // One that has halted tries again with a later request.
        await this.#client.query(
          `update tidelock.requests set request = request + 1, requested_at = now() where route_id = $1`,
          [routeId],
        );
        await this.#client.query(`select pg_notify($1, '')`, [requestChannel(routeId)]);
        if (entry !== undefined) await writeAction(this.#client, this.#key, entry());
      }),
    );
  }

  failPending(reason: Reason): Promise<void> {
    return this.#run(async () => {
      await this.#client.query(
        `update tidelock.routes set pending = pending || jsonb_build_object('failed', $2::jsonb)
         where id = $1 and pending is not null and epoch = $3`,
        [await this.#id(), JSON.stringify(reason), this.#lease?.epoch.toString() ?? null],
      );
    });
  }

  apply(change: TablesChange): Promise<void> {
    return this.#run(() =>
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
    return this.#run(() => this.#setRoute('source = $2', source));
  }

  tables(): Promise<readonly StoredTable[]> {
    return this.#ask(async () => {
      const { rows } = await this.#client.query<StoredTable>(
        'select source, target, fingerprint, definition, loaded_to as "loadedTo" from tidelock.tables where route_id = $1 order by source',
        [await this.#id()],
      );
      return rows;
    });
  }

  loads(): Promise<readonly StoredLoad[]> {
    return this.#ask(async () => {
      const loads = await this.#asOfVersion(async (version) =>
        version < loadsSince ? [] : await readLoads(this.#client, await this.#id()),
      );
      return loads ?? [];
    });
  }

  setTables(tables: readonly StoredTable[]): Promise<void> {
    return this.#run(async () => {
      const routeId = await this.#id();
      const targets = tables.map(({ target }) => target);
      try {
        await inTransaction(this.#client, async () => {
          const place = { route: this.#route, routeId };
          await lockForShares(this.#client, tables);
          await this.#client.query('delete from tidelock.tables where route_id = $1', [routeId]);
          await demandApart(this.#client, place, tables);
          await this.#client.query(
            `insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to, owns)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[]::jsonb[], $6::text[], $7::text[])`,
            [
              routeId,
              tables.map(({ source }) => source),
              targets,
              tables.map(({ fingerprint }) => fingerprint),
              tables.map(({ definition }) => (definition === null ? null : JSON.stringify(definition))),
              tables.map(({ loadedTo }) => loadedTo ?? null),
              tables.map(({ owns }) => owns?.text ?? null),
            ],
          );
          await demandApart(this.#client, place, tables);
        });
      } catch (error) {
        throw sqlState(error) === '23505' ? await this.#tableOwned(routeId, targets, error) : error;
      }
    });
  }

  demandApart(tables: readonly StoredTable[]): Promise<void> {
    return this.#run(async () => {
      // What an older engine has made knows nothing of shares, and one owner of each table.
      const version = (await readStateVersion(this.#client, this.#node)) ?? 0;
      if (version < sharesSince) return;
      const { rows } = await this.#client.query<{ id: number }>('select id from tidelock.routes where key = $1', [
        this.#key,
      ]);
      const place = { route: this.#route, routeId: rows[0]?.id ?? 0 };
      await demandApart(this.#client, place, tables, { changes: false });
    });
  }

  noteLeftover(name: string | null): Promise<void> {
    return this.#run(async () => {
      const routeId = await this.#id();
      const found = (await readStateVersion(this.#client, this.#node)) ?? 0;
      if (found < leftoverSince) throw fail(routeErrors.stateOlder, { node: this.#node, found, wanted: leftoverSince });
      await this.#client.query(
        `update tidelock.routes set leftover = $2, leftover_at = clock_timestamp() where id = $1`,
        [routeId, name],
      );
    });
  }

  isFree(name: string): Promise<boolean> {
    return this.#run(() => isSettledFree(this.#client, this.#deployment, name));
  }

  rename(name: string, entry: Action, confirm: () => Promise<void>): Promise<void> {
    return this.#run(async () => {
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
    return this.#run(async () => {
      await this.#client.query(
        `update tidelock.tables set definition = definition || jsonb_build_object('halted', $3::jsonb)
         where route_id = $1 and source = $2 and definition is not null`,
        [await this.#id(), source, JSON.stringify(halted)],
      );
    });
  }

  drop(): Promise<void> {
    return this.#run(async () => {
      if ((await readStateVersion(this.#client, this.#node)) === null) return;
      await inTransaction(this.#client, async () => {
        if (!(await this.#holdLease())) return;
        await this.#client.query('delete from tidelock.routes where key = $1', [this.#key]);
        // Only now: routes that begin elsewhere wait for it.
        await this.#client.query('select pg_advisory_xact_lock($1)', [schemaLock]);
        const { rows } = await this.#client.query('select from tidelock.routes limit 1');
        if (rows.length === 0) await dropState(this.#client);
      });
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
    return closeSession(this.#client);
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

  async #tableOwned(routeId: number, targets: readonly string[], cause: unknown): Promise<unknown> {
    const { rows } = await this.#client.query<{ target: string; key: string }>(
      `select t.target, r.key from tidelock.tables t join tidelock.routes r on r.id = t.route_id
       where t.target = any($1) and t.route_id <> $2 limit 1`,
      [targets, routeId],
    );
    if (!rows[0]) return cause;
    return fail(routeErrors.tableOwned, { route: this.#route, table: rows[0].target, owner: rows[0].key }, cause);
  }

  async #id(): Promise<number> {
    if (this.#routeId === null || this.#session.shared) {
      const version = await readStateVersion(this.#client, this.#node);
      const { rows } =
        version === null
          ? { rows: [] }
          : await this.#client.query<{ id: number }>('select id from tidelock.routes where key = $1', [this.#key]);
      if (!rows[0]) throw fail(routeErrors.notRegistered, { route: this.#route });
      this.#routeId = rows[0].id;
    }
    return this.#routeId;
  }

  /** Under this name whoever takes the route over finds the session and ends it; only a holder has it. */
  async #nameSession(routeId: number): Promise<void> {
    if (this.#named) return;
    await this.#setName(applicationName(routeId, this.#key, 'control'));
    this.#named = true;
  }

  async #unnameSession(): Promise<void> {
    if (!this.#named) return;
    await this.#setName(this.#session.idleName);
    this.#named = false;
  }

  async #setName(name: string): Promise<void> {
    await this.#client.query(`select set_config('application_name', $1, false)`, [name]);
  }

  #run<T>(run: () => Promise<T>, deadlineMs = answerMs): Promise<T> {
    return this.#classified(this.#session.turns.alone(() => this.#timed(run, deadlineMs)));
  }

  /** Of what is not a transaction of several statements: others may ask at the same time. */
  #ask<T>(run: () => Promise<T>): Promise<T> {
    return this.#classified(this.#session.turns.together(() => this.#timed(run, answerMs)));
  }

  /** A call that the target does not answer in time ends the connection: it may be of no more use, and a lease expires. */
  async #timed<T>(run: () => Promise<T>, deadlineMs: number): Promise<T> {
    const timer = setTimeout(() => this.#client.connection.stream.destroy(), deadlineMs);
    try {
      return await run();
    } finally {
      clearTimeout(timer);
    }
  }

  #classified<T>(result: Promise<T>): Promise<T> {
    return result.catch((error: unknown) => {
      throw classifyPostgresError(error, this.#node);
    });
  }
}
