import { failpoint } from '../../../src/core/failpoint.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import type { CatalogueTable } from './catalogue.ts';
import { createSlot, routeTables, tablesIn } from './create-queue.ts';
import { publish } from './publish-tables.ts';
import { PostgresSnapshot } from './queue-snapshot.ts';
import { connectReplication } from './replication-client.ts';
import { withSide } from './sessions.ts';
import { readSystemIdentity } from './system-identity.ts';

/** A slot waits for the transactions that are open when it is made; with synchronous commit those may wait for the route. */
const slotWithinMs = 60_000;

/**
 * Publication first, then a temporary slot, whose snapshot and first position belong together as those of the route's own: the slot is
 * made when every transaction has ended that was open before it, so each that is committed behind its position has seen the
 * publication from its first change on. Both the slot and the snapshot go with their session: whatever ends it leaves nothing behind but tables in
 * the publication, which the next attempt finds there.
 */
export async function addTables(
  route: RouteDefinition,
  wanted: readonly TableVersion[],
  signal: AbortSignal,
): Promise<PostgresSnapshot> {
  const labels = new Set(wanted.map(tableLabel));
  const isWanted = ({ table }: CatalogueTable): boolean => labels.has(tableLabel(table));
  await withSide(route, 'setup', async (client) =>
    publish(client, route, (await routeTables(client, route)).filter(isWanted)),
  );
  failpoint('tables.published');
  const exporter = await connectReplication(route, 'snapshot');
  try {
    const { identity } = await readSystemIdentity(exporter);
    const pid = (await exporter.query('SELECT pg_backend_pid()::int4 AS pid')).rows[0]?.pid;
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(slotWithinMs)]);
    const created = await createSlot(exporter, {
      route,
      name: `tidelock_load_${pid}`,
      temporary: true,
      signal: inTime,
    });
    const { tables, facts } = await tablesIn(route, created.snapshot);
    return new PostgresSnapshot({
      route,
      position: formatLsn(parseLsn(created.position)),
      source: identity,
      snapshot: created.snapshot,
      exporter,
      tables: tables.filter(isWanted),
      facts: facts.filter((table) => labels.has(tableLabel(table))),
    });
  } catch (error) {
    exporter.connection.stream.destroy();
    await exporter.end().catch(() => {});
    throw error;
  }
}
