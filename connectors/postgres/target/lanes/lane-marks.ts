import type { BoundStatement } from '../flight.ts';

/**
 * Advisory locks by which the sessions of one route wait for one another at the server, without a round trip: a group holds its own
 * until its transaction ends, however that is, and the one behind it waits for it right before its COMMIT. The server lets go of locks after a commit
 * is visible. Being locks they are seen by its search for deadlocks: where a group waits for a row that a later one has, one of the two is ended.
 */
function markOf(routeId: number, sequence: bigint): string {
  // Applications have locks of their own: these begin with "tl". Where they meet all the same somebody waits who would not have to.
  const key = (0x746cn << 48n) | (BigInt.asUintN(16, BigInt(routeId)) << 32n) | BigInt.asUintN(32, sequence);
  return key.toString();
}

/** For the group that will store this checkpoint. */
export function takeLane(routeId: number, sequence: bigint): BoundStatement {
  return { name: 'tl_lane', text: 'select pg_advisory_xact_lock($1)', values: [markOf(routeId, sequence)] };
}

/** Returns when that group has ended; it has to be known to have begun. */
export function awaitLane(routeId: number, sequence: bigint): BoundStatement {
  return { name: 'tl_turn', text: 'select pg_advisory_xact_lock_shared($1)', values: [markOf(routeId, sequence)] };
}
