import type { Position } from '../../../src/core/position.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';

export interface WantedRow {
  readonly wanted: WantedState;
  readonly request: string;
  readonly accept_schema_changes_to: Position | null;
  readonly parking_asked?: boolean;
}

/** For a select list over `tidelock.requests q`. */
export const parkingAsked = `exists (select from tidelock.parking_requests p
  where p.route_id = q.route_id and p.done_at is null) as parking_asked`;

export function readWanted(row: WantedRow): Wanted {
  return {
    state: row.wanted,
    request: Number(row.request),
    acceptSchemaChangesTo: row.accept_schema_changes_to,
    parkingAsked: row.parking_asked ?? false,
  };
}

/** Where requests are announced. Whoever misses one finds it with the next renewal of the lease. */
export function requestChannel(routeId: number): string {
  return `tidelock_${routeId}`;
}
