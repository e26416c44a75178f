import type { ApplyActivity } from '../core/apply-activity.ts';
import type { Compared } from '../core/compared.ts';
import { pause } from '../core/pause.ts';
import type { RouteDefinition } from '../core/route.ts';
import type {
  Concern,
  Health,
  LoadProgress,
  Reason,
  Restart,
  RouteState,
  RouteStatus,
  TableProgress,
  Told,
  WantedState,
} from '../core/route-status.ts';
import { RouteMeter } from '../pipeline/route-meter.ts';
import { type ApplyWait, holdersText } from './apply-wait.ts';
import { memoryLimitBytes } from './memory-limit.ts';
import { judgeHealth } from './route-health.ts';
import type { RouteFacts, SelfWatch } from './self-watch.ts';
import type { ProgressReport } from './sign-of-life.ts';

const storedMs = 3_000;

export interface RouteReportOptions {
  readonly definition: RouteDefinition;
  readonly restarts: number;
  readonly heartbeatMs: number;
  /** Of the process that runs the route; absent where it is not one of its own. */
  readonly self?: SelfWatch | undefined;
  /** Why the worker before this one ended. */
  readonly restarted?: Restart | null | undefined;
  onStatus(status: RouteStatus): void;
}

/** What a worker says about its route: the state it was told, the rest measured. */
export class RouteReport {
  readonly meter: RouteMeter;
  readonly #options: RouteReportOptions;
  #state: RouteState = 'starting';
  #reason: Reason | null = null;
  #load: LoadProgress | null = null;
  /** Committed at the target. */
  #loadedRows = 0;
  /** Of a load that is one transaction: they come to nothing if it fails. */
  #uncommittedRows = 0;
  #ran = false;
  /** It has not been anything but starting. */
  #begins = true;
  #listener: () => void = () => {};
  #ignored: () => readonly string[] = () => [];
  #wait: { readonly sinceMs: number; readonly what: string; readonly holders: string } | null = null;
  /** It was asked since the route moved last, and had nothing to do for it. */
  #isIdleAtTarget = false;
  /** The target was seen to be held up by nobody. */
  #freeAtMs = 0;
  #loading: ProgressReport = { steps: 0, due: false, waits: false };
  #since = { state: new Date(), health: new Date() };
  #health: Health = 'unknown';
  /** Since when each concern, by its code, has been there. */
  #concerns = new Map<string, string>();
  #restsSinceMs: number | null = null;
  wanted: WantedState = 'running';
  leads = false;
  /** From an engine that was gone. */
  inherited: NonNullable<RouteStatus['inherited']> | null = null;
  told: Told | null = null;
  #compared: { readonly found: Compared | null; readonly failure: Reason | null } = { found: null, failure: null };

  constructor(options: RouteReportOptions) {
    this.#options = options;
    this.meter = new RouteMeter(options.heartbeatMs);
    this.meter.readsWhole = options.restarts > 0;
    options.self?.describe(() => this.#facts());
  }

  get state(): RouteState {
    return this.#state;
  }

  /** Null where nothing was ever compared; `failure`: why the last compare in the background has failed. */
  compared(compared: Compared | null, failure: Reason | null): void {
    this.#compared = { found: compared, failure };
  }

  /** Called at each change of the state. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  show(state: RouteState, reason: Reason | null = null): void {
    const changed = this.#become(state, reason);
    this.#options.onStatus(this.status());
    if (changed) this.#listener();
  }

  /** Told once it is stored, or can't be within a few seconds: who acts on it finds it where commands read it. */
  async showStored(state: RouteState, reason: Reason, store: (status: RouteStatus) => Promise<unknown>): Promise<void> {
    this.#become(state, reason);
    const over = new AbortController();
    await Promise.race([store(this.status()).catch(() => {}), pause(storedMs, over.signal)]);
    over.abort();
    this.show(state, reason);
  }

  #become(state: RouteState, reason: Reason | null): boolean {
    const changed = state !== this.#state || reason?.code !== this.#reason?.code;
    if (state !== this.#state) this.#since.state = new Date();
    this.#state = state;
    this.#reason = reason;
    this.#begins &&= state === 'starting';
    return changed;
  }

  /** People were told this: it is stored at once, so that nobody tells it again. */
  hear(told: Told): void {
    this.told = told;
    this.#listener();
  }

  /** Another engine has the route, and tells people. */
  yields(): void {
    this.leads = false;
    this.told = null;
  }

  /** Columns that are left out, asked for with each status. */
  leavesOut(columns: () => readonly string[]): void {
    this.#ignored = columns;
  }

  /** Null where the load is complete. */
  loading(progress: LoadProgress | null): void {
    this.#uncommittedRows = progress?.rows ?? 0;
    this.#load = progress;
    if (progress !== null && this.#state !== 'loading') this.show('loading');
  }

  /** Tables are loaded beside the stream. While they are those of the initial load, the route is no more than that. */
  loadsBeside(progress: LoadProgress | null, initial: boolean): void {
    if (progress === null) {
      this.#load = null;
      if (this.#state === 'loading') this.show('catchingUp');
      return;
    }
    this.#load = progress;
    if (initial && (this.#state === 'catchingUp' || this.#state === 'starting')) this.show('loading');
    else if (!initial && this.#state === 'loading') this.show('catchingUp');
  }

  loaded(rows: number): void {
    this.#loadedRows += rows;
    this.#uncommittedRows = 0;
  }

  /** Null while nothing is loaded. */
  get loadedRows(): number | null {
    return this.#load === null ? null : this.#load.rows + this.#load.tablesDone;
  }

  /** Rows have come, or a server is at work for the load. */
  loadMoves(): void {
    this.#loading = { steps: this.#loading.steps + 1, due: false, waits: false };
  }

  /** Neither server has anything to do for the load but to wait; `waits`: for another session. */
  loadStands(waits: boolean): void {
    this.#loading = { ...this.#loading, due: true, waits };
  }

  /** A route that has caught up with its own heartbeats is running: those of the worker before it tell how long it was away. */
  caughtUp(): void {
    const { lagMs, isFresh } = this.meter;
    const { warnMs } = this.#options.definition.limits.lag;
    if (this.#state !== 'catchingUp' || !isFresh || lagMs === null || lagMs >= warnMs) return;
    this.#ran = true;
    this.show('running');
  }

  /** True where the route has been running since the last call. */
  takeRan(): boolean {
    const ran = this.#ran;
    this.#ran = false;
    return ran;
  }

  /** What the target does for a route that has applied nothing for a while; null while it applies. */
  atTarget(activity: ApplyActivity | null): void {
    this.#isIdleAtTarget = activity?.doing === 'idle';
    if (activity?.doing !== 'waiting') {
      this.#wait = null;
      if (activity !== null) this.#freeAtMs = Date.now();
    } else {
      const sinceMs = this.#wait?.sinceMs ?? Math.max(this.meter.appliedAtMs, this.#freeAtMs);
      this.#wait = { sinceMs, what: activity.what, holders: holdersText(activity.holders) };
    }
  }

  status(): RouteStatus {
    const counts = this.meter.counts();
    const { health, concerns } = this.#judge();
    const { restarted = null } = this.#options;
    return {
      state: this.#state,
      // What it starts again after is why it does not run.
      reason: this.#reason ?? (this.#begins ? (restarted?.reason ?? null) : null),
      health,
      wanted: this.wanted,
      leads: this.leads,
      ...(this.inherited !== null && { inherited: this.inherited }),
      ...(this.told !== null && { told: this.told }),
      ...(this.#compared.found !== null && { compared: this.#compared.found }),
      sourcePosition: this.meter.sourcePosition,
      targetPosition: this.meter.applied,
      lagMs: this.meter.lagMs,
      transactions: counts.transactions,
      rows: counts.rows,
      collisions: counts.collisions,
      parked: this.meter.parked().count,
      restarts: this.#options.restarts,
      retainedBytes: this.meter.retainedBytes,
      load: this.#load,
      loadedRows: this.#loadedRows + this.#uncommittedRows,
      ignored: this.#ignored(),
      since: this.#since.state.toISOString(),
      healthSince: this.#since.health.toISOString(),
      concerns,
      restarted,
    };
  }

  #judge(): { readonly health: Health; readonly concerns: readonly Concern[] } {
    const { definition, self, restarted } = this.#options;
    const { meter } = this;
    const judged = judgeHealth({
      route: definition.name,
      limits: definition.limits,
      state: this.#state,
      inStateMs: Date.now() - this.#since.state.getTime(),
      lagMs: meter.lagMs,
      retainedBytes: meter.retainedBytes,
      room: meter.room,
      parked: meter.parked(),
      wait: this.#applyWait(),
      resting: this.#resting(),
      memory: self?.memory ?? null,
      blockedMs: self?.blockedMs ?? 0,
      compared: this.#compared.found,
      compareFailure: this.#compared.failure,
      restarted: restarted == null ? null : { ...restarted, agoMs: Date.now() - Date.parse(restarted.at) },
    });
    if (judged.health !== this.#health) this.#since.health = new Date();
    this.#health = judged.health;
    const now = new Date().toISOString();
    const concerns = judged.concerns.map((each) => ({ ...each, since: this.#concerns.get(each.code) ?? now }));
    this.#concerns = new Map(concerns.map(({ code, since }) => [code, since]));
    return { health: judged.health, concerns };
  }

  /** Where a session begins, jobs are taken up a moment later. */
  #resting(): readonly TableProgress[] {
    const tables = (this.#load?.loading ?? []).filter(({ rests }) => rests);
    if (tables.length === 0) this.#restsSinceMs = null;
    else this.#restsSinceMs ??= Date.now();
    return this.#restsSinceMs !== null && Date.now() - this.#restsSinceMs >= restsMs ? tables : [];
  }

  #applyWait(): ApplyWait | null {
    if (this.#wait === null || !this.meter.follows) return null;
    const { sinceMs, what, holders } = this.#wait;
    return { waitedMs: Date.now() - sinceMs, what, holders };
  }

  #facts(): RouteFacts {
    const { apply, limits } = this.#options.definition;
    const { meter } = this;
    // What a load reads is not measured.
    const largestRowBytes = this.#load === null ? meter.largestRowBytes : apply.maxRowBytes;
    return {
      memoryLimitBytes: memoryLimitBytes({
        setBytes: limits.memoryBytes,
        budgetBytes: apply.memoryBytes,
        largestRowBytes,
      }),
      progress: meter.follows
        ? {
            steps: meter.steps,
            due: meter.beatsSinceStep >= beatsDue && this.#isIdleAtTarget,
            waits: this.#wait !== null,
          }
        : this.#load === null
          ? null
          : this.#loading,
    };
  }
}

/** The lease is renewed every three seconds, and jobs are looked at then. */
const restsMs = 8_000;

/** Heartbeats that were committed at the source and have not come through, until one is said to be due. */
const beatsDue = 3;
