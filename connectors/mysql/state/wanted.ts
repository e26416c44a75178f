import type { Position } from '../../../src/core/position.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';
import { isDue } from './mysql-job-store.ts';
import { parkedSince } from './state-schema.ts';
import { nowMs, parsedJson } from './statements.ts';

/** Of a pause by its end: whoever reads it after that finds the route wanted running, by the server's clock. */
const isOver = `(q.wanted = 'paused' and coalesce(q.paused_until_ms <= ${nowMs}, 0))`;

/** An expression over `tidelock.requests q`. */
export const effectiveState = `if(${isOver}, 'running', q.wanted)`;

/** A command that renames the route is at work on it, and says so again and again, or has died. */
const leftoverMs = 60_000;

/** For a select list over `tidelock.requests q` and `tidelock.routes r`. */
export function wantedColumns(version: number | null): string {
  return `${effectiveState}, q.request, q.accept_schema_changes_to,
  if(q.wanted = 'paused' and not ${isOver}, q.paused_until_ms, null), q.restart, q.reason, q.asked_by, r.pending,
  if(r.leftover_at_ms < ${nowMs} - ${leftoverMs}, r.leftover, null),
  exists (select 1 from tidelock.jobs where route_id = q.route_id and ${isDue}),
  ${(version ?? 0) < parkedSince ? '0' : 'exists (select 1 from tidelock.parking_requests p where p.route_id = q.route_id and p.done_at_ms is null)'}`;
}

/** How many they are. */
export const wantedWidth = 11;

export function readWanted(row: readonly (string | null)[]): Wanted {
  const [state, request, accepted, pausedUntil, restart, reason, askedBy, pending, leftover, jobsDue, parkingAsked] =
    row;
  const change = parsedJson<{ readonly to: string; readonly failed?: unknown }>(pending);
  return {
    state: state as WantedState,
    request: Number(request),
    acceptSchemaChangesTo: (accepted ?? null) as Position | null,
    pausedUntil: pausedUntil ? new Date(Number(pausedUntil)).toISOString() : null,
    restart: Number(restart),
    reason: reason ?? null,
    askedBy: askedBy ?? null,
    parkingAsked: parkingAsked === '1',
    pending: change === null || change.failed !== undefined ? null : change.to,
    leftover: leftover ?? null,
    ...(jobsDue === '1' && { jobsDue: true as const }),
  };
}
