import type pg from 'pg';
import { type Change, isRowChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { packedInserts } from '../../../src/core/packed-part.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { firingTriggers } from './firing-triggers.ts';
import { type KnownTables, trustMs } from './known-tables.ts';
import { planTable, type TablePlan } from './table-plan.ts';
import { readTargetTables, type TargetTable } from './target-table.ts';

interface Planned {
  readonly plan: TablePlan;
  /** All that the plan was made from, as text. */
  readonly definition: string;
  trustedUntilMs: number;
}

export interface TablePlansOptions {
  readonly route: RouteDefinition;
  readonly replicaRole: boolean;
  /** Read before this session began. */
  readonly known?: KnownTables | null;
  /** Milliseconds that never go back. */
  readonly now?: () => number;
}

/**
 * The plans of one connection, made when a table version is first met. A trigger, rule, constraint or column that is
 * added at the target while the route runs is noticed with the first change of the table after `trustMs`.
 */
export class TablePlans {
  readonly #options: TablePlansOptions;
  readonly #now: () => number;
  readonly #plans = new Map<TableVersion, Planned>();
  /** Until something is altered here. */
  #known: KnownTables | null;
  #generation = 0;

  constructor(options: TablePlansOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#known = options.known ?? null;
  }

  get(version: TableVersion): TablePlan {
    const planned = this.#plans.get(version);
    if (planned === undefined) throw new RangeError(`no plan was made for ${tableLabel(version)}`);
    return planned.plan;
  }

  /** Another number where a plan that was there is no more: what was made from it is of no use. */
  get generation(): number {
    return this.#generation;
  }

  /** True where nothing has to be read for these parts. */
  areMade(parts: readonly TransactionPart[], open: boolean): boolean {
    return this.#missing(parts, open).length === 0;
  }

  /**
   * Makes the plans that the parts need and that are not there yet, and again those whose table was altered. `open`: a
   * transaction is under way, whose plans stay as they are.
   */
  async prepare(client: pg.Client, parts: readonly TransactionPart[], open: boolean): Promise<void> {
    const missing = this.#missing(parts, open);
    if (missing.length > 0) await this.add(client, missing);
  }

  #missing(parts: readonly TransactionPart[], open: boolean): TableVersion[] {
    const missing = new Set<TableVersion>();
    const nowMs = open ? Number.NEGATIVE_INFINITY : this.#now();
    const need = (table: TableVersion): void => {
      const planned = this.#plans.get(table);
      if (planned === undefined || planned.trustedUntilMs < nowMs) missing.add(table);
    };
    for (const part of parts) {
      for (const { table } of part.chunk?.sets ?? []) need(table);
      const inserts = packedInserts(part);
      if (inserts !== null) {
        need(inserts.table);
        continue;
      }
      let last: TableVersion | null = null;
      const { changes } = part;
      // Each row comes by here: an iterator's results would be garbage.
      for (let at = 0; at < changes.length; at++) {
        const change = changes[at] as Change;
        if (change.kind === 'truncate' || change.kind === 'unmapped') change.tables.forEach(need);
        else if (isRowChange(change) && change.table !== last) {
          last = change.table;
          need(last);
        }
      }
    }
    return [...missing];
  }

  /** Tables were altered: nothing that was planned holds. */
  forget(): void {
    this.#plans.clear();
    this.#known = null;
    this.#generation++;
  }

  async add(client: pg.Client, versions: readonly TableVersion[]): Promise<void> {
    const known = this.#known;
    const unread: TableVersion[] = [];
    for (const version of versions) {
      const target = this.#plans.has(version) ? undefined : known?.get(tableLabel(version), this.#now());
      if (known === null || target === undefined) unread.push(version);
      else this.#add(version, target, known.trustedUntilMs);
    }
    if (unread.length === 0) return;
    const trustedUntilMs = this.#now() + trustMs;
    const tables = new Map((await readTargetTables(client, unread)).map((table) => [tableLabel(table), table]));
    for (const version of unread) this.#add(version, tables.get(tableLabel(version)), trustedUntilMs);
  }

  #add(version: TableVersion, target: TargetTable | undefined, trustedUntilMs: number): void {
    const { route, replicaRole } = this.#options;
    if (!target) throw fail(targetErrors.tableMissing, { route: route.name, table: tableLabel(version) });
    const definition = JSON.stringify(target);
    const planned = this.#plans.get(version);
    if (planned?.definition === definition) {
      planned.trustedUntilMs = trustedUntilMs;
      return;
    }
    const firing = firingTriggers(route, target, replicaRole);
    if (firing !== null) throw firing;
    if (planned !== undefined) this.#generation++;
    this.#plans.set(version, { plan: planTable(version, target, route), definition, trustedUntilMs });
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
