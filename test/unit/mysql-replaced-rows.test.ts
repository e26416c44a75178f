import { EventEmitter } from 'node:events';
import type { Connection } from 'mysql2';
import { expect, test } from 'vitest';
import { type MysqlHost, MysqlSession } from '../../connectors/mysql/connect.ts';
import { LoadApply } from '../../connectors/mysql/target/load-apply.ts';
import { isOff } from '../../connectors/mysql/target/refusals.ts';
import { ReplacedRows } from '../../connectors/mysql/target/replaced-rows.ts';
import type { TablePlan } from '../../connectors/mysql/target/table-plan.ts';
import type { TablePlans } from '../../connectors/mysql/target/table-plans.ts';
import { targetErrors } from '../../src/core/errors/catalogue/target.ts';
import type { LoadedChunk, Replaced } from '../../src/core/load.ts';
import type { NodeDefinition, RouteDefinition } from '../../src/core/route.ts';

/** A server that holds rows by a number, and understands just these statements. */
class Rows {
  rows: number[];
  readonly deleted: number[] = [];
  /** What others commit once the next statement about rows has been answered. */
  comes: readonly number[] = [];

  constructor(count: number) {
    this.rows = Array.from({ length: count }, (_, at) => at * 3 - 500);
  }

  readonly session = {
    query: async (sql: string) => {
      if (sql.includes('avg_row_length')) return [['40000']];
      const [, offset = '0'] = /offset (\d+)$/.exec(sql) ?? [];
      const at = this.#from(sql)[Number(offset)];
      this.#come();
      return at === undefined ? [] : [[String(at)]];
    },
    batch: async ([sql]: readonly [string]) => {
      const [, limit = ''] = /limit (\d+)$/.exec(sql) ?? [];
      const gone = this.#from(sql).slice(0, Number(limit));
      this.rows = this.rows.filter((row) => !gone.includes(row));
      this.deleted.push(gone.length);
      this.#come();
      return [{ rows: [], found: gone.length }];
    },
  } as unknown as MysqlSession;

  #come(): void {
    this.rows = [...this.comes, ...this.rows];
    this.comes = [];
  }

  #from(sql: string): number[] {
    const [, from = '-Infinity'] = /where `id` >= (-?\d+)/.exec(sql) ?? [];
    return this.rows.filter((row) => row >= Number(from));
  }
}

function plansOf(base: string): TablePlans {
  const column = { name: 'id', type: { base } };
  const plan = { label: 'd.t', target: { schema: 'd', name: 't' }, keyIndexes: [0], columns: [{ index: 0, column }] };
  return { get: () => plan, parentsFirst: (all: readonly TablePlan[]) => [...all] } as unknown as TablePlans;
}

function replacedRows(server: Rows, base = 'int'): ReplacedRows {
  return new ReplacedRows({ session: server.session, plans: plansOf(base), route: { name: 'sales' } });
}

const all = { tables: [{}], where: null } as unknown as Replaced;

test.for(['int', 'varchar'])('rows that a load replaces go so many at a time, by a key of %s', async (base) => {
  const server = new Rows(1_000);
  const replaced = replacedRows(server, base);
  for (let isOver = false; !isOver; replaced.sent()) isOver = await replaced.deleteSome('d.t', all);
  expect(server.rows).toEqual([]);
  // 8 MB of rows of 40 kB each at most.
  expect(Math.max(...server.deleted)).toBeLessThanOrEqual(200);
  expect(server.deleted.length).toBeGreaterThan(5);
});

test('a step that was not committed is done again, and so is all of it by whoever comes next', async () => {
  const server = new Rows(300);
  const before = [...server.rows];
  const replaced = replacedRows(server);
  await replaced.deleteSome('d.t', all);
  replaced.sent();
  const committed = [...server.rows];
  expect(committed.length).toBe(200);
  await replaced.deleteSome('d.t', all);
  server.rows = committed;
  for (let isOver = false; !isOver; replaced.sent()) isOver = await replaced.deleteSome('d.t', all);
  expect(server.rows).toEqual([]);
  server.rows = before;
  const next = replacedRows(server);
  for (let isOver = false; !isOver; next.sent()) isOver = await next.deleteSome('d.t', all);
  expect(server.rows).toEqual([]);
});

test('another load of the table begins at its first row', async () => {
  const server = new Rows(300);
  const replaced = replacedRows(server);
  for (let isOver = false; !isOver; replaced.sent()) isOver = await replaced.deleteSome('d.t', all);
  server.rows = [-7, 9];
  replaced.forget('d.t');
  expect(await replaced.deleteSome('d.t', all)).toBe(true);
  expect(server.rows).toEqual([]);
});

test('rows that others add in front during a step leave none of the old ones behind', async () => {
  const server = new Rows(300);
  server.comes = [-900, -800, -700];
  const replaced = replacedRows(server);
  for (let isOver = false; !isOver; replaced.sent()) isOver = await replaced.deleteSome('d.t', all);
  expect(server.rows).toEqual([]);
});

test.for([
  [1451, '23000'],
  [1644, '45000'],
] as const)('a row that the target keeps, with its error %s, refuses the load', async ([errno, sqlState]) => {
  const connection = {
    stream: new EventEmitter(),
    query: (_: unknown, answer: (error: Error) => void) =>
      answer(Object.assign(new Error('kept'), { errno, sqlState })),
  } as unknown as Connection;
  const session = new MysqlSession({ name: 'crm' } as NodeDefinition, connection, {} as MysqlHost);
  const plans = plansOf('varchar');
  const error: unknown = await new ReplacedRows({ session, plans, route: { name: 'sales' } })
    .deleteSome('d.t', all)
    .catch((caught) => caught);
  expect(isOff(error)).toBe(true);
  const route = { name: 'sales' } as RouteDefinition;
  const chunk = { sets: [], empties: all } as unknown as LoadedChunk;
  expect(
    new LoadApply({ session, route, routeId: 1, plans, foreignKeysAct: true }).refused(error, chunk, ''),
  ).toMatchObject({ code: targetErrors.loadRefused.code, place: { table: 'd.t', sqlState } });
});
