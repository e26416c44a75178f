import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { PositionOrder } from '../core/position.ts';
import type { LeaseAttempt, RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { Reason } from '../core/route-status.ts';
import { carryOutParked } from '../operations/carry-out-parked.ts';
import type { OtherWay } from '../operations/compare/other-way.ts';
import { jobKinds } from '../operations/jobs/job-kinds.ts';
import { LoadDesk } from '../operations/load/load-desk.ts';
import { renamedTo } from '../operations/renamed-route.ts';
import { openTarget } from '../pipeline/bridge/bridged-target.ts';
import type { LiveStream } from '../pipeline/live-stream.ts';
import { codedError, isStateGone, reasonOf } from './coded-error.ts';
import { CompareWatch } from './compare-watch.ts';
import { JobRunner } from './job-runner.ts';
import { LeaseKeeper, renewMs, whileKept } from './lease-keeper.ts';
import { routeBackOf } from './route-back.ts';
import { isRouteGone } from './route-gone.ts';
import { RouteReport } from './route-report.ts';
import { RouteUpkeep } from './route-upkeep.ts';
import { type Ends, type RouteWork, workUnderLease } from './route-work.ts';
import type { RunRouteOptions } from './run-route-options.ts';
import { watchRetention } from './watch-retention.ts';
import { metricsMs } from './worker-protocol.ts';

type UnderLease = Pick<RouteWork, 'source' | 'target' | 'store' | 'keeper' | 'wanted' | 'epoch'>;
type Refused = Extract<LeaseAttempt, { granted: false }>;

const heartbeatMs = 2_000;
const firstRetryMs = 200;
const longestRetryMs = 15_000;
/** Somebody may begin it anew, and waits. */
const droppedMs = 5_000;

/** States of a route whose stream begins by itself. */
const comesSoon: ReadonlySet<string> = new Set(['starting', 'loading', 'catchingUp', 'retrying']);

/** Resolves when drained, or when somebody has asked for a restart. What goes wrong is a state of the route; only an error without a code is thrown. */
export async function runRoute(options: RunRouteOptions): Promise<void> {
  await new RouteRunner(options).run();
}

/**
 * Runs one route until drained. The states, and what leads from one to the next:
 *
 *     starting -> standby               another engine has the lease, this one never had it; asked again when it expires
 *     starting -> loading -> catchingUp -> running
 *     any of these -> retrying          a server or the network failed: back-off, then on from the checkpoint
 *     any of these -> failed            a coded halt: waits for `tidelock start`, keeping the lease
 *     any of these -> fenced            another engine has had the lease since this one: waits for a later `tidelock start`
 *     any of these -> stopped, paused   on request: waits for `tidelock start`, connections to the source closed
 *
 * What people ask for is a numbered request in the target's state. A halt or a fence remembers the number that it
 * happened under; only a later one lets the route go on. A restart is one, too: the group in flight is finished and the
 * run ends with the lease kept, for the worker that the Supervisor starts next. One that was asked for before this worker
 * began means nothing to it.
 */
class RouteRunner {
  readonly #options: RunRouteOptions;
  readonly #logger: Logger;
  readonly #report: RouteReport;
  readonly #upkeep: RouteUpkeep;
  #takeover: boolean;
  #retries = 0;
  #lastCode = '';
  #lastSqlState = '';
  /** Of the lease that this engine has, or had last. */
  #epoch: bigint | null;
  #held: { readonly request: number; readonly fenced: boolean; readonly reason: Reason } | null = null;
  #halted: RunRouteOptions['halted'];
  /** Null before the first one: only then it registers the route. */
  #registration: string | null;
  #fencedAt: number | null;
  /** Of the source, once there was one. */
  #order: PositionOrder | null = null;
  /** The last request for a restart that this worker knows of; null before it has seen any. */
  #restart: number | null = null;
  #restarting = false;
  /** While this engine has the lease. */
  #jobs: JobRunner | null = null;
  #compares: CompareWatch | null = null;
  #live: LiveStream | null = null;
  readonly #desk = new LoadDesk();
  /** Who has had the lease when this engine was refused last, and until when. */
  #refused: { readonly holder: { readonly host: string; readonly pid: number }; readonly expiresAtMs: number } | null =
    null;

  constructor(options: RunRouteOptions) {
    const { definition, restarts, onStatus, logger, takeover, self, restarted, halted = null } = options;
    this.#options = options;
    this.#logger = logger;
    this.#takeover = takeover;
    this.#epoch = options.heldEpoch ?? null;
    this.#registration = options.registration ?? null;
    this.#fencedAt = options.fencedAt ?? null;
    this.#report = new RouteReport({ definition, restarts, heartbeatMs, self, restarted, onStatus });
    this.#upkeep = new RouteUpkeep(options);
    this.#halted = halted;
    this.#report.meter.work.onDone = options.trace ?? null;
    options.hearTold?.((told) => {
      this.#report.hear(told);
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const telling = setInterval(() => {
      this.#tellMetrics();
      // Lag and what the source keeps change without an event.
      this.#options.onStatus(this.#report.status());
    }, metricsMs).unref();
    if (this.#halted) this.#report.show('failed', this.#halted.reason);
    else this.#report.show('starting');
    while (!signal.aborted && !this.#restarting) {
      try {
        await this.#withStore((store, ends) => this.#serve(store, ends));
      } catch (error) {
        await this.#backOff(error);
      }
    }
    clearInterval(telling);
    this.#tellMetrics();
    this.#report.show(this.#restarting ? 'starting' : 'stopped');
  }

  #tellMetrics(): void {
    if (this.#order !== null) this.#options.onMetrics?.(this.#report.meter.metrics(this.#order));
  }

  async #withStore(serve: (store: RouteStateStore, ends: Ends) => Promise<void>): Promise<void> {
    const { definition, connectors, logger, signal, releases = () => true } = this.#options;
    const source = connectors(definition.from.type).source({ route: definition, logger });
    const target = openTarget(connectors, { route: definition, logger, order: source.order });
    this.#order = source.order;
    let store: RouteStateStore | null = null;
    try {
      store = await target.state();
      await this.#register(store);
      await serve(store, { source, target });
    } finally {
      await source.close().catch(() => {});
      if (signal.aborted && releases()) await store?.releaseLease().catch(() => {});
      await store?.close().catch(() => {});
      await target.close().catch(() => {});
    }
  }

  /**
   * Only once, whichever worker of this engine it was, and whether it led or stood by: a route that was dropped must not come back by
   * itself. One that somebody has begun anew on purpose is another route, for which all start alike.
   */
  async #register(store: RouteStateStore): Promise<void> {
    const known = this.#registration;
    await store.migrate(known === null);
    const registration = await this.#registered(store, known);
    if (registration === known) return;
    // Dropped and begun anew between two looks. That it was dropped is told first: whoever runs the engine then reads the files again,
    // which may say otherwise of the route by now.
    if (known !== null && !isRouteGone(this.#lastCode))
      throw fail(routeErrors.dropped, { route: this.#options.definition.name });
    this.#registration = registration;
    if (known !== null) {
      this.#epoch = null;
      this.#fencedAt = null;
      this.#held = null;
      this.#halted = null;
      this.#report.show('starting');
    }
    this.#options.onRegistered?.(registration);
  }

  /** Of one that is gone the journal tells whether it has another name now: whoever is told should read what status says. */
  async #registered(store: RouteStateStore, known: string | null): Promise<string> {
    try {
      return await store.register(known);
    } catch (error) {
      if (!(error instanceof TidelockError) || error.code !== routeErrors.dropped.code) throw error;
      const route = this.#options.definition.name;
      const name = await renamedTo(store.actions, route);
      throw name === null ? error : fail(routeErrors.renamed, { route, name });
    }
  }

  async #serve(store: RouteStateStore, ends: Ends): Promise<void> {
    const { signal } = this.#options;
    const keeper = new LeaseKeeper(
      store,
      () => this.#report.status(),
      (wanted) => {
        this.#jobs?.renewed(wanted);
        this.#compares?.renewed();
        this.#upkeep.renewed(wanted, store);
      },
    );
    this.#report.onChange(() => keeper.ring());
    while (!signal.aborted) {
      const wanted = await store.wanted();
      this.#report.wanted = wanted.state;
      // The same as a start: this worker has nothing that another one would have to take up.
      if (this.#held?.fenced && wanted.request > this.#held.request) this.#restart = wanted.restart;
      if (this.#isRestart(wanted)) return;
      if (this.#halted) {
        this.#held = { ...this.#halted, request: this.#halted.request ?? wanted.request, fenced: false };
        this.#halted = null;
      }
      if (this.#held !== null && wanted.request > this.#held.request) {
        this.#held = null;
        this.#epoch = null;
        this.#report.show('starting');
      }
      // Whoever was fenced asks for nothing, so that it takes nothing back.
      if (this.#held?.fenced) {
        await keeper.wait(renewMs, signal);
        continue;
      }
      try {
        const lease = await this.#acquire(store, wanted.request);
        if (lease.granted) await this.#lead(store);
        if (lease.granted)
          await this.#withJobs({ ...ends, store, keeper, wanted, epoch: lease.epoch }, (work) =>
            this.#underLease(work),
          );
        else await this.#standBy(lease, keeper);
      } catch (error) {
        await this.#hold(error, store);
      }
    }
  }

  #isRestart(wanted: Wanted): boolean {
    this.#restart ??= wanted.restart;
    this.#restarting = wanted.restart > this.#restart;
    if (this.#restarting) this.#logger.info({ request: wanted.restart, askedBy: wanted.askedBy }, 'restart asked for');
    return this.#restarting;
  }

  async #withJobs(lease: UnderLease, run: (lease: UnderLease) => Promise<void>): Promise<void> {
    const { definition, logger } = this.#options;
    const { source, target, store, epoch } = lease;
    const live = (): LiveStream | 'soon' | null => this.#live ?? (comesSoon.has(this.#report.state) ? 'soon' : null);
    const work = { definition, source, target, store, epoch, logger, live, loads: this.#desk };
    const compares = new CompareWatch({ definition, store, report: this.#report, logger });
    const jobs = new JobRunner({
      ...work,
      otherWay: () => this.#otherWay(),
      kinds: jobKinds,
      onEnded: () => compares.ended(),
    });
    this.#jobs = jobs;
    this.#compares = compares;
    try {
      await run(lease);
    } finally {
      this.#jobs = null;
      this.#compares = null;
      await jobs.close();
    }
  }

  async #otherWay(): Promise<OtherWay | null> {
    const { definition, routeBack, connectors, logger } = this.#options;
    const other = (await routeBack?.()) ?? null;
    return other === null ? null : routeBackOf({ route: definition.name, other, connectors, logger });
  }

  async #underLease(lease: UnderLease): Promise<void> {
    const { keeper, wanted } = lease;
    const { definition, logger, signal } = this.#options;
    // Also a route that can't run, or must not, looks after what is parked: only its target is needed for that.
    if (wanted.parkingAsked) await this.#carryOutParked(lease);
    if (this.#held !== null) {
      // It may have stood by meanwhile.
      if (this.#report.state === 'standby') this.#report.show('failed', this.#held.reason);
      await this.#rest(lease, () =>
        keeper.keep(signal, (latest) => latest.request > wanted.request || latest.parkingAsked),
      );
    } else if (wanted.state === 'running') {
      const onLive = (live: LiveStream | null): void => {
        this.#live = live;
      };
      const desk = this.#desk;
      const work = { definition, report: this.#report, heartbeatMs, logger, signal, desk, onLive };
      await workUnderLease({ ...lease, ...work });
    } else {
      this.#report.show(wanted.state);
      let goesOn = false;
      await this.#rest(lease, () =>
        keeper.keep(signal, (latest) => {
          goesOn = latest.state === 'running';
          return latest.state !== wanted.state || latest.restart > wanted.restart || latest.parkingAsked;
        }),
      );
      if (!signal.aborted && goesOn) this.#report.show('starting');
    }
  }

  async #carryOutParked({
    keeper,
    ...lease
  }: Pick<RouteWork, 'source' | 'target' | 'store' | 'keeper' | 'epoch'>): Promise<void> {
    const { definition, logger, signal } = this.#options;
    try {
      await whileKept(keeper, signal, (kept) =>
        carryOutParked({ ...lease, definition, logger, signal: kept, meter: this.#report.meter.work }),
      );
    } catch (reason) {
      const error = codedError(reason);
      if (error.recovery !== 'halt') throw error;
      // What was asked stays asked, and would fail again at once.
      this.#logger.error({ ...error.toJSON() }, 'parked transactions could not be looked after');
      await keeper.keep(AbortSignal.any([signal, AbortSignal.timeout(longestRetryMs)]), () => false);
    }
  }

  /** Once when this engine has become the one that has the route: what the one before has told of it is known. */
  async #lead(store: RouteStateStore): Promise<void> {
    if (this.#report.leads) return;
    const stored = (await store.read())?.status?.told ?? null;
    // What this engine's Supervisor has said since is newer.
    this.#report.told ??= stored;
    const before = this.#refused;
    // One that gives the route back, or is overtaken, has not been silent until its lease was over.
    this.#report.inherited = before !== null && performance.now() >= before.expiresAtMs ? before.holder : null;
    this.#refused = null;
    this.#report.leads = true;
  }

  /** While a route rests. */
  async #rest({ source }: Pick<RouteWork, 'source'>, resting: () => Promise<void>): Promise<void> {
    const over = new AbortController();
    const { logger } = this.#options;
    void watchRetention({ source, meter: this.#report.meter, logger }, over.signal);
    try {
      await resting();
    } finally {
      over.abort();
    }
  }

  async #standBy({ holder, expiresInMs }: Refused, keeper: LeaseKeeper): Promise<void> {
    this.#refused = { holder: { host: holder.host, pid: holder.pid }, expiresAtMs: performance.now() + expiresInMs };
    this.#report.yields();
    const { definition, signal } = this.#options;
    const error = fail(routeErrors.standby, { route: definition.name, host: holder.host, pid: holder.pid });
    this.#report.show('standby', reasonOf(error));
    await keeper.wait(Math.min(renewMs, Math.max(expiresInMs, 100)), signal);
  }

  /** Throws (fenced) where another engine has had the route since this one had it. */
  async #acquire(store: RouteStateStore, request: number): Promise<LeaseAttempt> {
    const { holder, definition, onLease } = this.#options;
    const last = this.#epoch;
    const over = (): TidelockError => fail(routeErrors.fenced, { route: definition.name, epoch: String(last) });
    // Before anything is taken: the other engine's lease may be free again.
    if (last !== null && (await store.read())?.epoch !== last) throw over();
    const lease = await store.acquireLease(holder, this.#takeover, () => {
      // Once, whatever comes after the claim: whoever was overtaken itself meanwhile must not take the route from the
      // engine that was asked for later. A claim that still stands is gone on with.
      this.#takeover = false;
    });
    if (last !== null && !(lease.granted && lease.epoch === last)) {
      if (lease.granted) await store.releaseLease();
      throw over();
    }
    if (!lease.granted) return lease;
    this.#epoch = lease.epoch;
    this.#fencedAt = null;
    onLease?.(lease.epoch, this.#held?.request ?? request);
    return lease;
  }

  /** After a halt or a fence the store is still good; after anything else a new one is opened. */
  async #hold(reason: unknown, store: RouteStateStore): Promise<void> {
    const error = codedError(reason);
    if (error.recovery === 'retry' || error.code === routeErrors.notRegistered.code) throw error;
    const wanted = await store.wanted();
    const fenced = error.recovery === 'fenced';
    const stack = error === reason ? {} : { err: reason };
    // Who has asked for a stop meanwhile gets one. What it halts at comes again with the next start.
    if (!fenced && wanted.state !== 'running' && this.#report.state !== wanted.state) {
      this.#logger.error({ ...error.toJSON(), ...stack }, 'route halted while it was being stopped');
      return;
    }
    // What was asked for between the worker that was fenced and this one is not lost.
    const request = (fenced ? this.#fencedAt : null) ?? wanted.request;
    this.#fencedAt = null;
    this.#held = { request, fenced, reason: reasonOf(error) };
    if (fenced) {
      this.#report.yields();
      this.#options.onFenced?.(request);
    }
    this.#logger.error({ ...error.toJSON(), ...stack }, fenced ? 'route fenced' : 'route halted');
    if (fenced) this.#report.show('fenced', reasonOf(error));
    else await this.#report.showStored('failed', reasonOf(error), (status) => store.renewLease(status));
  }

  /** What can't be held, since the store failed, is tried again; nobody could ask for it there. */
  async #backOff(reason: unknown): Promise<void> {
    const error = codedError(reason);
    const { signal } = this.#options;
    if (signal.aborted) return;
    // The state went while it was read: with the next look it is known that the route was dropped or renamed, which others wait for.
    if (isStateGone(error) && error.code !== this.#lastCode) {
      this.#lastCode = error.code;
      return await pause(firstRetryMs, signal);
    }
    const halted = error.recovery !== 'retry';
    if (this.#report.takeRan()) {
      this.#retries = 0;
      this.#lastCode = '';
    }
    const isOver = isRouteGone(error.code);
    if (isOver) this.#held = null;
    // What lasts is told once. A server that starts up, and is a standby then, does not last.
    const sqlState = String((error.place as { sqlState?: string }).sqlState ?? '');
    if (error.code !== this.#lastCode || sqlState !== this.#lastSqlState)
      this.#logger.warn({ ...error.toJSON() }, halted ? 'route halted' : 'route interrupted, trying again');
    this.#lastCode = error.code;
    this.#lastSqlState = sqlState;
    if (this.#held === null && !this.#halted) this.#report.show(halted ? 'failed' : 'retrying', reasonOf(error));
    const longestMs = isOver
      ? droppedMs
      : halted
        ? longestRetryMs
        : Math.min(firstRetryMs * 2 ** this.#retries++, longestRetryMs);
    await pause(longestMs / 2 + (Math.random() * longestMs) / 2, signal);
  }
}
