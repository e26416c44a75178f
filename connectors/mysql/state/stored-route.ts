import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import type { SourceIdentity, StoredCheckpoint, StoredRoute } from '../../../src/core/route-state-store.ts';
import type { MysqlSession } from '../connect.ts';
import { parkedSince } from './state-schema.ts';
import { nowMs, parsedJson } from './statements.ts';
import { readWanted, wantedColumns, wantedWidth } from './wanted.ts';

export async function readStoredRoute(
  session: MysqlSession,
  key: string,
  version: number,
): Promise<StoredRoute | null> {
  // The last of the checkpoints is found by the primary key, and read with the rest: nobody prunes it in between.
  const [row] = await session.query(
    `select ${wantedColumns(version)}, r.epoch, r.phase, r.source, r.applied, l.supervisor, l.host, l.pid, l.expires_at_ms - ${nowMs}, l.expires_at_ms = 0,
       l.status, ${nowMs} - l.status_at_ms, c.sequence, c.position, c.last_commit_position, c.last_commit_id, ${parkedColumns(version)}
     from tidelock.routes r
     join tidelock.requests q on q.route_id = r.id
     left join tidelock.leases l on l.route_id = r.id
     left join tidelock.checkpoints c on c.route_id = r.id
       and c.sequence = (select max(sequence) from tidelock.checkpoints where route_id = r.id)
     where r.route_key = ?`,
    [key],
  );
  if (row === undefined) return null;
  const [epoch, phase, source, applied, supervisor, host, pid, left, released, status, statusAge] =
    row.slice(wantedWidth);
  const [sequence, position, lastPosition, lastId, parked, parkedFrom] = row.slice(wantedWidth + 11);
  const isHeld = supervisor !== null && supervisor !== undefined && supervisor !== '' && released !== '1';
  return {
    wanted: readWanted(row),
    epoch: BigInt(epoch ?? 0),
    holder: isHeld ? { supervisor, host: host ?? '', pid: Number(pid), expiresInMs: Number(left) } : null,
    status: parsedJson(status),
    statusAgeMs: statusAge === null || statusAge === undefined ? null : Number(statusAge),
    checkpoint: checkpointOf(key, {
      phase: phase ?? null,
      source: parsedJson<SourceIdentity>(source),
      sequence: sequence ?? null,
      position: (position ?? null) as Position | null,
      lastCommit: lastPosition ? { position: lastPosition as Position, id: lastId ?? '' } : null,
    }),
    parked: { count: Number(parked ?? 0), since: (parkedFrom ?? null) as Position | null },
    applied: parsedJson(applied),
    pending: parsedJson(row[7]),
  };
}

/** Of a route `r`: how many are parked, and the position of the first. */
export function parkedColumns(version: number): string {
  if (version < parkedSince) return '0, null';
  return `(select count(*) from tidelock.parked p where p.route_id = r.id),
       (select p.position from tidelock.parked p where p.route_id = r.id order by p.id limit 1)`;
}

interface CheckpointRow {
  readonly phase: string | null;
  readonly source: SourceIdentity | null;
  readonly sequence: string | null;
  readonly position: Position | null;
  readonly lastCommit: Extract<StoredCheckpoint, { phase: 'ready' }>['lastCommit'];
}

function checkpointOf(
  key: string,
  { phase, source, sequence, position, lastCommit }: CheckpointRow,
): StoredCheckpoint | null {
  if (phase === null) return null;
  if (source === null) throw fail(routeErrors.stateDamaged, { route: key, what: 'the identity of its source is gone' });
  if (phase === 'creating') return { phase, source };
  // Taking this for a new route would load again, or with load: none leave out what was committed in between.
  if (position === null || sequence === null)
    throw fail(routeErrors.stateDamaged, { route: key, what: 'its checkpoint is gone' });
  return { phase: 'ready', source, position, sequence: BigInt(sequence), lastCommit };
}
