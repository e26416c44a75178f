import type pg from 'pg';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { demandUnawaited } from './awaited-commits.ts';
import { commandTrigger } from './capture-name.ts';
import { type CatalogueTable, readCatalogue, selectTables } from './catalogue.ts';
import { captureDdl } from './ddl-capture.ts';
import { createPublicationStatement } from './publication.ts';
import { lockQueue } from './queue-lock.ts';
import { queueNames } from './queue-names.ts';
import { beginInSnapshot, PostgresSnapshot } from './queue-snapshot.ts';
import { connectReplication } from './replication-client.ts';
import { queuePurpose, withSide } from './sessions.ts';
import { dropSlot, readSlot, usableSlot } from './slot.ts';
import { readSystemIdentity } from './system-identity.ts';
import { readTableFacts } from './table-facts.ts';
import { isSelected } from './table-filter.ts';

/**
 * Publication first, then the slot: the server decodes each change with the catalogue of its time, and a publication
 * that is younger than the slot does not exist for the slot's first changes.
 */
export async function createQueue(
  route: RouteDefinition,
  signal: AbortSignal,
  confirm: () => Promise<void>,
): Promise<PostgresSnapshot> {
  const { slot, publication, ownsSlot, ownsPublication } = queueNames(route);
  if (!ownsSlot) throw fail(sourceErrors.queueGiven, { route: route.name, slot, publication });
  failpoint('slot.before');
  await using _ = await lockQueue(route);
  await withSide(route, queuePurpose, async (client) => {
    await confirm();
    await captureDdl(client, route);
    await dropSlot(client, slot);
    const other = await readSlot(client, slot);
    if (other !== null) usableSlot(route.name, slot, other);
    if (!ownsPublication) return;
    await client.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publication)}`);
    await createPublication(client, route);
  });
  const exporter = await connectReplication(route, queuePurpose);
  try {
    await confirm();
    const { identity } = await readSystemIdentity(exporter);
    const created = await createSlot(exporter, { route, name: slot, signal });
    failpoint('slot.created');
    return new PostgresSnapshot({
      route,
      position: formatLsn(parseLsn(created.position)),
      source: identity,
      snapshot: created.snapshot,
      exporter,
      ...(await tablesIn(route, created.snapshot)),
    });
  } catch (error) {
    exporter.connection.stream.destroy();
    await exporter.end().catch(() => {});
    throw error;
  }
}

/** Of the tables that the route means. Throws where one that it names is not there. */
export async function createPublication(client: pg.Client, route: RouteDefinition): Promise<void> {
  const tables = await routeTables(client, route);
  const selected = new Set(tables.map(({ table }) => tableLabel(table)));
  for (const exact of route.tables.exact)
    if (!selected.has(tableLabel(exact)))
      throw fail(sourceErrors.tableMissing, { route: route.name, table: tableLabel(exact) });
  await client.query(createPublicationStatement(queueNames(route).publication, tables));
}

export async function routeTables(client: pg.Client, route: RouteDefinition): Promise<readonly CatalogueTable[]> {
  return selectTables(await readCatalogue(client), (schema, name) => isSelected(route, schema, name));
}

/** Waits for every transaction that was open when it began; an abort ends the waiting server process. */
export async function createSlot(
  exporter: pg.Client,
  {
    route,
    name,
    temporary,
    signal,
  }: { route: RouteDefinition; name: string; temporary?: boolean; signal: AbortSignal },
) {
  const pid = (await exporter.query('SELECT pg_backend_pid()::int4 AS pid')).rows[0]?.pid;
  const abort = (): void => {
    withSide(route, 'setup', (client) => client.query('SELECT pg_terminate_backend($1)', [pid])).catch(() => {});
  };
  signal.addEventListener('abort', abort);
  const over = new AbortController();
  let awaited: { readonly error: unknown } | null = null;
  const watching = demandUnawaited(route, pid, over.signal).catch((error: unknown) => {
    // What can't be looked at is made all the same.
    if (!(error instanceof TidelockError && error.code === sourceErrors.queueAwaited.code)) return;
    awaited = { error };
    abort();
  });
  try {
    signal.throwIfAborted();
    // The older of the two forms, which all versions understand.
    const { rows } = await exporter.query(
      `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} ${temporary ? 'TEMPORARY ' : ''}LOGICAL pgoutput EXPORT_SNAPSHOT`,
    );
    return { position: String(rows[0]?.consistent_point), snapshot: String(rows[0]?.snapshot_name) };
  } catch (error) {
    throw awaited === null ? error : (awaited as { readonly error: unknown }).error;
  } finally {
    signal.removeEventListener('abort', abort);
    over.abort();
    await watching;
  }
}

export function tablesIn(route: RouteDefinition, snapshot: string) {
  return withSide(route, 'load', async (client) => {
    await beginInSnapshot(client, route, snapshot);
    const tables = await routeTables(client, route);
    const facts = await readTableFacts(
      client,
      tables.map(({ table }) => table),
      commandTrigger(route),
    );
    return { tables, facts };
  });
}
