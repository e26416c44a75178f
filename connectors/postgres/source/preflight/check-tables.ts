import type pg from 'pg';
import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../../identifiers.ts';
import { type IdentityIndex, readIdentityIndexes } from '../../node/identity-indexes.ts';
import { serverVersion } from '../../server-version.ts';
import { type CatalogueTable, carried, selectTables } from '../catalogue.ts';
import { identifies } from '../partition-identity.ts';
import { createPublicationStatement, publicationGap, readPublication } from '../publication.ts';
import { queueNames } from '../queue-names.ts';
import { readSlot } from '../slot.ts';
import { isSelected } from '../table-filter.ts';
import { readingRights, sequenceRights } from './check-rights.ts';

type Found = Omit<Finding, 'node'>;

export async function checkTables(
  client: pg.Client,
  route: RouteDefinition,
  catalogue: readonly CatalogueTable[],
): Promise<readonly Finding[]> {
  const chosen = (schema: string, name: string): boolean => isSelected(route, schema, name);
  const tables = selectTables(catalogue, chosen);
  const { number: version } = await serverVersion(client);
  const exact = new Set(route.tables.exact.map(tableLabel));
  const indexes = await readIdentityIndexes(client);
  const { user } = route.from.connection();
  const { ownsPublication } = queueNames(route);
  const isToBeLoaded = await hasNoQueue(client, route);
  const found = [
    ...missing(tables, catalogue, exact),
    ...idleGlobs(route, catalogue),
    ...catalogue
      .filter(
        (entry) =>
          !carried(entry) && wholeOf(entry, tables) === undefined && chosen(entry.table.schema, entry.table.name),
      )
      .map(notCarried),
    ...partsNotCarried(catalogue, tables),
    ...tables.filter(({ kind }) => kind === 'p').map(truncatedAlone),
    ...partIdentities(catalogue, tables),
    ...(await hypertables(client, catalogue, tables)),
    ...tables.flatMap((table) => replicaIdentity(table, { version, index: indexes.get(table.oid) ?? null })),
    ...(ownsPublication ? await notOwned(client, tables, user) : []),
    ...(await published(client, route, tables)),
    ...(isToBeLoaded
      ? await readingRights(client, ownsPublication ? tables.filter(({ owned }) => owned) : tables)
      : []),
    ...(await sequenceRights(client, route, tables)),
  ];
  return found.map((finding) => ({ ...finding, node: route.from.name }));
}

function missing(
  tables: readonly CatalogueTable[],
  catalogue: readonly CatalogueTable[],
  exact: ReadonlySet<string>,
): Found[] {
  const there = new Set(
    [...tables, ...catalogue.filter((entry) => !carried(entry))].map(({ table }) => tableLabel(table)),
  );
  return [...exact]
    .filter((label) => !there.has(label))
    .map((label) => ({
      level: 'error',
      code: 'source.tableMissing',
      table: label,
      message: `table ${label} does not exist, or is a partition of a table of the route`,
      remedy: 'Correct its name in the route, or take it out.',
    }));
}

function wholeOf({ ancestors }: CatalogueTable, tables: readonly CatalogueTable[]): CatalogueTable | undefined {
  return ancestors.length === 0 ? undefined : tables.find(({ oid }) => ancestors.includes(oid));
}

/** Of a partitioned table of the route: its rows would be loaded, and then never change. */
function partsNotCarried(catalogue: readonly CatalogueTable[], tables: readonly CatalogueTable[]): Found[] {
  return catalogue.flatMap((entry) => {
    const whole = carried(entry) ? undefined : wholeOf(entry, tables);
    return whole === undefined ? [] : [partNotCarried(entry, tableLabel(whole.table))];
  });
}

function partNotCarried({ table, kind }: CatalogueTable, whole: string): Found {
  const label = tableLabel(table);
  return {
    level: 'error',
    code: 'source.partitionNotCarried',
    table: label,
    whole,
    message: `${label} is ${kind === 'f' ? 'a foreign table' : 'an unlogged table'} and a partition of a table of the route: its changes are not in the WAL`,
    remedy: 'Detach it, make it an ordinary table, or name the other partitions in the route and leave the whole out.',
    ...(kind !== 'f' && { statement: `ALTER TABLE ${quoteTable(table)} SET LOGGED;` }),
  };
}

/**
 * The old row is logged by the identity of the partition that holds it, and described by that of the whole: they have to
 * be one. ALTER TABLE ... REPLICA IDENTITY does not reach the partitions.
 */
function partIdentities(catalogue: readonly CatalogueTable[], tables: readonly CatalogueTable[]): Found[] {
  const wholes = new Map(tables.filter(({ kind }) => kind === 'p').map((table) => [table.oid, table]));
  return catalogue.flatMap((part) => {
    const whole = part.ancestors.map((oid) => wholes.get(oid)).find((found) => found !== undefined);
    if (whole === undefined || part.kind !== 'r' || identifies(part.table, whole.table)) return [];
    const label = tableLabel(part.table);
    return [
      {
        level: 'error',
        code: 'source.partitionIdentity',
        table: label,
        whole: tableLabel(whole.table),
        message: `${label} has another replica identity than ${tableLabel(whole.table)}, which it is a partition of: its old rows could not be read`,
        remedy: 'Give the partition the identity of the whole; the server does not do it by itself.',
        ...(whole.table.identity !== 'index' && {
          statement: identityStatement(part.table, whole.table.identity.toUpperCase()),
        }),
      },
    ];
  });
}

/** Of TimescaleDB: rows are logged under the names of their chunks, which come by themselves. The table itself would look empty, and complete. */
async function hypertables(
  client: pg.Client,
  catalogue: readonly CatalogueTable[],
  tables: readonly CatalogueTable[],
): Promise<Found[]> {
  const isThere = catalogue.some(({ table }) => tableLabel(table) === '_timescaledb_catalog.hypertable');
  if (!isThere) return [];
  const { rows } = await client.query<{ schema: string; name: string }>(
    'SELECT schema_name::text AS schema, table_name::text AS name FROM _timescaledb_catalog.hypertable',
  );
  const labels = new Set(rows.map(tableLabel));
  return tables.flatMap(({ table }) => {
    const label = tableLabel(table);
    if (!labels.has(label)) return [];
    return [
      {
        level: 'error',
        code: 'source.hypertable',
        table: label,
        message: `${label} is a hypertable of TimescaleDB: its rows are in chunks, and are logged under the names of these and not under its own`,
        remedy: 'Exclude it from the route.',
      },
    ];
  });
}

/** PostgreSQL's publications leave it out where partitions are published under the name of the whole. */
function truncatedAlone({ table }: CatalogueTable): Found {
  const label = tableLabel(table);
  return {
    level: 'warning',
    code: 'source.partitionTruncate',
    table: label,
    message: `${label} is partitioned: PostgreSQL does not publish the TRUNCATE of one of its partitions by itself`,
    remedy:
      'Delete the rows, truncate the whole, or name the partitions in the route and leave the whole out: then each is truncated.',
  };
}

const kinds: Readonly<Record<string, string>> = { f: 'a foreign table', v: 'a view', m: 'a materialised view' };

function notCarried({ table, kind, persistence }: CatalogueTable): Found {
  const what = kinds[kind] ?? (persistence === 'u' ? 'an unlogged table' : 'a temporary table');
  return {
    // A glob matches views by accident; that such a thing is left out is said, and keeps nothing from running.
    level: 'warning',
    code: 'source.notCarried',
    table: tableLabel(table),
    message: `${tableLabel(table)} is ${what}: its changes are not in the WAL and are not carried`,
    remedy: persistence === 'u' ? 'Make it a logged table, or exclude it.' : 'Exclude it from the route.',
    ...(persistence === 'u' && { statement: `ALTER TABLE ${quoteTable(table)} SET LOGGED;` }),
  };
}

/** The server itself refuses updates and deletes of a published table whose old rows can't be told apart. */
function replicaIdentity(
  { table, generatedKey }: CatalogueTable,
  { version, index }: { readonly version: number; readonly index: IdentityIndex | null },
): Found[] {
  const why = unidentified(table, generatedKey, version);
  if (why === null) return [];
  const label = tableLabel(table);
  const refused = {
    level: 'error',
    code: 'source.replicaIdentity',
    table: label,
    message: `${label} ${why}: once it is published its updates and deletes fail`,
  } as const;
  // From 18 on the server wants generated columns to be published where they are part of the old row.
  const hasGenerated = version >= 180_000 && table.generated !== undefined;
  if (index !== null) {
    const columns = index.columns.map(quoteIdentifier).join(', ');
    const remedy = `Let its unique index over ${columns} identify its rows.`;
    return [{ ...refused, remedy, statement: identityStatement(table, `USING INDEX ${quoteIdentifier(index.index)}`) }];
  }
  if (table.identity === 'full')
    return [{ ...refused, remedy: 'Let a key identify its rows.', statement: identityStatement(table, 'DEFAULT') }];
  if (hasGenerated) return [{ ...refused, remedy: 'Give it a key that has no generated column.' }];
  const remedy = 'Give it a primary key, or let the whole old row be logged.';
  return [{ ...refused, remedy, statement: identityStatement(table, 'FULL') }];
}

function identityStatement(table: TableVersion, identity: string): string {
  return `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${identity};`;
}

/** Null where every old row that is logged can be told from the others. */
function unidentified(table: TableVersion, generatedKey: boolean, version: number): string | null {
  if (table.identity === 'nothing') return 'has replica identity NOTHING';
  if (table.identity === 'full')
    return version >= 180_000 && table.generated !== undefined
      ? 'has replica identity FULL and generated columns'
      : null;
  if (generatedKey) return 'has a generated column in its key';
  return table.columns.some(({ key }) => key) ? null : 'has no key that identifies its rows';
}

/** Needs neither ownership nor a right on the database, and is found out from there step by step. */
const givenPublication =
  'name a publication of your own in the route (`publication: NAME`): "tidelock check" then prints the statement that makes it, which an administrator runs';

async function notOwned(client: pg.Client, tables: readonly CatalogueTable[], user: string): Promise<Found[]> {
  const foreign = tables.filter(({ owned }) => !owned);
  if (foreign.length === 0) return [];
  const { rows } = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles WHERE rolsuper');
  const superusers = new Set(rows.map(({ name }) => name));
  return foreign.map(({ table, owner }) => ({
    level: 'error',
    code: 'source.tableOwner',
    table: tableLabel(table),
    message: `${tableLabel(table)} belongs to ${quoteIdentifier(owner)}, and user ${quoteIdentifier(user)} is no member of that role, so it cannot publish the table`,
    // Nobody should run a statement unread that makes a superuser of the engine's user.
    ...(superusers.has(owner)
      ? {
          remedy: `Give the table another owner, of which the user is a member (a member of ${quoteIdentifier(owner)} would be as good as a superuser), or ${givenPublication}.`,
        }
      : {
          remedy: `Make the user a member of the owning role, or ${givenPublication}.`,
          statement: `GRANT ${quoteIdentifier(owner)} TO ${quoteIdentifier(user)};`,
        }),
  }));
}

/** A typing error in a glob would else look like a route that runs and has nothing to do. */
function idleGlobs(route: RouteDefinition, catalogue: readonly CatalogueTable[]): Found[] {
  return route.tables.globs
    .filter((glob) => !catalogue.some(({ table }) => glob.matches(table.schema, table.name)))
    .map(({ text }) => ({
      level: 'warning',
      code: 'source.nothingMatches',
      message: `no table matches ${text}`,
      remedy: 'Correct the schema or the name under `tables`, where that is not meant.',
    }));
}

async function published(
  client: pg.Client,
  route: RouteDefinition,
  tables: readonly CatalogueTable[],
): Promise<Found[]> {
  const { publication: name, ownsSlot, ownsPublication } = queueNames(route);
  const publication = await readPublication(client, name);
  if (publication === null)
    return ownsPublication
      ? []
      : [
          {
            level: 'error',
            code: 'source.givenPublication',
            message: `publication ${quoteIdentifier(name)} does not exist`,
            remedy: `Make it${ownsSlot ? '' : ', before its slot'}.`,
            statement: `${createPublicationStatement(name, tables)};`,
          },
        ];
  const gap = publicationGap(name, publication, tables);
  if (gap === null) return [];
  return [
    {
      // A route that has not started yet makes its own publication anew.
      level: ownsPublication ? 'warning' : 'error',
      code: 'source.publication',
      message: `publication ${quoteIdentifier(name)}: ${gap.why}`,
      remedy: 'Tables made since the route was started are not replicated until they are loaded and published.',
      statement: gap.statement,
      unpublished: gap.tables,
    },
  ];
}

/** A route without a queue is about to be loaded. */
async function hasNoQueue(client: pg.Client, route: RouteDefinition): Promise<boolean> {
  const { slot, ownsSlot } = queueNames(route);
  const there = await readSlot(client, slot);
  // One of another database that has the same name is not this route's: it has not loaded yet.
  return route.load.mode === 'initial' && ownsSlot && (there === null || there.unsuitable !== null);
}
