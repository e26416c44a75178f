/** States of a route. Clients treat names that they do not know as not running. */
export const routeStates = [
  'starting',
  'standby',
  'loading',
  'catchingUp',
  'running',
  'retrying',
  'paused',
  'stopped',
  'fenced',
  'failed',
] as const;
export type RouteState = (typeof routeStates)[number];

export type Health = 'ok' | 'warning' | 'critical' | 'unknown';
export type WantedState = 'running' | 'paused' | 'stopped';

export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  /** The source transaction that the route has halted at, where it is its rows that the target refuses. */
  readonly transaction?: { readonly id: string; readonly position: string | null };
}

/** What is not well with a route, apart from its state. */
export interface Concern extends Reason {
  readonly level: 'warning' | 'critical';
  /** ISO 8601. */
  readonly since: string;
}

/** Why a worker was started again. */
export interface Restart {
  readonly at: string;
  readonly reason: Reason;
}

export interface LoadProgress {
  readonly tablesDone: number;
  readonly tables: number;
  readonly rows: number;
}

/** What a worker reports about its route: stored with each renewal of the lease, shown by `tidelock status`. */
export interface RouteStatus {
  readonly state: RouteState;
  readonly reason: Reason | null;
  readonly health: Health;
  readonly sourcePosition: string | null;
  readonly targetPosition: string | null;
  readonly lagMs: number | null;
  readonly transactions: number;
  readonly rows: number;
  readonly collisions: number;
  readonly parked: number;
  readonly restarts: number;
  readonly retainedBytes: number | null;
  readonly load: LoadProgress | null;
  /** Columns that were added at the source and are left out (schemaChanges: ignore). */
  readonly ignored?: readonly string[];
  /** Since when the state and the health are what they are, ISO 8601. */
  readonly since?: string;
  readonly healthSince?: string;
  /** Why the health is not ok beside the state, worst first. */
  readonly concerns?: readonly Concern[];
  /** Why the worker before this one ended, unless it was told to. */
  readonly restarted?: Restart | null;
}
