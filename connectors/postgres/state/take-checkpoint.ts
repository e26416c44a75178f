import type pg from 'pg';

/**
 * In a target transaction that brings rows beside the stream, under the lock of the route's row: the next checkpoint is taken, at the place where the last one is.
 * Of the session before, which nobody may have seen the end of, something can still be on its way to the server. What of it had its lock is committed by
 * now; whatever comes behind ends with a checkpoint of this number, or of one that asks for that, and is refused: its rows are older than what
 * was brought here.
 */
export async function takeCheckpoint(client: pg.Client, routeId: number): Promise<void> {
  await client.query(
    `insert into tidelock.checkpoints (route_id, sequence, position, last_commit_position, last_commit_id)
     select route_id, sequence + 1, position, last_commit_position, last_commit_id from tidelock.checkpoints
     where route_id = $1 order by sequence desc limit 1`,
    [routeId],
  );
}
