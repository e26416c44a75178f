import type { SchemaChange } from '../../../src/core/change.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { StoredTable } from '../../../src/core/route-state-store.ts';
import type { Evolution, SchemaStep } from '../../../src/core/schema-step.ts';
import { type TableName, tableLabel, tableOfLabel } from '../../../src/core/table.ts';
import { readTables } from '../catalogue/read-tables.ts';
import { isMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { readSchema } from '../schema/read-schema.ts';
import type { Vendor } from '../schema/table-ddl.ts';
import { evolvingSince, isMissing, raiseCompatible } from '../state/state-schema.ts';
import { inTransaction } from '../state/statements.ts';
import { withSession } from '../with-session.ts';
import { alterStatement } from './alter-statement.ts';
import { openApplySession } from './apply-session.ts';
import { outcomeOf, type Shape } from './evolution-outcome.ts';
import { isLockError } from './refusals.ts';
import { storeTable } from './store-definition.ts';
import type { TargetTransaction } from './target-transaction.ts';

/**
 * Definitions are followed here by a statement that commits by itself, so that a kill may come between it and whatever tells that it was done:
 *
 *   intent stored --> ALTER TABLE --> definition and checkpoint stored, intent deleted
 *
 * The intent says what the table was: whoever starts next compares, and stores the definition where the statement was carried out, which the commands of
 * the source up to it count for then (TableDefinition.toldTo). Where it was not, nothing has happened, and the stream comes to the command again. The server
 * carries the statement out whole or not at all, and a session that is still at it holds the lock without which no other session applies.
 */
export interface EvolveOptions {
  readonly session: MysqlSession;
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly target: TargetTransaction;
}

const lockSeconds = 5;

/** Before the target transaction that stores the definition. Nothing is open. Throws (halt) where the server refuses. */
export async function alterTarget(
  change: SchemaChange & { readonly evolution: Evolution },
  { session, route, routeId, target }: EvolveOptions,
): Promise<void> {
  const { to, at, evolution } = change;
  const { steps, stored } = evolution;
  const table: TableName = { schema: to.schema, name: to.name };
  if (target.open) {
    const why = 'the first row that it comes with is in the middle of a transaction that is applied in parts';
    throw fail(routeErrors.schemaUnproven, { route: route.name, table: tableLabel(table), position: at, why });
  }
  const { tables, left } = await readSchema(session, [table]);
  const [schema] = tables;
  if (schema === undefined) throw fail(targetErrors.tableMissing, { route: route.name, table: tableLabel(table) });
  const vendor = vendorOf(route);
  const statement = alterStatement(table, steps, { schema, left, vendor, route: route.name });
  if (statement === null) return;
  const was = await shapeOf(session, table);
  const place = { route: route.name, table: tableLabel(table) };
  demandUndone(steps, was, place);
  await target.run(async () => {
    await raiseCompatible(session, evolvingSince);
    await deleteIntent(session, routeId, stored.source);
    await session.change(
      'insert into tidelock.evolutions (route_id, source, target, was, steps, outcome) values (?, ?, ?, ?, ?, ?)',
      [routeId, stored.source, tableLabel(table), ...[was, steps, stored].map((part) => JSON.stringify(part))],
    );
  });
  failpoint('evolve.intended');
  await underOwnSettings(session, async () => {
    try {
      await session.batch([statement]);
    } catch (error) {
      if (!isMysqlError(error)) throw error;
      await target.run(() => deleteIntent(session, routeId, stored.source));
      throw refused(error, place, route.to.name);
    }
  });
  failpoint('evolve.altered');
}

function vendorOf({ to }: RouteDefinition): Vendor {
  return to.type === 'mariadb' ? 'mariadb' : 'mysql';
}

/** Others wait behind a statement that waits for its table; and foreign keys keep the columns that they are of. */
async function underOwnSettings(session: MysqlSession, run: () => Promise<void>): Promise<void> {
  const [checks] = await session.query('select @@session.foreign_key_checks');
  await session.query(`set session lock_wait_timeout = ${lockSeconds}, foreign_key_checks = 1`);
  let failed: { readonly error: unknown } | null = null;
  await run().catch((error: unknown) => {
    failed = { error };
  });
  await session.query(`set session lock_wait_timeout = default, foreign_key_checks = ${checks?.[0] === '1' ? 1 : 0}`);
  if (failed !== null) throw (failed as { readonly error: unknown }).error;
}

export async function deleteIntent(session: MysqlSession, routeId: number, source: string): Promise<void> {
  await session.change('delete from tidelock.evolutions where route_id = ? and source = ?', [routeId, source]);
}

async function shapeOf(session: MysqlSession, { schema, name }: TableName): Promise<Shape> {
  const [table] = await readTables(session, (inSchema, named) => inSchema === schema && named === name);
  return (table?.columns ?? []).map((column) => [column.name, column.type, column.default] as const);
}

/** What is there already is somebody's, and its values may be others. */
function demandUndone(steps: readonly SchemaStep[], was: Shape, place: { route: string; table: string }): void {
  const names = new Set(was.map(([name]) => name.toLowerCase()));
  const refuse = (step: SchemaStep, message: string): never => {
    throw fail(targetErrors.evolutionRefused, {
      ...place,
      step: `to ${step.kind} a column`,
      sqlState: '42S21',
      message,
    });
  };
  const free = new Set(names);
  for (const step of steps) {
    if (step.kind === 'drop' && !free.delete(step.column.toLowerCase()))
      refuse(step, `column ${step.column} is not there`);
    if (step.kind === 'rename') {
      if (!free.delete(step.from.toLowerCase())) refuse(step, `column ${step.from} is not there`);
      if (free.has(step.to.toLowerCase())) refuse(step, `column ${step.to} is there already`);
      free.add(step.to.toLowerCase());
    }
    if (step.kind === 'add' && free.has(step.column.name.toLowerCase()))
      refuse(step, `column ${step.column.name} is there already`);
  }
}

/** What became of alterations that were begun and not seen to their end. Under the lease. */
export async function settleEvolutions(route: RouteDefinition, epoch: bigint): Promise<void> {
  const routeId = await withSession(route.to, (session) => idOfBegun(session, route));
  if (routeId === null) return;
  // Not before the session that has begun it is over.
  const { session } = await openApplySession(route, routeId, 'apply');
  try {
    for (const { source, table, was, steps, stored } of await readIntents(session, routeId)) {
      const outcome = outcomeOf(steps, { was, now: await shapeOf(session, table), vendor: vendorOf(route) });
      if (outcome === 'unclear')
        throw fail(targetErrors.evolutionRefused, {
          route: route.name,
          table: tableLabel(table),
          step: 'to follow the source, which was interrupted,',
          sqlState: '42S21',
          message:
            'somebody else has altered the table since: take that back, so that it is as it was before or behind the step',
        });
      await inTransaction(session, async () => {
        const [row] = await session.query('select epoch from tidelock.routes where id = ? lock in share mode', [
          routeId,
        ]);
        if (row?.[0] !== epoch.toString())
          throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
        if (outcome === 'done') await storeTable(session, route, routeId, stored);
        await deleteIntent(session, routeId, source);
      });
    }
  } finally {
    session.close();
  }
}

/** Null where nothing of the route was begun. */
async function idOfBegun(session: MysqlSession, route: RouteDefinition): Promise<number | null> {
  try {
    const [row] = await session.query(
      'select r.id from tidelock.routes r join tidelock.evolutions e on e.route_id = r.id where r.route_key = ? limit 1',
      [routeKey(route)],
    );
    return row === undefined ? null : Number(row[0]);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

interface Intent {
  readonly source: string;
  readonly table: TableName;
  readonly was: Shape;
  readonly steps: readonly SchemaStep[];
  readonly stored: StoredTable;
}

async function readIntents(session: MysqlSession, routeId: number): Promise<readonly Intent[]> {
  const rows = await session.query(
    'select source, target, was, steps, outcome from tidelock.evolutions where route_id = ?',
    [routeId],
  );
  return rows.map(([source, target, was, steps, outcome]) => ({
    source: source ?? '',
    table: tableOfLabel(target ?? '') ?? { schema: '', name: '' },
    was: JSON.parse(was ?? '[]') as Shape,
    steps: JSON.parse(steps ?? '[]') as SchemaStep[],
    stored: JSON.parse(outcome ?? 'null') as StoredTable,
  }));
}

/** ER_TABLEACCESS_DENIED, ER_COLUMNACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED. */
const privilege: ReadonlySet<number> = new Set([1142, 1143, 1227]);
/** Of a statement of ours with a constant in it. */
const quotes: ReadonlySet<number> = new Set([1064, 1067, 1292, 1366]);

function refused(error: unknown, place: { route: string; table: string }, node: string): unknown {
  if (error instanceof TidelockError || !isMysqlError(error) || isLockError(error)) return error;
  const { errno, sqlState } = error;
  if (privilege.has(errno))
    return fail(nodeErrors.privilege, { node, message: `to alter ${place.table}: ${error.message}` }, error);
  // Resources, a server that goes down: as with rows, tried again.
  if (sqlState.startsWith('08') || [1021, 1037, 1041, 1053, 1114, 1290, 1317, 1836, 3024].includes(errno)) return error;
  const isQuoting = quotes.has(errno) || /^(22|23)/.test(sqlState);
  const message = isQuoting ? 'see the server log' : error.message;
  return fail(targetErrors.evolutionRefused, { ...place, step: 'to alter its columns', sqlState, message }, error);
}
