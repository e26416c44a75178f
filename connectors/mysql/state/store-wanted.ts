import type { Wanted, WantedOptions } from '../../../src/core/route-state-store.ts';
import type { WantedState } from '../../../src/core/route-status.ts';
import type { MysqlSession } from '../connect.ts';
import { writeAction } from './mysql-action-journal.ts';
import { inTransaction, nowMs, places } from './statements.ts';
import { effectiveState, readWanted, wantedColumns } from './wanted.ts';

interface Place {
  readonly routeId: number;
  readonly routeKey: string;
  /** Of the state's tables. */
  readonly version: number | null;
}

/** Null where the route is not registered. */
export async function currentWanted(
  session: MysqlSession,
  { routeId, routeKey, version }: Place,
): Promise<Wanted | null> {
  const [row] = await session.query(
    `select ${wantedColumns(version)} from tidelock.requests q join tidelock.routes r on r.id = q.route_id where r.id = ? and r.route_key = ?`,
    [routeId, routeKey],
  );
  return row === undefined ? null : readWanted(row);
}

/** A request, with its line in the journal. Null where `instead` did not hold. */
export async function storeWanted(
  session: MysqlSession,
  place: Place,
  state: WantedState,
  options: WantedOptions,
): Promise<Wanted | null> {
  const { instead = null, acceptSchemaChangesTo = null, forMs = null, restart = false, entry } = options;
  return await inTransaction(session, async () => {
    const changed = await session.change(
      `update tidelock.requests q set request = q.request + 1, restart = if(? = 1, q.request, q.restart), wanted = ?,
         paused_until_ms = ${nowMs} + ?, reason = ?, asked_by = ?, accept_schema_changes_to = coalesce(?, q.accept_schema_changes_to)
       where q.route_id = ?${instead === null ? '' : ` and ${effectiveState} in (${places(instead)})`}`,
      [
        restart ? 1 : 0,
        state,
        forMs,
        options.reason ?? null,
        options.askedBy ?? null,
        acceptSchemaChangesTo,
        place.routeId,
        ...(instead ?? []),
      ],
    );
    const wanted = changed === 0 ? null : await currentWanted(session, place);
    const told =
      wanted === null
        ? { changed: false }
        : { request: wanted.request, ...(forMs !== null && { pausedUntil: wanted.pausedUntil }) };
    if (entry !== undefined) await writeAction(session, place.routeKey, entry(told));
    return wanted;
  });
}
