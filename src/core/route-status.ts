import type { Compared } from './compared.ts';
import type { LoadWait } from './load.ts';

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
  /** So many workers of the route have ended for a reason within a quarter of an hour, this one too; absent from older engines. */
  readonly recent?: number | undefined;
}

export interface LoadProgress {
  readonly tablesDone: number;
  readonly tables: number;
  readonly rows: number;
  /** Of a load beside the stream, as are those below: bytes that were read of the source. */
  readonly bytes?: number | undefined;
  /** Of what comes beside the stream, in all. Null where it can't be told. */
  readonly rowsPerSecond?: number | null | undefined;
  readonly leftMs?: number | null | undefined;
  /** Why nothing is read now. */
  readonly waits?: LoadWait | undefined;
  /** The tables that are not done. */
  readonly loading?: readonly TableProgress[] | undefined;
}

export interface TableProgress {
  /** As the source names it. */
  readonly table: string;
  /** Read of the source; which of them go to the target, and as how many, is up to the route. */
  readonly rows: number;
  readonly bytes: number;
  /** What the source thinks that there is, without counting. */
  readonly expectedRows: number;
  readonly expectedBytes: number;
  readonly rowsPerSecond: number | null;
  readonly leftMs: number | null;
  /** Nobody goes on with it until somebody says so: its job was paused or cancelled, or has failed. */
  readonly rests?: true | undefined;
  /** Rows of the target that the load replaces still go; nothing of the source was read. */
  readonly emptying?: true | undefined;
  /** Nothing but all of their values tells its rows apart: another load can only replace what is there. */
  readonly keyless?: true | undefined;
  /** No change of it is applied until it is loaded anew, which empties the target's table: by itself, unless it rests. */
  readonly unfollowed?: true | undefined;
}

/**
 * What people were told of a route, by subject: null where nothing is wrong that they know of. Stored with the status, so
 * that an engine that takes over does not tell it again.
 */
export interface Told {
  readonly health: ToldProblem | null;
  readonly retention: ToldProblem | null;
}

export interface ToldProblem {
  readonly severity: 'warning' | 'critical';
  /** What it was told for: `state:TL-2104`, `lag`. */
  readonly causes: readonly string[];
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
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
  /** Rows that loads have copied; `rows` are those of the stream. */
  readonly loadedRows?: number;
  /** Columns that were added at the source and are left out (schemaChanges: ignore). */
  readonly ignored?: readonly string[];
  /** Since when the state and the health are what they are, ISO 8601. */
  readonly since?: string;
  readonly healthSince?: string;
  /** Why the health is not ok beside the state, worst first. */
  readonly concerns?: readonly Concern[];
  /** Why the worker before this one ended, unless it was told to. */
  readonly restarted?: Restart | null;
  /** What people want of the route, as its engine knows. */
  readonly wanted?: WantedState;
  /** The engine has the lease, or had it last as far as it knows. */
  readonly leads?: boolean;
  /** The engine that it has the route from was gone without giving it back. */
  readonly inherited?: { readonly host: string; readonly pid: number };
  readonly told?: Told;
  /** What compares have found; absent where none was ever made. */
  readonly compared?: Compared;
}
