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
}
