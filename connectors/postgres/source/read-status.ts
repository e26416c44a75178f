import type { SourceStatus } from '../../../src/core/source.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';
import type { Queryable } from './sessions.ts';
import type { Slot } from './slot.ts';

/** The end of what the server has written and flushed. */
export async function readWritten(client: Queryable): Promise<Lsn> {
  const { rows } = await client.query('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  return parseLsn(String(rows[0]?.lsn));
}

export function sourceStatus(slot: Slot | null, written: Lsn): SourceStatus {
  const isUsable = slot !== null && slot.lost === null && slot.unsuitable === null && slot.confirmedLsn !== null;
  return {
    position: formatLsn(written),
    retainedBytes: slot?.retainedBytes ?? null,
    room: slot?.room ?? null,
    queue: slot === null ? 'missing' : slot.lost !== null ? 'lost' : slot.activePid === null ? 'idle' : 'active',
    queuePosition: isUsable && slot.confirmedLsn !== null ? formatLsn(slot.confirmedLsn) : null,
  };
}
