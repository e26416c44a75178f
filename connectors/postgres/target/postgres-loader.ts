import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Row } from '../../../src/core/cell.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { RouteDescription } from '../../../src/core/route-description.ts';
import type { SourceIdentity, StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { Loader, LoaderOptions } from '../../../src/core/target.ts';
import type { Hop } from '../../../src/core/transaction.ts';
import { classifyPostgresError, isPostgresError, type PostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { registerTables, storeApplied, storeChange, storeLoadedTo } from '../state/registered-tables.ts';
import { takeCheckpoint } from '../state/take-checkpoint.ts';
import { applicationName, setReplicaRole } from './apply-connection.ts';
import { isOfTheChange } from './careful-apply.ts';
import { copyText } from './copy-text.ts';
import { LoadApply } from './load-apply.ts';
import { originMarker } from './origin-marker.ts';
import { whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';

export interface PostgresLoaderOptions extends LoaderOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly routeKey: string;
}

/**
 * All tables and the first checkpoint in one transaction: whatever interrupts it, the target is as it was before.
 * Tables come parents first; each is one COPY, at whose end its foreign keys are checked.
 */
export async function openLoader(options: PostgresLoaderOptions): Promise<Loader> {
  const { route, routeId, routeKey } = options;
  const node = route.to.name;
  const client = await connectPostgres(route.to, { applicationName: applicationName(routeId, routeKey, 'apply') });
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw classifyPostgresError(error, node);
    }
  };
  const replicaRole = await guarded(() => begin(client, options));
  const plans = new TablePlans({ route, replicaRole });
  const sorted = new Set<TableVersion>();
  return {
    sort: (tables) =>
      guarded(async () => {
        await plans.add(client, tables);
        for (const table of tables) sorted.add(table);
        return plans.parentsFirst(tables.map((table) => plans.get(table))).map((plan) => plan.source);
      }),
    empty: (tables) =>
      guarded(async () => {
        const emptied = tables.map((table) => plans.get(table));
        const { position } = options;
        await emptyTables(client, route, { emptied: plans.parentsFirst(emptied).toReversed(), replicaRole, position });
      }),
    load: (table, batches) =>
      guarded(async () => {
        if (!sorted.has(table)) await plans.add(client, [table]);
        return loadTable({ client, route, plan: plans.get(table), replicaRole, position: options.position }, batches);
      }),
    begin: (loads) =>
      guarded(() => new LoadApply({ client, route, routeId, plans, replicaRole }).beginAll(loads, true)),
    beginAnew: (loads) =>
      guarded(async () => {
        await new LoadApply({ client, route, routeId, plans, replicaRole }).beginAnew(loads);
        await storeLoadedTo(
          client,
          routeId,
          loads.map(({ load }) => load.source),
          options.position,
        );
        await takeCheckpoint(client, routeId);
        await end(client);
      }),
    commit: (source, position, applied) => guarded(() => commit(client, routeId, { source, position, applied })),
    commitTables: (tables) => guarded(() => commitTables(client, route, routeId, tables)),
    commitChange: (change) => guarded(() => commitChange(client, route, routeId, change)),
    abort: async () => {
      client.connection.stream.destroy();
    },
  };
}

/** Returns whether the session has the replica role. */
async function begin(client: pg.Client, options: PostgresLoaderOptions): Promise<boolean> {
  const { route, routeId, epoch, sourceNode, position } = options;
  const replicaRole = await setReplicaRole(client);
  await client.query('begin');
  const { rows } = await client.query<{ epoch: string }>(
    'select epoch::text from tidelock.routes where id = $1 for update',
    [routeId],
  );
  if (rows[0]?.epoch !== epoch.toString()) {
    throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
  }
  const hop: Hop = { node: sourceNode, position, committedAtMs: Date.now() };
  await client.query(`select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`, [originMarker([hop])]);
  await client.query('set constraints all deferred');
  return replicaRole;
}

interface TableLoad {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly plan: TablePlan;
  readonly replicaRole: boolean;
  readonly position: Position;
}

async function loadTable(load: TableLoad, batches: AsyncIterable<readonly Row[]>): Promise<number> {
  const { client, route, plan, replicaRole } = load;
  const { relation, target } = plan;
  const { rows } = await client.query(`select from ${relation}${whereShared(plan)} limit 1`).catch(told(load));
  if (rows.length > 0) throw fail(targetErrors.targetNotEmpty, { route: route.name, table: plan.label });
  // Under the replica role nothing would recheck a deferrable unique constraint that the source has not.
  const isOrdinary = target.hasDeferrableUnique && replicaRole;
  if (isOrdinary) await client.query('set local session_replication_role = origin');
  const count = await copyRows(load, batches);
  if (isOrdinary) await client.query('set local session_replication_role = replica');
  failpoint('load.copied');
  return count;
}

interface Emptying {
  /** In this order. */
  readonly emptied: readonly TablePlan[];
  readonly replicaRole: boolean;
  readonly position: Position;
}

async function emptyTables(
  client: pg.Client,
  route: RouteDefinition,
  { emptied, replicaRole, position }: Emptying,
): Promise<void> {
  const oids = emptied.map(({ target }) => target.oid);
  // Under the replica role no foreign key acts.
  if (!replicaRole) {
    const { rows } = await client.query<{ at: number; other: string }>(
      `select array_position($1::oid[], confrelid) as at, conrelid::regclass::text as other from pg_constraint
       where contype = 'f' and confrelid = any ($1::oid[]) and confdeltype in ('c', 'n', 'd') and conrelid <> all ($1::oid[]) limit 1`,
      [oids],
    );
    const table = emptied[(rows[0]?.at ?? 0) - 1]?.label;
    if (rows[0] && table !== undefined)
      throw fail(targetErrors.emptyingCascades, { route: route.name, table, other: rows[0].other });
  }
  // Not TRUNCATE: it would need every table that points here, and readers would find the table locked until the end.
  for (const plan of emptied)
    await client.query(`delete from ${plan.relation}${whereShared(plan)}`).catch(told({ route, plan, position }));
}

/** Returns the number of rows. A table without any costs no COPY: among thousands most may be empty. */
async function copyRows(load: TableLoad, batches: AsyncIterable<readonly Row[]>): Promise<number> {
  const { client, plan } = load;
  let count = 0;
  const counted = async function* (): AsyncGenerator<readonly Row[]> {
    for await (const rows of batches) {
      count += rows.length;
      yield rows;
    }
  };
  const rest = counted();
  try {
    const first = await rest.next();
    if (first.done) return 0;
    const columns = plan.source.columns.map((column) => quoteIdentifier(column.name)).join(', ');
    // COPY has no way to name no column.
    if (columns === '') {
      for await (const _ of rest);
      await client.query(`insert into ${quoteTable(plan.target)} select from generate_series(1, $1)`, [count]);
      return count;
    }
    const texts = async function* (): AsyncGenerator<string> {
      yield copyText(first.value);
      for await (const rows of rest) yield copyText(rows);
    };
    const copy = client.query(copyFrom(`copy ${quoteTable(plan.target)} (${columns}) from stdin`));
    await pipeline(Readable.from(texts(), { objectMode: true, highWaterMark: 1 }), copy);
    if (copy.rowCount !== count) throw keptAway(load, { given: count, there: copy.rowCount });
    return count;
  } catch (error) {
    return told(load, ofConstraints)(error);
  } finally {
    await rest.return(undefined);
  }
}

type LoadedTable = Pick<TableLoad, 'route' | 'plan' | 'position'>;

/** What the server says of these holds names alone: of constraints always, of definitions where no row is read, since a row's value may name something, too. */
const ofConstraints = /^23/;
const ofDefinitions = /^(?:23|42)/;

/** Throws what the server says of a table with the table's name. */
function told(load: LoadedTable, tellable = ofDefinitions): (error: unknown) => never {
  return (error) => {
    throw isPostgresError(error) && isOfTheChange(error.code) ? refused(error, load, tellable) : error;
  };
}

/** By a trigger, which is allowed by name or was made since the plan was. */
function keptAway({ route, plan, position }: LoadedTable, rows: { given: number; there: number }): TidelockError {
  const message = `${rows.given} rows were given and ${rows.there} have come: a trigger or a rule keeps rows away`;
  const place = { route: route.name, table: plan.label, column: 'a row', position };
  return fail(targetErrors.loadRefused, { ...place, sqlState: '21000', message });
}

function refused(error: PostgresError, { route, plan, position }: LoadedTable, tellable: RegExp): TidelockError {
  const { code: sqlState } = error;
  const message = tellable.test(sqlState) ? error.message : 'see the server log';
  const place = { route: route.name, table: plan.label, column: columnOf(error, plan), position };
  return fail(targetErrors.loadRefused, { ...place, sqlState, message }, error);
}

/** The server names it in the context of the error, which also holds the value: only a known name is taken from it. */
function columnOf(error: PostgresError, plan: TablePlan): string {
  const where = error.where ?? '';
  const prefix = `COPY ${plan.target.name}, line `;
  const rest = where.startsWith(prefix) ? where.slice(prefix.length).replace(/^[0-9]+, column /, '') : '';
  const named = plan.source.columns.filter(({ name }) => rest.startsWith(`${name}:`) || rest.startsWith(`${name},`));
  const longest = named.toSorted((a, b) => b.name.length - a.name.length)[0];
  return longest?.name ?? error.column ?? 'a column';
}

interface FirstCheckpoint {
  readonly source: SourceIdentity;
  readonly position: Position;
  readonly applied: RouteDescription;
}

async function commit(
  client: pg.Client,
  routeId: number,
  { source, position, applied }: FirstCheckpoint,
): Promise<void> {
  await client.query(
    `insert into tidelock.checkpoints (route_id, sequence, position)
     select $1, coalesce(max(sequence), 0) + 1, $2 from tidelock.checkpoints where route_id = $1`,
    [routeId, position],
  );
  await client.query(`update tidelock.routes set phase = 'ready', source = $2 where id = $1`, [
    routeId,
    JSON.stringify(source),
  ]);
  await storeApplied(client, routeId, { applied });
  await end(client);
}

async function commitTables(
  client: pg.Client,
  route: RouteDefinition,
  routeId: number,
  tables: readonly StoredTable[],
): Promise<void> {
  await registerTables(client, route, routeId, tables);
  await takeCheckpoint(client, routeId);
  failpoint('tables.loaded');
  await end(client);
}

async function commitChange(
  client: pg.Client,
  route: RouteDefinition,
  routeId: number,
  change: TablesChange,
): Promise<void> {
  await storeChange(client, route, routeId, change);
  await takeCheckpoint(client, routeId);
  failpoint('tables.loaded');
  await end(client);
}

async function end(client: pg.Client): Promise<void> {
  const { command } = await client.query('commit');
  if (command !== 'COMMIT') throw new Error('the load was rolled back');
  failpoint('load.answerLost');
  await client.end();
}
