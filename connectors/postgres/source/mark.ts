import type { Position } from '../../../src/core/position.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { markerPrefixes } from './markers.ts';
import type { Queryable } from './sessions.ts';

/**
 * Commits a mark and returns where its message ends in the WAL, not where its commit ends. Everything that was
 * committed before the call has its commit record before the message, so whoever has applied up to the message has all
 * of it; and the mark's own commit, which comes after the message, takes every reader past it at once. The end of the
 * WAL after the commit would be further than an idle route ever gets.
 */
export async function emitMark(client: Queryable): Promise<Position> {
  const { rows } = await client.query(`SELECT pg_logical_emit_message(true, $1, '{"v":1}')::text AS lsn`, [
    markerPrefixes.mark,
  ]);
  return formatLsn(parseLsn(String(rows[0]?.lsn)));
}
