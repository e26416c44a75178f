import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { routeTables } from './create-queue.ts';
import { captureDdl } from './ddl-capture.ts';
import { createPublicationStatement, readPublication } from './publication.ts';
import { queueNames } from './queue-names.ts';
import { dropSlot, readSlot, usableSlot } from './slot.ts';

/**
 * What the queue of `route` needs under the name of `twin`, beside it: a publication of the same tables, and the capture of commands.
 * A slot can't be renamed; it can be copied, with its position. But what the slot decodes is decoded with the catalogue of its time, in which a
 * younger publication does not exist. So the twin is made first, and the slot is copied when the route has passed every transaction
 * that was open then. Anew each time: what an interrupted call has left may be of other tables.
 *
 * Returns the first transaction id that was not given out yet: when all below it have ended, a mark is behind all that the
 * new publication can't be used for.
 */
export async function makeTwin(client: pg.Client, route: RouteDefinition, twin: RouteDefinition): Promise<string> {
  const { publication, ownsPublication } = queueNames(route);
  const { publication: twinPublication, slot: twinSlot, ownsSlot } = queueNames(twin);
  if (ownsSlot) {
    // Of another route of that name, which has another target.
    if ((await readSlot(client, twinSlot))?.activePid != null)
      throw fail(routeErrors.renameTaken, { route: route.name, name: twin.name });
    await dropSlot(client, twinSlot);
  }
  if (ownsPublication) {
    const own = await readPublication(client, publication);
    if (own === null) throw fail(routeErrors.renameNotYet, { route: route.name, why: 'its publication is not there' });
    const tables = (await routeTables(client, route)).filter(({ table }) => own.tables.has(tableLabel(table)));
    await client.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(twinPublication)}`);
    await client.query(createPublicationStatement(twinPublication, tables));
  }
  await captureDdl(client, twin);
  if (route.ddl === 'replicate')
    await client.query(
      `INSERT INTO tidelock.ddl_tables (route, relation, published) SELECT $2, relation, published FROM tidelock.ddl_tables
       WHERE route = $1 ON CONFLICT DO NOTHING`,
      [routeKey(route), routeKey(twin)],
    );
  return await nextTransaction(client);
}

/** The first id that was not given out yet. */
export async function nextTransaction(client: pg.Client): Promise<string> {
  const { rows } = await client.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next');
  return String(rows[0]?.next);
}

/** Every transaction below this id has ended, prepared ones and those of other databases too. */
export async function areEnded(client: pg.Client, next: string): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS yes', [next]);
  return rows[0]?.yes === true;
}

/**
 * The slot may be read meanwhile: the copy is at what it has confirmed, which is never beyond the checkpoint, and what the
 * checkpoint covers is left out by whoever reads the copy.
 */
export async function copyToTwin(client: pg.Client, route: RouteDefinition, twin: RouteDefinition): Promise<void> {
  const from = queueNames(route);
  const to = queueNames(twin);
  if (!from.ownsSlot) return;
  usableSlot(route.name, from.slot, await readSlot(client, from.slot));
  await dropSlot(client, to.slot);
  await client.query(`SELECT pg_copy_logical_replication_slot(${quoteLiteral(from.slot)}, ${quoteLiteral(to.slot)})`);
}

/** Throws where the publications are no longer of the same tables: the route has got a new one meanwhile. */
export async function demandTwin(client: pg.Client, route: RouteDefinition, twin: RouteDefinition): Promise<void> {
  const from = queueNames(route);
  if (!from.ownsPublication) return;
  const [own, made] = [
    await readPublication(client, from.publication),
    await readPublication(client, queueNames(twin).publication),
  ];
  const labels = (tables: typeof own): string => [...(tables?.tables.keys() ?? [])].sort().join();
  if (labels(own) !== labels(made))
    throw fail(routeErrors.renameNotYet, { route: route.name, why: 'its tables have changed meanwhile' });
}
