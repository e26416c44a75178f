import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type BegunLoad, type Telling, tellsApart } from '../../../src/core/load.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableOfLabel } from '../../../src/core/table.ts';
import { loadStatement } from './load-statements.ts';
import { partCondition } from './replaced-rows.ts';
import { whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

export interface LoadCheck {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  /** Null where nothing of the route is stored yet. */
  readonly routeId: number | null;
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
}

/** Throws what a begin of these would halt with. Changes nothing. `asked`: beforehand, and not by the stream that has come to the begin. */
export async function checkLoads(check: LoadCheck, loads: readonly BegunLoad[], asked: boolean): Promise<void> {
  const { client, route, routeId, plans } = check;
  if (routeId !== null) await demandNothingParked(client, route, routeId);
  await plans.add(
    client,
    loads.flatMap(({ tables }) => tables),
  );
  await demandFree(
    check,
    loads.flatMap(({ load }) => load.targets),
  );
  for (const { load, tables, telling, where } of loads) {
    for (const [at, table] of tables.entries()) {
      const plan = plans.get(table);
      if (load.key.length > 0) {
        demandKey(plan, telling[at], route.name);
        loadStatement(plan, load.existing === 'merge' ? 'replace' : 'keep', route.name);
      }
      const part = where === null ? null : await partCondition(plan, where, { route: route.name, table: at });
      // What has come since the job was asked for is the stream's.
      if (load.existing !== 'refuse' || (load.job !== null && !asked)) continue;
      const { rows } = await client.query(`select from ${plan.relation}${whereShared(plan, part)} limit 1`);
      if (rows.length > 0) throw fail(targetErrors.targetNotEmpty, { route: route.name, table: plan.label });
    }
  }
}

/** Without it rows of the source would be taken for each other: what has come of the one would stand for the other. */
export function demandKey({ source, keyIndexes, label }: TablePlan, telling: Telling = [], route: string): void {
  const key = keyIndexes.flatMap((index) => source.columns[index]?.name ?? []);
  if (!tellsApart(key, telling)) throw fail(targetErrors.loadNeedsKey, { route, table: label });
}

async function demandNothingParked(client: pg.Client, route: RouteDefinition, routeId: number): Promise<void> {
  const { rows } = await client.query(
    'select from tidelock.parked where route_id = $1 union all select from tidelock.skips where route_id = $1 limit 1',
    [routeId],
  );
  if (rows.length > 0) throw fail(targetErrors.loadWhileParked, { route: route.name });
}

/**
 * A table that lacks rows breaks the foreign keys that point to it. Where they act, which is without the replica role, they have to be
 * made after the load.
 */
export async function demandFree(
  { client, route, replicaRole }: Pick<LoadCheck, 'client' | 'route' | 'replicaRole'>,
  targets: readonly string[],
): Promise<void> {
  if (replicaRole) return;
  const named = targets.flatMap((label) => tableOfLabel(label) ?? []);
  const { rows } = await client.query<{ table: string; name: string }>(
    `select f.conrelid::regclass::text as table, f.conname as name from pg_constraint f
     join pg_class c on c.oid = f.confrelid join pg_namespace n on n.oid = c.relnamespace
     where f.contype = 'f' and (n.nspname, c.relname) in (select * from unnest($1::text[], $2::text[])) limit 1`,
    [named.map(({ schema }) => schema), named.map(({ name }) => name)],
  );
  const [found] = rows;
  if (found !== undefined)
    throw fail(targetErrors.loadUnderForeignKey, { route: route.name, table: found.table, constraint: found.name });
}
