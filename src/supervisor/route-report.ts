import type { RouteDefinition } from '../core/route.ts';
import type { Health, LoadProgress, Reason, RouteState, RouteStatus } from '../core/route-status.ts';
import { RouteMeter } from '../pipeline/route-meter.ts';

export interface RouteReportOptions {
  readonly definition: RouteDefinition;
  readonly restarts: number;
  readonly heartbeatMs: number;
  onStatus(status: RouteStatus): void;
}

/** What a worker says about its route: the state it was told, the rest measured. */
export class RouteReport {
  readonly meter: RouteMeter;
  readonly #options: RouteReportOptions;
  #state: RouteState = 'starting';
  #reason: Reason | null = null;
  #load: LoadProgress | null = null;
  #ran = false;
  #listener: () => void = () => {};
  #ignored: () => readonly string[] = () => [];

  constructor(options: RouteReportOptions) {
    this.#options = options;
    this.meter = new RouteMeter(options.heartbeatMs);
  }

  get state(): RouteState {
    return this.#state;
  }

  /** Called at each change of the state. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  show(state: RouteState, reason: Reason | null = null): void {
    const changed = state !== this.#state || reason?.code !== this.#reason?.code;
    this.#state = state;
    this.#reason = reason;
    this.#options.onStatus(this.status());
    if (changed) this.#listener();
  }

  /** Columns that are left out, asked for with each status. */
  leavesOut(columns: () => readonly string[]): void {
    this.#ignored = columns;
  }

  loading(progress: LoadProgress | null): void {
    this.#load = progress;
    if (progress !== null && this.#state !== 'loading') this.show('loading');
  }

  /** A route that has caught up with its heartbeats is running. */
  caughtUp(): void {
    const { lagMs } = this.meter;
    const { warnMs } = this.#options.definition.limits.lag;
    if (this.#state !== 'catchingUp' || lagMs === null || lagMs >= warnMs) return;
    this.#ran = true;
    this.show('running');
  }

  /** True where the route has been running since the last call. */
  takeRan(): boolean {
    const ran = this.#ran;
    this.#ran = false;
    return ran;
  }

  status(): RouteStatus {
    const counts = this.meter.counts();
    return {
      state: this.#state,
      reason: this.#reason,
      health: this.#health(),
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
      ignored: this.#ignored(),
    };
  }

  #health(): Health {
    const { lag, retained } = this.#options.definition.limits;
    const { lagMs } = this.meter;
    const retainedBytes = this.meter.retainedBytes ?? 0;
    if (this.#state === 'failed' || this.#state === 'fenced' || retainedBytes >= retained.criticalBytes)
      return 'critical';
    if (lagMs !== null && lagMs >= lag.criticalMs) return 'critical';
    if (this.meter.parked().count > 0) return 'warning';
    if (this.#state === 'retrying' || retainedBytes >= retained.warnBytes) return 'warning';
    if (lagMs !== null && lagMs >= lag.warnMs) return 'warning';
    return this.#state === 'starting' ? 'unknown' : 'ok';
  }
}
