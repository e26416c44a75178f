import type { Row } from '../../../src/core/cell.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { Loader, LoaderOptions } from '../../../src/core/target.ts';
import { classifyMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { storeFirstCheckpoint } from '../state/first-checkpoint.ts';
import { registerTables, storeApplied, storeChange } from '../state/registered-tables.ts';
import { takeCheckpoint } from '../state/take-checkpoint.ts';
import { type ApplySession, openApplySession } from './apply-session.ts';
import { demandParents } from './demand-parents.ts';
import { Flights, longestStatement } from './flights.ts';
import { LoadApply } from './load-apply.ts';
import { originSignal } from './origin-signal.ts';
import { isOfTheChange } from './refusals.ts';
import { insertRows } from './set-apply.ts';
import { whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import { TablePlans } from './table-plans.ts';
import { refusalText } from './target-transaction.ts';
import { ValueRefusal } from './value-refusal.ts';

export interface MysqlLoaderOptions extends LoaderOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
}

/** Rows of one INSERT: more of them save little, and are in memory three times. */
const statementBytes = 1_000_000;

/** All tables and the first checkpoint in one transaction: whatever interrupts it, the target is as it was before. Tables come parents first. */
export async function openLoader(options: MysqlLoaderOptions): Promise<Loader> {
  const { route, routeId, epoch, sourceNode, position } = options;
  const node = route.to.name;
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      throw classifyMysqlError(error, node);
    }
  };
  const apply = await guarded(() => openApplySession(route, routeId, 'load'));
  const { session } = apply;
  const begin = async (): Promise<void> => {
    await session.query('start transaction');
    const [row] = await session.query('select epoch from tidelock.routes where id = ? for update', [routeId]);
    if (row?.[0] !== epoch.toString()) throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
    const hop = { node: sourceNode, position, committedAtMs: Date.now() };
    await session.batch([originSignal(routeKey(route), [hop], BigInt(Date.now()))]);
  };
  try {
    await guarded(begin);
  } catch (error) {
    session.close();
    throw error;
  }
  const plans = new TablePlans(route, apply.foreignKeysAct);
  const sorted = new Set<TableVersion>();
  const loaded: TablePlan[] = [];
  const end = async (): Promise<void> => {
    if (apply.foreignKeysAct) await demandParents(session, { route: route.name, position }, loaded);
    await session.query('commit');
    failpoint('load.answerLost');
    session.close();
  };
  return {
    sort: (tables) =>
      guarded(async () => {
        await plans.add(session, tables);
        for (const table of tables) sorted.add(table);
        return plans.parentsFirst(tables.map((table) => plans.get(table))).map((plan) => plan.source);
      }),
    empty: (tables) =>
      guarded(async () => {
        const emptied = plans.parentsFirst(tables.map((table) => plans.get(table))).toReversed();
        if (apply.foreignKeysAct) await demandNoCascades(session, route, emptied);
        // Not TRUNCATE, which would commit.
        for (const { target, share } of emptied)
          await session.query(`delete from ${quoteTable(target)}${whereShared(share)}`);
      }),
    load: (table, batches) =>
      guarded(async () => {
        if (!sorted.has(table)) await plans.add(session, [table]);
        // A row may point to one that comes later, of its own table or of one in a cycle: whether all are there is looked at in the end.
        await session.query('set foreign_key_checks = 0');
        loaded.push(plans.get(table));
        return await loadTable({ apply, plan: plans.get(table), route: route.name, position }, batches);
      }),
    begin: (loads) =>
      guarded(async () => {
        if (loads.length === 0) return;
        const { foreignKeysAct } = apply;
        await new LoadApply({ session, route, routeId, plans, foreignKeysAct }).begin(loads, true);
      }),
    commit: (source, at, applied) =>
      guarded(async () => {
        await storeFirstCheckpoint(session, routeId, at);
        await session.change(`update tidelock.routes set phase = 'ready', source = ? where id = ?`, [
          JSON.stringify(source),
          routeId,
        ]);
        await storeApplied(session, routeId, { applied });
        await end();
      }),
    commitTables: (tables) =>
      guarded(async () => {
        await registerTables(session, route.name, routeId, tables);
        await takeCheckpoint(session, routeId);
        failpoint('tables.loaded');
        await end();
      }),
    commitChange: (change) =>
      guarded(async () => {
        await storeChange(session, route.name, routeId, change);
        await takeCheckpoint(session, routeId);
        failpoint('tables.loaded');
        await end();
      }),
    abort: async () => session.close(),
  };
}

interface TableLoad {
  readonly apply: ApplySession;
  readonly plan: TablePlan;
  readonly route: string;
  readonly position: string;
}

async function loadTable(
  { apply, plan, route, position }: TableLoad,
  batches: AsyncIterable<readonly Row[]>,
): Promise<number> {
  const { session, maxPacketBytes } = apply;
  const [there] = await session.query(`select 1 from ${quoteTable(plan.target)}${whereShared(plan.share)} limit 1`);
  if (there !== undefined) throw fail(targetErrors.targetNotEmpty, { route, table: plan.label });
  const flights = new Flights({ session, maxPacketBytes, route });
  const maxBytes = Math.min(statementBytes, longestStatement(maxPacketBytes));
  let count = 0;
  try {
    for await (const rows of batches) {
      count += rows.length;
      for (const statement of insertRows(plan, rows, maxBytes)) await flights.sendCounted(statement);
    }
    await flights.settle();
  } catch (error) {
    if (error instanceof ValueRefusal)
      throw fail(targetErrors.valueAltered, {
        ...{ route, table: plan.label, position },
        ...{ column: error.column, why: error.message },
      });
    if (!isOfTheChange(error)) throw error;
    throw fail(
      targetErrors.loadRefused,
      { route, table: plan.label, column: 'a column', position, ...refusalText(error) },
      error,
    );
  }
  failpoint('load.copied');
  return count;
}

/** Foreign keys act, so that rows of tables that are not emptied would go along, or be changed. */
async function demandNoCascades(
  session: MysqlSession,
  route: RouteDefinition,
  emptied: readonly TablePlan[],
): Promise<void> {
  const own = new Set(emptied.map(({ target }) => `${target.schema}.${target.name}`));
  for (const { target, label } of emptied) {
    const rows = await session.query(
      `select constraint_schema, table_name from information_schema.referential_constraints
       where unique_constraint_schema = ? and referenced_table_name = ? and delete_rule not in ('RESTRICT', 'NO ACTION')`,
      [target.schema, target.name],
    );
    const other = rows.map(([schema, name]) => `${schema}.${name}`).find((name) => !own.has(name));
    if (other !== undefined) throw fail(targetErrors.emptyingCascades, { route: route.name, table: label, other });
  }
}
