import type pg from 'pg';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { planTable, type TablePlan } from './table-plan.ts';
import { readTargetTables } from './target-table.ts';

/** The plans of one connection, made when a table version is first met. */
export class TablePlans {
  readonly #route: string;
  readonly #plans = new Map<TableVersion, TablePlan>();

  constructor(route: string) {
    this.#route = route;
  }

  get(version: TableVersion): TablePlan {
    const plan = this.#plans.get(version);
    if (plan === undefined) throw new RangeError(`no plan was made for ${tableLabel(version)}`);
    return plan;
  }

  /** Makes the plans that the parts need and that are not there yet. */
  async prepare(client: pg.Client, parts: readonly TransactionPart[]): Promise<void> {
    const missing = new Set<TableVersion>();
    const need = (table: TableVersion): void => {
      if (!this.#plans.has(table)) missing.add(table);
    };
    for (const part of parts) {
      let last: TableVersion | null = null;
      for (const change of part.changes) {
        if (change.kind === 'truncate') change.tables.forEach(need);
        else if (change.kind !== 'schemaChange' && change.kind !== 'heartbeat' && change.table !== last) {
          last = change.table;
          need(last);
        }
      }
    }
    if (missing.size > 0) await this.add(client, [...missing]);
  }

  async add(client: pg.Client, versions: readonly TableVersion[]): Promise<void> {
    const tables = await readTargetTables(client, versions);
    for (const version of versions) {
      const target = tables.find((t) => t.schema === version.schema && t.name === version.name);
      if (!target) throw fail(targetErrors.tableMissing, { route: this.#route, table: tableLabel(version) });
      this.#plans.set(version, planTable(version, target, this.#route));
    }
  }

  /** Sorted so that a table comes after those that its foreign keys point to; a cycle is cut anywhere. */
  parentsFirst(plans: readonly TablePlan[]): TablePlan[] {
    const sorted: TablePlan[] = [];
    const entered = new Set<TablePlan>();
    const enter = (plan: TablePlan): void => {
      if (entered.has(plan)) return;
      entered.add(plan);
      for (const parent of plans) if (plan.target.references.includes(parent.target.oid)) enter(parent);
      sorted.push(plan);
    };
    plans.forEach(enter);
    return sorted;
  }
}
