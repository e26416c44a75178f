import type pg from 'pg';
import type { Replaced, ReplacedPart } from '../../../src/core/load.ts';
import { EmptyingPlaces, nextStep } from '../../sql/apply/emptying-places.ts';
import { sqlPieces } from '../schema/sql-pieces.ts';
import { sqlText } from '../schema/sql-text.ts';
import { shareCondition, whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

/** Pages of the table: 8 MB of it, whatever its rows are. */
const mostPages = 1_024;
const leastPages = 8;
const firstPages = 16;

/** Where the deletion is. Nothing of it outlives the session: who comes next passes over pages that have no rows any more. */
interface Place {
  /** Of the tables, children first. */
  readonly table: number;
  /** The first page that was not looked at. */
  readonly page: number;
  /** Another one where the table was written anew (VACUUM FULL, CLUSTER), by which rows come to pages that were looked at. */
  readonly files: string;
  readonly pages: number;
}

const start: Place = { table: 0, page: 0, files: '', pages: firstPages };

export interface ReplacedRowsOptions {
  readonly client: pg.Client;
  readonly route: string;
  readonly plans: TablePlans;
}

/**
 * Deletes the rows that a load replaces page by page: in whatever part of them, and however few they are, a step looks at so much and no more. Nobody adds any
 * meanwhile, since what comes for them is left out until they have gone.
 */
export class ReplacedRows extends EmptyingPlaces<Place> {
  readonly #options: ReplacedRowsOptions;

  constructor(options: ReplacedRowsOptions) {
    super(start);
    this.#options = options;
  }

  /** In an open target transaction. Returns whether all have gone. */
  async deleteSome(source: string, { tables, where }: Replaced): Promise<boolean> {
    const { client, plans, route } = this.#options;
    const all = plans.parentsFirst(tables.map((table) => plans.get(table))).toReversed();
    const place = this.placeOf(source);
    const plan = all[place.table];
    if (plan === undefined) return true;
    const table = tables.findIndex((one) => plans.get(one) === plan);
    const part = where === null ? null : await partCondition(plan, where, { route, table });
    const { files, pages } = await extentOf(client, plan);
    const from = files === place.files ? place.page : 0;
    const to = from + place.pages;
    const beganMs = performance.now();
    const range = `ctid >= '(${from},0)'::tid and ctid < '(${Math.min(to, lastPage)},0)'::tid`;
    await client.query(`delete from ${plan.relation}${whereShared({ share: range }, conditionOf(plan, part))}`);
    const faster = nextStep(beganMs);
    const next = Math.round(Math.min(mostPages, Math.max(leastPages, place.pages * faster)));
    const isOver = to >= pages;
    this.reached(
      source,
      isOver
        ? { table: place.table + 1, page: 0, files: '', pages: next }
        : { table: place.table, page: to, files, pages: next },
    );
    return isOver && place.table + 1 >= all.length;
  }
}

/** The greatest that there is. */
const lastPage = 4_294_967_294;

function conditionOf({ share }: TablePlan, part: string | null): string | null {
  return share === null || part === null ? (share ?? part) : `${share} and ${part}`;
}

/** The part in SQL of the target: its language means the same there. Throws (halt) where it does not. */
export async function partCondition(
  plan: TablePlan,
  { text, names }: ReplacedPart,
  { route, table }: { readonly route: string; readonly table: number },
): Promise<string> {
  const here = names[table] ?? new Map<string, string>();
  const pieces = await sqlPieces(text, 'expression');
  const named = sqlText(
    pieces.map((piece) => (typeof piece === 'string' ? piece : { column: here.get(piece.column) ?? piece.column })),
  );
  return shareCondition({ text: named, columns: [...here.values()] }, plan.columns, { route, table: plan.label });
}

/** Of the largest of its partitions, since each has pages of its own. */
async function extentOf(
  client: pg.Client,
  plan: TablePlan,
): Promise<{ readonly files: string; readonly pages: number }> {
  const { rows } = await client.query<{ files: string; pages: string }>(
    `select coalesce(string_agg(c.relfilenode::text, ' ' order by c.oid), '') as files,
       coalesce(max(pg_relation_size(c.oid) / current_setting('block_size')::int8), 0)::text as pages
     from (select to_regclass($1)::oid as oid union select relid::oid from pg_partition_tree(to_regclass($1))) t
     join pg_class c on c.oid = t.oid and c.relkind = 'r'`,
    [plan.relation.replace(/^only /, '')],
  );
  return { files: rows[0]?.files ?? '', pages: Number(rows[0]?.pages ?? 0) };
}
