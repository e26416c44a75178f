import type { Position } from '../../../src/core/position.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';

export interface WantedRow {
  readonly wanted: WantedState;
  readonly request: string;
  readonly accept_schema_changes_to: Position | null;
}

export function readWanted(row: WantedRow): Wanted {
  return { state: row.wanted, request: Number(row.request), acceptSchemaChangesTo: row.accept_schema_changes_to };
}

/** Where requests are announced. Whoever misses one finds it with the next renewal of the lease. */
export function requestChannel(routeId: number): string {
  return `tidelock_${routeId}`;
}
