import type pg from 'pg';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { pause } from '../../../src/core/pause.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { PublishedTables } from '../../../src/core/source.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { formatLsn, parseLsn } from '../lsn.ts';
import { commandTrigger } from './capture-name.ts';
import type { CatalogueTable } from './catalogue.ts';
import { routeTables } from './create-queue.ts';
import { addToPublicationStatement, readPublication, touchPublicationStatement } from './publication.ts';
import { queueNames } from './queue-names.ts';
import { readKey } from './read-key.ts';
import { connectSide, type Queryable } from './sessions.ts';
import { isAwaited } from './standby-names.ts';
import { readTableFacts } from './table-facts.ts';
import { areEnded, nextTransaction } from './twin-queue.ts';

const lookAgainMs = 100;
/** Somebody may want to know why a table does not come. */
const tellAfterMs = 2_000;
/** A session that waits longer for a table would hold up those that want it after the command that it waits for. */
export const lockMs = 2_000;
export const lockNotAvailable = '55P03';

export interface PublishOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** They are in the publication, unless one was locked, and whoever asks knows which of them have keys. */
  readonly entered: boolean;
}

/**
 * Publication first; then every transaction has to end that was open by then, since what it did before is not published: with synchronous
 * commit some of them wait for the route, which streams meanwhile. What they did is decoded with the catalogue of their time, after which a
 * walsender may go on for long to take the table for one that is not published (servers before 14.18, 15.13, 16.9 and 17.5): the publication is
 * touched once more when they are over, which makes it look again.
 *
 * The lock keeps commands that alter a table out of the way, and is only given when those before are over: the facts are those of the position.
 */
export async function publishTables(
  route: RouteDefinition,
  wanted: readonly TableVersion[],
  { logger, signal, entered }: PublishOptions,
): Promise<PublishedTables> {
  const labels = new Set(wanted.map(tableLabel));
  const isWanted = ({ table }: CatalogueTable): boolean => labels.has(tableLabel(table));
  const client = await connectSide(route.from, route, 'publish');
  const abort = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const there = (await routeTables(client, route)).filter(isWanted);
    const waitsForRoute = await isAwaited(client, route);
    if (!entered && waitsForRoute) await demandKeys(client, route, there);
    await publish(client, route, there);
    if (!entered) failpoint('tables.published');
    let told = false;
    const onLong = (): void => {
      if (!told)
        logger.info(
          { tables: [...labels] },
          'new tables wait until transactions that are open at the source have ended',
        );
      told = true;
    };
    await untilOver(client, { signal, onLong });
    const { publication, ownsPublication } = queueNames(route);
    if (ownsPublication) await client.query(touchPublicationStatement(publication));
    const published = await asTheyAre(client, route, { isWanted, signal });
    // What is left out of the stream, since it was committed before the position, is to be in whatever is read from now on.
    await untilOver(client, { signal, onLong });
    return { ...published, isSynchronous: waitsForRoute };
  } finally {
    signal.removeEventListener('abort', abort);
    abort();
    await client.end().catch(() => {});
  }
}

/** Until every transaction has ended that is open now. */
async function untilOver(
  client: pg.Client,
  { signal, onLong }: { readonly signal: AbortSignal; onLong(): void },
): Promise<void> {
  const next = await nextTransaction(client);
  const beganMs = performance.now();
  while (!(await areEnded(client, next))) {
    if (performance.now() - beganMs > tellAfterMs) onLong();
    await pause(lookAgainMs, signal);
    signal.throwIfAborted();
  }
}

/** A table without a key is copied while the route does not stream, from a slot that waits for open transactions: those would wait for the route. */
async function demandKeys(client: pg.Client, route: RouteDefinition, tables: readonly CatalogueTable[]): Promise<void> {
  for (const { table } of tables) {
    if ((await readKey(client, table)) !== null) continue;
    const why =
      'it has no key by which it can be loaded beside the stream, and COMMITs at the source wait for this route';
    const statement = `ALTER TABLE ${quoteTable(table)} ADD PRIMARY KEY (the columns that tell its rows apart);`;
    throw fail(sourceErrors.newTableUnfit, { route: route.name, table: tableLabel(table), why, statement });
  }
}

interface Wanted {
  isWanted(table: CatalogueTable): boolean;
  readonly signal: AbortSignal;
}

async function asTheyAre(
  client: pg.Client,
  route: RouteDefinition,
  { isWanted, signal }: Wanted,
): Promise<Omit<PublishedTables, 'isSynchronous'>> {
  for (;;) {
    const there = (await routeTables(client, route)).filter(isWanted);
    await client.query('BEGIN');
    try {
      await client.query(`SET LOCAL lock_timeout = ${lockMs}`);
      const list = there.map(({ table }) => `ONLY ${quoteTable(table)}`).join(', ');
      if (there.length > 0) await client.query(`LOCK TABLE ${list} IN ACCESS SHARE MODE`);
      const { rows } = await client.query('SELECT pg_current_wal_insert_lsn()::text AS position');
      const tables = (await routeTables(client, route)).filter(isWanted).map(({ table }) => table);
      const facts = await readTableFacts(client, tables, commandTrigger(route));
      await client.query('COMMIT');
      return { position: formatLsn(parseLsn(String(rows[0]?.position))), tables, facts };
    } catch (error) {
      await client.query('ROLLBACK');
      // Somebody alters one, or has dropped or renamed it: undefined_table.
      if (![lockNotAvailable, '42P01'].includes(sqlState(error) ?? '')) throw error;
      await pause(lookAgainMs, signal);
      signal.throwIfAborted();
    }
  }
}

/**
 * While the route does not stream. Who holds a lock that this needs may be at a COMMIT that waits for the route: then it is left to
 * `publishTables`. Returns whether they are published.
 */
export async function enterTables(
  client: Queryable,
  route: RouteDefinition,
  tables: readonly CatalogueTable[],
): Promise<boolean> {
  try {
    await client.query(`SET lock_timeout = ${lockMs}`);
    await publish(client, route, tables);
    return true;
  } catch (error) {
    if (sqlState(error) !== lockNotAvailable) throw error;
    return false;
  }
}

/** Those that are not published yet. */
export async function publish(
  client: Queryable,
  route: RouteDefinition,
  tables: readonly CatalogueTable[],
): Promise<void> {
  for (const { table, owned } of tables) {
    const place = { route: route.name, table: tableLabel(table) };
    if (!table.columns.some(({ key }) => key)) {
      const statement = `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL;`;
      throw fail(sourceErrors.newTableUnfit, { ...place, why: 'it has no key that identifies its rows', statement });
    }
    if (!owned && queueNames(route).ownsPublication) {
      const statement = `GRANT owner_of_the_table TO ${quoteIdentifier(route.from.connection().user)};`;
      throw fail(sourceErrors.newTableUnfit, { ...place, why: "Tidelock's user does not own it", statement });
    }
  }
  const { publication: name, ownsPublication } = queueNames(route);
  const publication = await readPublication(client, name);
  const missing = tables.filter(({ table }) => publication?.tables.has(tableLabel(table)) === false);
  const [first] = missing;
  if (first === undefined) return;
  const statement = addToPublicationStatement(name, missing);
  if (!ownsPublication) {
    const place = { route: route.name, table: tableLabel(first.table) };
    throw fail(sourceErrors.newTableUnfit, { ...place, why: 'the given publication does not contain it', statement });
  }
  await client.query(statement);
}
