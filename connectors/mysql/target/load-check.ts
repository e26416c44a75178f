import { carryErrors } from '../../../src/core/errors/catalogue/carry.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type BegunLoad, type Telling, tellsApart } from '../../../src/core/load.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel, tableOfLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { partCondition, whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

export interface LoadCheck {
  readonly session: MysqlSession;
  readonly route: RouteDefinition;
  /** Null where nothing of the route is stored yet. */
  readonly routeId: number | null;
  readonly plans: TablePlans;
  readonly foreignKeysAct: boolean;
}

/** Throws what a begin of these would halt with. Changes nothing. `asked`: beforehand, and not by the stream that has come to the begin. */
export async function checkLoads(check: LoadCheck, loads: readonly BegunLoad[], asked: boolean): Promise<void> {
  const { session, route, routeId, plans } = check;
  if (loads.length > 0 && routeId !== null) await demandNothingParked(session, route, routeId);
  await plans.add(
    session,
    loads.flatMap(({ tables }) => tables),
  );
  await demandFree(
    check,
    loads.flatMap(({ load }) => load.targets),
  );
  for (const { load, tables, telling, where } of loads)
    for (const [at, plan] of tables.map((table) => plans.get(table)).entries()) {
      const place = { columns: plan.columns, route: route.name, table: plan.label, at };
      const part = where === null ? null : partCondition(where, place);
      // Of two rows that are one here the second would be taken for one that is there.
      if (plan.sharesKeys === 'always') {
        const column = plan.coarserColumn;
        if (column === null) throw fail(targetErrors.loadNeedsKey, { route: route.name, table: plan.label });
        throw fail(carryErrors.coarserKey, { route: route.name, table: plan.label, column });
      }
      if (plan.statements.insertMissing === null)
        throw fail(targetErrors.keyMissing, {
          ...{ route: route.name, table: plan.label, columns: load.key.join(', ') },
          statement: `ALTER TABLE ${quoteTable(plan.target)} ADD PRIMARY KEY (${load.key.join(', ')})`,
        });
      demandKey(plan, telling[at], route.name);
      // What has come since the job was asked for is the stream's.
      if (load.existing !== 'refuse' || (load.job !== null && !asked)) continue;
      const [there] = await session.query(
        `select 1 from ${quoteTable(plan.target)}${whereShared(plan.share, part)} limit 1`,
      );
      if (there !== undefined) throw fail(targetErrors.targetNotEmpty, { route: route.name, table: plan.label });
    }
}

/** Without it rows of the source would be taken for each other: what has come of the one would stand for the other. */
export function demandKey({ source, keyIndexes, label }: TablePlan, telling: Telling = [], route: string): void {
  const key = keyIndexes.flatMap((index) => source.columns[index]?.name ?? []);
  if (!tellsApart(key, telling)) throw fail(targetErrors.loadNeedsKey, { route, table: label });
}

async function demandNothingParked(session: MysqlSession, route: RouteDefinition, routeId: number): Promise<void> {
  const parked = await session.query(
    'select 1 from tidelock.parked where route_id = ? union all select 1 from tidelock.skips where route_id = ? limit 1',
    [routeId, routeId],
  );
  if (parked.length > 0) throw fail(targetErrors.loadWhileParked, { route: route.name });
}

/**
 * A table that lacks rows breaks the foreign keys that point to it, its own too. And what a cascade does to a row that was read and is not here yet is
 * told by nobody: it would come as it was. Where foreign keys act they have to be made after the load.
 */
export async function demandFree(
  { session, route, foreignKeysAct }: Pick<LoadCheck, 'session' | 'route' | 'foreignKeysAct'>,
  targets: readonly string[],
): Promise<void> {
  if (!foreignKeysAct) return;
  for (const { schema, name } of targets.flatMap((label) => tableOfLabel(label) ?? [])) {
    const [found] = await session.query(
      `select constraint_schema, table_name, constraint_name from information_schema.referential_constraints
       where (unique_constraint_schema = ? and referenced_table_name = ?) or (constraint_schema = ? and table_name = ?
         and (delete_rule not in ('RESTRICT', 'NO ACTION') or update_rule not in ('RESTRICT', 'NO ACTION'))) limit 1`,
      [schema, name, schema, name],
    );
    if (found === undefined) continue;
    const table = tableLabel({ schema: String(found[0]), name: String(found[1]) });
    throw fail(targetErrors.loadUnderForeignKey, { route: route.name, table, constraint: String(found[2]) });
  }
}
