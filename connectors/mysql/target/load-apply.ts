import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { BegunLoad, Existing, LoadedChunk } from '../../../src/core/load.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { rowsOf } from '../../../src/core/row-set.ts';
import type { MysqlSession } from '../connect.ts';
import { progressStatement, readLoads, storeAgain, storeEmptied, storeLoad } from '../state/stored-loads.ts';
import type { Flights } from './flights.ts';
import { checkLoads, demandFree, demandKey } from './load-check.ts';
import { isOfTheChange } from './refusals.ts';
import { ReplacedRows } from './replaced-rows.ts';
import { insertMissingRows, insertRows, replaceRows } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import { refusalText } from './target-transaction.ts';
import { ValueRefusal } from './value-refusal.ts';

interface Loading {
  readonly existing: Existing;
  /** Labels of the target tables. */
  readonly targets: readonly string[];
}

export interface LoadApplyOptions {
  readonly session: MysqlSession;
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly plans: TablePlans;
  readonly foreignKeysAct: boolean;
}

/** The loads of a route as its Consumer carries them out, and which target tables lack rows until then. */
export class LoadApply {
  readonly #options: LoadApplyOptions;
  /** By source table. */
  readonly #loads = new Map<string, Loading>();
  readonly #partial = new Map<string, Existing>();
  readonly #replaced: ReplacedRows;

  constructor(options: LoadApplyOptions) {
    this.#options = options;
    this.#replaced = new ReplacedRows(options);
  }

  async open(): Promise<void> {
    const { session, routeId } = this.#options;
    for (const load of await readLoads(session, routeId)) if (!load.done) this.#begin(load.source, load);
    if (this.#partial.size > 0) await demandFree(this.#options, [...this.#partial.keys()]);
  }

  /** Tables lack rows. */
  get active(): boolean {
    return this.#partial.size > 0;
  }

  /** What its load does with rows that are there; null of a table that is complete. */
  readonly ofTable = ({ label }: Pick<TablePlan, 'label'>): Existing | null => this.#partial.get(label) ?? null;

  /** The rows of a chunk and how far the load is with it. `isEmpty`: none of these rows is thought to be there. */
  async send(flights: Flights, chunk: LoadedChunk, { isEmpty, maxBytes }: { isEmpty: boolean; maxBytes: number }) {
    const { source, sets, progress } = chunk;
    const { session, routeId, plans } = this.#options;
    if (chunk.empties !== undefined) {
      await flights.settle();
      await plans.add(session, chunk.empties.tables);
      chunk.emptied = await this.#replaced.deleteSome(source, chunk.empties);
      if (chunk.emptied) await storeEmptied(session, routeId, source);
    }
    const existing = this.#loads.get(source)?.existing ?? 'refuse';
    for (const set of sets) {
      const plan = plans.get(set.table);
      demandKey(plan, set.telling, this.#options.route.name);
      const rows = rowsOf(set);
      const statements =
        isEmpty && !set.touched && existing !== 'merge'
          ? insertRows(plan, rows, maxBytes)
          : existing === 'merge'
            ? replaceRows(plan, rows, maxBytes)
            : insertMissingRows(plan, rows, maxBytes);
      for (const statement of statements) await flights.sendCounted(statement);
    }
    if (progress.readAgain.length > 0) {
      await flights.settle();
      await storeAgain(session, routeId, { source, read: progress.readAgain });
    }
    await flights.send(progressStatement(routeId, source, progress));
  }

  /** The chunk is committed. */
  sent({ source, progress, empties }: LoadedChunk): void {
    if (empties !== undefined) this.#replaced.sent();
    if (!progress.done) return;
    for (const target of this.#loads.get(source)?.targets ?? []) this.#partial.delete(target);
    this.#loads.delete(source);
  }

  /**
   * In an open target transaction. Rows that are replaced go in the transactions that follow: TRUNCATE would commit. `asked`: no stream has
   * brought rows of theirs, see checkLoads.
   */
  async begin(loads: readonly BegunLoad[], asked: boolean): Promise<void> {
    const { session, routeId } = this.#options;
    await checkLoads(this.#options, loads, asked);
    for (const { load } of loads) {
      await storeLoad(session, routeId, { ...load, emptying: load.existing === 'replace' });
      this.#replaced.forget(load.source);
    }
  }

  begun({ load }: BegunLoad): void {
    this.#begin(load.source, load);
  }

  /** What the server says of a chunk that it does not take. */
  refused(error: unknown, { sets, empties }: LoadedChunk, position: string): unknown {
    const { route, plans } = this.#options;
    const tables = empties?.tables ?? sets.map((set) => set.table);
    const table = tables.map((one) => plans.get(one).label).join(', ');
    const place = { route: route.name, table, position };
    if (error instanceof ValueRefusal)
      return fail(targetErrors.valueAltered, { ...place, column: error.column, why: error.message }, error);
    if (!isOfTheChange(error)) return error;
    return fail(targetErrors.loadRefused, { ...place, column: 'a column', ...refusalText(error) }, error);
  }

  #begin(source: string, { existing, targets }: Loading): void {
    this.#loads.set(source, { existing, targets });
    for (const target of targets) this.#partial.set(target, existing);
  }
}
