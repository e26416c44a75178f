import type { Position } from '../../../src/core/position.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';
import { actionsSince } from './state-schema.ts';

export interface WantedRow {
  readonly wanted: WantedState;
  readonly request: string;
  readonly accept_schema_changes_to: Position | null;
  readonly paused_until: string | null;
  readonly restart: string;
  readonly wanted_reason: string | null;
  readonly wanted_by: string | null;
  readonly parking_asked?: boolean;
  readonly pending?: string | null;
  readonly leftover?: string | null;
  readonly jobs_due?: boolean;
}

/**
 * For a select list over `tidelock.requests q`. A pause that is over is none: whoever reads it after that finds the
 * route wanted running, by the target's clock.
 */
export function wantedColumns(stateVersion: number): string {
  if (stateVersion < actionsSince)
    return `q.wanted, q.request::text, q.accept_schema_changes_to, null as paused_until, '0' as restart,
      null as wanted_reason, null as wanted_by`;
  return `${effectiveState(stateVersion)} as wanted, q.request::text, q.accept_schema_changes_to,
    case when q.wanted = 'paused' and not ${isOver} then
      to_char(q.paused_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end as paused_until,
    q.restart::text, q.reason as wanted_reason, q.asked_by as wanted_by`;
}

/** An expression over `tidelock.requests q`. */
export function effectiveState(stateVersion: number): string {
  return stateVersion < actionsSince ? 'q.wanted' : `case when ${isOver} then 'running' else q.wanted end`;
}

const isOver = `(q.wanted = 'paused' and coalesce(q.paused_until <= clock_timestamp(), false))`;

/** For a select list over `tidelock.requests q`. */
export const parkingAsked = `exists (select from tidelock.parking_requests p
  where p.route_id = q.route_id and p.done_at is null) as parking_asked`;

/** Likewise. Newer than the other columns: commands also read what an older engine has stored, and leave it out. */
export const pendingAsked = `(select r.pending ->> 'to' from tidelock.routes r
  where r.id = q.route_id and r.pending -> 'failed' is null) as pending`;

/** Likewise. A command that renames the route is at work on it, and says so again and again, or has died. */
export const leftoverFound = `(select r.leftover from tidelock.routes r
  where r.id = q.route_id and r.leftover_at < clock_timestamp() - interval '1 minute') as leftover`;

/** An expression over a job by its alias: an engine has something to do about it. */
export function isDue(alias: string): string {
  return `(${alias}.ended_at is null and not (${alias}.state = 'paused' and ${alias}.wish = 'pause'))`;
}

/** For a select list over `tidelock.requests q`, as the others. */
export const jobsDue = `exists (select from tidelock.jobs j where j.route_id = q.route_id and ${isDue('j')}) as jobs_due`;

export function readWanted(row: WantedRow): Wanted {
  return {
    state: row.wanted,
    request: Number(row.request),
    acceptSchemaChangesTo: row.accept_schema_changes_to,
    pausedUntil: row.paused_until,
    restart: Number(row.restart),
    reason: row.wanted_reason,
    askedBy: row.wanted_by,
    parkingAsked: row.parking_asked ?? false,
    pending: row.pending ?? null,
    leftover: row.leftover ?? null,
    ...(row.jobs_due === true && { jobsDue: true as const }),
  };
}

/** Where requests are announced. Whoever misses one finds it with the next renewal of the lease. */
export function requestChannel(routeId: number): string {
  return `tidelock_${routeId}`;
}
