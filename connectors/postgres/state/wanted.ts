import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';

export interface WantedRow {
  readonly wanted: WantedState;
  readonly request: string;
  readonly accept_schema_change: boolean;
}

export function readWanted(row: WantedRow): Wanted {
  return { state: row.wanted, request: Number(row.request), acceptSchemaChange: row.accept_schema_change };
}

/** Where requests are announced. Whoever misses one finds it with the next renewal of the lease. */
export function requestChannel(routeId: number): string {
  return `tidelock_${routeId}`;
}
