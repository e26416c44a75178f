import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDescription } from '../../../src/core/route-description.ts';
import type {
  PendingChange,
  SourceIdentity,
  StoredCheckpoint,
  StoredRoute,
} from '../../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { expiresInMs } from './lease.ts';
import { parkedColumns } from './postgres-parked-store.ts';
import { readWanted, type WantedRow, wantedColumns } from './wanted.ts';

interface RouteRow extends WantedRow {
  readonly epoch: string;
  readonly phase: 'creating' | 'ready' | null;
  readonly source: SourceIdentity | null;
  readonly supervisor: string | null;
  readonly host: string | null;
  readonly pid: number | null;
  readonly expiresInMs: number | null;
  readonly released: boolean | null;
  readonly status: RouteStatus | null;
  readonly status_age_ms: number | null;
  readonly sequence: string | null;
  readonly position: Position | null;
  readonly last_commit_position: Position | null;
  readonly last_commit_id: string | null;
  readonly applied: RouteDescription | null;
  readonly pending_change: PendingChange | null;
  readonly parked: number;
  readonly parked_since: Position | null;
}

export async function readStoredRoute(client: pg.Client, version: number, key: string): Promise<StoredRoute | null> {
  const { rows } = await client.query<RouteRow>(
    `select r.epoch::text, r.phase, r.source, ${wantedColumns(version)},
       l.supervisor, l.host, l.pid, ${expiresInMs}, l.expires_at = 'epoch' as released, l.status,
       (extract(epoch from clock_timestamp() - l.status_at) * 1000)::float8 as status_age_ms,
       c.sequence::text, c.position, c.last_commit_position, c.last_commit_id,
       to_jsonb(r) -> 'applied' as applied, to_jsonb(r) -> 'pending' as pending_change, to_jsonb(r) ->> 'leftover' as leftover,
       ${parkedColumns(version)}
     from tidelock.routes r
     join tidelock.requests q on q.route_id = r.id
     left join tidelock.leases l on l.route_id = r.id
     left join lateral (
       select * from tidelock.checkpoints where route_id = r.id order by sequence desc limit 1
     ) c on true
     where r.key = $1`,
    [key],
  );
  const row = rows[0];
  if (!row) return null;
  const { supervisor, host, pid, expiresInMs: remainingMs } = row;
  const held = supervisor !== null && host !== null && pid !== null && remainingMs !== null && !row.released;
  return {
    wanted: readWanted(row),
    epoch: BigInt(row.epoch),
    holder: held ? { supervisor, host, pid, expiresInMs: remainingMs } : null,
    status: row.status,
    statusAgeMs: row.status_age_ms,
    checkpoint: readCheckpoint(row, key),
    parked: { count: row.parked, since: row.parked_since },
    applied: row.applied,
    pending: row.pending_change,
  };
}

function readCheckpoint(row: RouteRow, key: string): StoredCheckpoint | null {
  const { phase, source, position, sequence } = row;
  if (phase === null) return null;
  if (source === null) throw fail(routeErrors.stateDamaged, { route: key, what: 'the identity of its source is gone' });
  if (phase === 'creating') return { phase, source };
  // Taking this for a new route would load again, or with load: none leave out what was committed in between.
  if (position === null || sequence === null) {
    throw fail(routeErrors.stateDamaged, { route: key, what: 'its checkpoint is gone' });
  }
  const lastCommit =
    row.last_commit_position === null ? null : { position: row.last_commit_position, id: row.last_commit_id ?? '' };
  return { phase, source, position, sequence: BigInt(sequence), lastCommit };
}
