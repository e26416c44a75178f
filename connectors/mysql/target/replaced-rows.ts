import type { Replaced } from '../../../src/core/load.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { EmptyingPlaces, nextStep } from '../../sql/apply/emptying-places.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { integerBases } from './column-kind.ts';
import { partCondition, whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

/** Of rows, by the table's statistics. */
const stepBytes = 8_000_000;
const mostRows = 20_000;
const leastRows = 20;
const firstRows = 100;

/** Where the deletion is. Nothing of it outlives the session: who comes next finds no rows in front of it. */
interface Place {
  /** Of the tables, children first. */
  readonly table: number;
  /** Rows in front of it have gone, by the first column of the key, a whole number; null: nothing is known. */
  readonly from: string | null;
  readonly rows: number;
}

const start: Place = { table: 0, from: null, rows: firstRows };

export interface ReplacedRowsOptions {
  readonly session: MysqlSession;
  readonly plans: TablePlans;
  readonly route: Pick<RouteDefinition, 'name'>;
}

/**
 * Deletes the rows that a load replaces in the order of their key, so many at a time. Nobody adds any meanwhile, since what comes for them is left out
 * until they have gone.
 */
export class ReplacedRows extends EmptyingPlaces<Place> {
  readonly #options: ReplacedRowsOptions;

  constructor(options: ReplacedRowsOptions) {
    super(start);
    this.#options = options;
  }

  /** In an open target transaction. Returns whether all have gone. */
  async deleteSome(source: string, { tables, where }: Replaced): Promise<boolean> {
    const { plans, route } = this.#options;
    const all = plans.parentsFirst(tables.map((table) => plans.get(table))).toReversed();
    const place = this.placeOf(source);
    const plan = all[place.table];
    if (plan === undefined) return true;
    const beganMs = performance.now();
    const at = tables.findIndex((table) => plans.get(table) === plan);
    const part =
      where === null ? null : partCondition(where, { columns: plan.columns, route: route.name, table: plan.label, at });
    const { isOver, from } = await this.#delete(plan, place, part);
    const faster = nextStep(beganMs);
    const most = Math.min(mostRows, await this.#rowsOf(plan));
    const rows = Math.round(Math.max(leastRows, Math.min(most, place.rows * faster)));
    this.reached(
      source,
      isOver ? { table: place.table + 1, from: null, rows: firstRows } : { table: place.table, from, rows },
    );
    return isOver && place.table + 1 >= all.length;
  }

  /**
   * The server keeps deleted rows in its indexes until nobody can see them any more, and would pass over all of them in each step: so a step begins
   * at the first row that the last one has left, where the key's values can be compared as they are written.
   */
  async #delete(
    plan: TablePlan,
    { from, rows }: Place,
    part: string | null,
  ): Promise<{ readonly isOver: boolean; readonly from: string | null }> {
    const { session } = this.#options;
    const key = keyColumns(plan);
    const [first] = key;
    const order = key.length === 0 ? '' : ` order by ${key.map(({ name }) => quoteIdentifier(name)).join(', ')}`;
    const isNumber = first !== undefined && integerBases.has(first.type.base);
    const where = whereShared(
      plan.share,
      part,
      isNumber && from !== null ? `${quoteIdentifier(first.name)} >= ${from}` : null,
    );
    const table = quoteTable(plan.target);
    // Unclassified, as what the server says of a chunk's rows is: a row that it keeps refuses the load.
    const [answer] = await session.batch([`delete from ${table}${where}${order} limit ${rows}`]);
    const isOver = (answer?.found ?? 0) < rows;
    if (isOver || !isNumber) return { isOver, from: null };
    // Not before: what others add meanwhile would let the deletion end in front of what was found.
    const [left] = await session.query(`select ${quoteIdentifier(first.name)} from ${table}${where}${order} limit 1`);
    return { isOver, from: left?.[0] ?? from };
  }

  async #rowsOf({ target }: TablePlan): Promise<number> {
    const [row] = await this.#options.session.query(
      'select avg_row_length from information_schema.tables where table_schema = ? and table_name = ?',
      [target.schema, target.name],
    );
    return Math.floor(stepBytes / Math.max(1, Number(row?.[0] ?? 0)));
  }
}

function keyColumns({ keyIndexes, columns }: TablePlan) {
  return keyIndexes.flatMap((index) => columns.find((bound) => bound.index === index)?.column ?? []);
}
