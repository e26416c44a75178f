import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { withSide } from './sessions.ts';
import { isNamed, readStandbyNames } from './standby-names.ts';

const lookMs = 500;
/** A COMMIT waits for a standby that is there for milliseconds. */
const looks = 6;
/** A user without pg_read_all_stats is not told what others wait for. */
const looksUnseen = 40;

/**
 * While a session makes a slot: throws where it waits for a COMMIT that itself waits for a synchronous standby, and the route is named as one.
 * Neither would ever end, and nobody would be told. Resolves when the signal aborts.
 */
export async function demandUnawaited(route: RouteDefinition, pid: number, signal: AbortSignal): Promise<void> {
  const seen = new Map<number, number>();
  for (;;) {
    await pause(lookMs, signal);
    if (signal.aborted) return;
    const held = await withSide(route, 'setup', async (client) => {
      if (!isNamed(route, await readStandbyNames(client))) return [];
      const { rows } = await client.query(
        `SELECT pid::int4 AS pid, wait_event AS waits FROM pg_stat_activity
         WHERE pid = ANY (pg_blocking_pids($1)) AND (wait_event = 'SyncRep' OR state IS NULL)`,
        [pid],
      );
      return rows;
    });
    const pids = new Set(held.map((row) => Number(row.pid)));
    for (const one of seen.keys()) if (!pids.has(one)) seen.delete(one);
    for (const row of held) {
      const other = Number(row.pid);
      const times = (seen.get(other) ?? 0) + 1;
      seen.set(other, times);
      if (times >= (row.waits === null ? looksUnseen : looks))
        throw fail(sourceErrors.queueAwaited, { route: route.name, node: route.from.name, pid: other });
    }
  }
}
