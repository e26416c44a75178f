import { isRowChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import type { MysqlSession } from '../connect.ts';
import { namesKeys } from './apply-session.ts';
import { demandNothingFires } from './firing-triggers.ts';
import { planTable, type TablePlan } from './table-plan.ts';
import { readTargetTables } from './target-table.ts';

/** Somebody may alter a table at the target; what its new definition would do to rows is found out after this at the latest. */
const trustMs = 10_000;

interface Planned {
  readonly plan: TablePlan;
  /** Of the target's table. */
  readonly definition: string;
  trustedUntilMs: number;
}

/** The plans of the tables whose changes come by, made as they are met. */
export class TablePlans {
  readonly #route: RouteDefinition;
  readonly #foreignKeysAct: boolean;
  readonly #now: () => number;
  readonly #plans = new Map<TableVersion, Planned>();

  constructor(route: RouteDefinition, foreignKeysAct: boolean, now: () => number = Date.now) {
    this.#route = route;
    this.#foreignKeysAct = foreignKeysAct;
    this.#now = now;
  }

  get(version: TableVersion): TablePlan {
    const planned = this.#plans.get(version);
    if (planned === undefined) throw new RangeError(`no plan was made for ${tableLabel(version)}`);
    return planned.plan;
  }

  forget(): void {
    this.#plans.clear();
  }

  /** Makes the plans of all tables whose changes are in the parts. */
  async prepare(session: MysqlSession, parts: readonly TransactionPart[]): Promise<void> {
    const now = this.#now();
    const wanted = new Set<TableVersion>();
    for (const { changes, chunk } of parts) {
      for (const { table } of chunk?.sets ?? []) wanted.add(table);
      for (const change of changes) {
        if (isRowChange(change)) wanted.add(change.table);
        else if (change.kind === 'truncate' || change.kind === 'unmapped')
          for (const table of change.tables) wanted.add(table);
      }
    }
    const unknown = [...wanted].filter((version) => (this.#plans.get(version)?.trustedUntilMs ?? 0) <= now);
    await this.add(session, unknown);
    // Versions that are over are met no more; one that is gets a plan again.
    for (const [version, { trustedUntilMs }] of this.#plans)
      if (trustedUntilMs <= now && !wanted.has(version)) this.#plans.delete(version);
  }

  async add(session: MysqlSession, versions: readonly TableVersion[]): Promise<void> {
    if (versions.length === 0) return;
    const tables = new Map((await readTargetTables(session, versions)).map((table) => [tableLabel(table), table]));
    for (const version of versions) {
      const route = this.#route.name;
      const target = tables.get(tableLabel(version));
      if (target === undefined) throw fail(targetErrors.tableMissing, { route, table: tableLabel(version) });
      const definition = JSON.stringify(target);
      const trustedUntilMs = this.#now() + trustMs;
      const planned = this.#plans.get(version);
      if (planned?.definition === definition) {
        planned.trustedUntilMs = trustedUntilMs;
        continue;
      }
      demandNothingFires(this.#route, target);
      const vendor = session.node.type === 'mariadb' ? 'mariadb' : 'mysql';
      this.#plans.set(version, {
        plan: planTable(version, target, {
          route,
          node: this.#route.to.name,
          vendor,
          foreignKeysAct: this.#foreignKeysAct,
          namesKeys: namesKeys(this.#route),
        }),
        definition,
        trustedUntilMs,
      });
    }
  }

  /** Sorted so that a table comes after those that its foreign keys point to; a cycle is cut anywhere. */
  parentsFirst(plans: readonly TablePlan[]): TablePlan[] {
    const sorted: TablePlan[] = [];
    const entered = new Set<TablePlan>();
    const enter = (plan: TablePlan): void => {
      if (entered.has(plan)) return;
      entered.add(plan);
      for (const parent of plans) if (plan.target.references.includes(tableLabel(parent.target))) enter(parent);
      sorted.push(plan);
    };
    plans.forEach(enter);
    return sorted;
  }
}
