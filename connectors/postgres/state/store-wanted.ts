import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Wanted, WantedOptions } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';
import { writeAction } from './postgres-action-journal.ts';
import { actionsSince, inTransaction, stateVersion } from './state-schema.ts';
import type { StateSession } from './state-session.ts';
import {
  effectiveState,
  jobsDue,
  leftoverFound,
  parkingAsked,
  pendingAsked,
  readWanted,
  requestChannel,
  type WantedRow,
  wantedColumns,
} from './wanted.ts';

interface Place {
  readonly routeId: number;
  readonly routeKey: string;
}

/** Null where the route is not registered. */
export async function currentWanted(client: pg.Client, { routeId, routeKey }: Place): Promise<Wanted | null> {
  const { rows } = await client.query<WantedRow>(
    `select ${wantedColumns(stateVersion)}, ${parkingAsked}, ${pendingAsked}, ${leftoverFound}, ${jobsDue} from tidelock.requests q where route_id = $1
       and exists (select from tidelock.routes where id = $1 and key = $2)`,
    [routeId, routeKey],
  );
  return rows[0] === undefined ? null : readWanted(rows[0]);
}

/** A request, with its line in the journal. Null where `instead` did not hold. Throws (usage) where the stored state is too old for what is asked. */
export async function storeWanted(
  session: StateSession,
  { routeId, routeKey }: Place,
  state: WantedState,
  options: WantedOptions,
): Promise<Wanted | null> {
  const { client, node } = session;
  const version = (await session.stateVersion()) ?? 0;
  const {
    instead = null,
    acceptSchemaChangesTo = null,
    forMs = null,
    restart = false,
    reason = null,
    askedBy = null,
    entry,
  } = options;
  const knows = version >= actionsSince;
  if (!knows && (forMs !== null || restart))
    throw fail(routeErrors.stateOlder, { node, found: version, wanted: actionsSince });
  const more = knows
    ? `, paused_until = clock_timestamp() + $6 * interval '1 ms', reason = $7, asked_by = $8,
         restart = case when $9 then q.request + 1 else q.restart end`
    : '';
  const request = `with stored as (
       update tidelock.requests q set wanted = $2, request = q.request + 1, requested_at = now(),
         accept_schema_changes_to = coalesce($3, q.accept_schema_changes_to)${more}
       where route_id = $1 and ($5::text[] is null or ${effectiveState(version)} = any($5)) returning ${wantedColumns(version)})
     select stored.*, pg_notify($4, '') from stored`;
  const values = [
    routeId,
    state,
    acceptSchemaChangesTo,
    requestChannel(routeId),
    instead,
    ...(knows ? [forMs, reason, askedBy, restart] : []),
  ];
  return await inTransaction(client, async () => {
    const { rows } = await client.query<WantedRow>(request, values);
    const wanted = rows[0] === undefined ? null : readWanted(rows[0]);
    const told =
      wanted === null
        ? { changed: false }
        : { request: wanted.request, ...(forMs !== null && { pausedUntil: wanted.pausedUntil }) };
    if (entry !== undefined && knows) await writeAction(client, routeKey, entry(told));
    return wanted;
  });
}
