import { expect, test } from 'vitest';
import { LoadApply as MysqlLoadApply } from '../../connectors/mysql/target/load-apply.ts';
import { checkLoads as checkMysql } from '../../connectors/mysql/target/load-check.ts';
import { LoadApply as PostgresLoadApply } from '../../connectors/postgres/target/load-apply.ts';
import { checkLoads as checkPostgres } from '../../connectors/postgres/target/load-check.ts';
import { planTable } from '../../connectors/postgres/target/table-plan.ts';
import type { TargetTable } from '../../connectors/postgres/target/target-table.ts';
import { type BegunLoad, type LoadedChunk, tellsApart } from '../../src/core/load.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { tellingColumns } from '../../src/operations/load/telling-columns.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

/** As a binlog tells it: rows are logged whole, and the key is the primary one. */
const source: TableVersion = {
  schema: 'shop',
  name: 'item',
  identity: 'full',
  columns: ['id', 'code', 'size'].map((name) => ({
    ...{ name, type: 'pg_catalog.text', modifier: -1 },
    key: name === 'id',
  })),
};

async function tellingOf(entry: string): Promise<unknown> {
  using folder = new ConfigurationFiles();
  const route = withRoute(`tables: [{ name: shop.item${entry} }]`);
  const { tables } = folder.load(route).routes.demand('r', 'route');
  await tables.prepare();
  const binding = new TableMapper('r', tables).bind(source);
  return binding.tables.map((table) => tellingColumns(binding, table, ['id']));
}

test('a load demands what tells rows apart at the source of the key by which the target finds them', async () => {
  expect(await tellingOf('')).toEqual([[['id']]]);
  expect(await tellingOf(', columns: { rename: { id: number } }')).toEqual([[['number']]]);
  // It does not travel, so that no key will do.
  expect(await tellingOf(', columns: { exclude: [id] }')).toEqual([[[]]]);
  expect(await tellingOf(', transforms: [{ set: { id: "upper(id)" } }]')).toEqual([[[]]]);
  expect(await tellingOf(', transforms: [{ unpivot: { columns: [code, size], name: k, value: v } }]')).toEqual([
    [['id'], ['k']],
  ]);
});

/** `key`: by which the target finds rows. */
function checks(key: readonly string[]): readonly (() => Promise<unknown>)[] {
  const keyIndexes = key.map((name) => source.columns.findIndex((column) => column.name === name));
  const plan = {
    ...{ source, keyIndexes, label: 'shop.item', share: null, target: source, relation: 't' },
    columns: source.columns.map(({ name }, at) => ({ index: at, column: { name, identity: '' } })),
    ...{
      insert: { text: 'insert', parameters: [] },
      isKeyDeferrable: false,
      insertOver: null,
      statements: { insertMissing: {}, insert: { head: '', tail: '' } },
    },
  };
  const plans = { add: async () => {}, get: () => plan };
  const route = { name: 'r', from: { type: 'mysql' }, apply: { memoryBytes: 1_000_000 } };
  const options = { route, routeId: 1, plans, replicaRole: true, foreignKeysAct: false };
  const load = { source: 'shop.item', targets: ['shop.item'], existing: 'merge', where: null, key: ['id'] };
  const begun = { load, tables: [source], telling: [[['id']]], where: null } as unknown as BegunLoad;
  const set = { table: source, telling: [['id']], touched: false, rows: [] };
  const chunk = { source: 'shop.item', sets: [set], progress: { readAgain: [] } } as unknown as LoadedChunk;
  const client = { query: async () => ({ rows: [] }) };
  const session = { query: async () => [] };
  const flights = { sendCounted: async () => {}, send: async () => {}, settle: async () => {} };
  const batch = { send: () => {}, sendCopy: () => {} };
  const [there, elsewhere] = [
    new PostgresLoadApply({ ...options, client } as unknown as ConstructorParameters<typeof PostgresLoadApply>[0]),
    new MysqlLoadApply({ ...options, session } as unknown as ConstructorParameters<typeof MysqlLoadApply>[0]),
  ];
  return [
    () => checkPostgres({ ...options, client } as never, [begun], true),
    async () => there.send(batch as never, chunk, true),
    () => checkMysql({ ...options, session } as never, [begun], true),
    () => elsewhere.send(flights as never, chunk, { isEmpty: true, maxBytes: 1_000 }),
  ];
}

test('a table is not loaded beside the stream where the target finds its rows by another key than the source has', async () => {
  for (const check of checks(['code'])) await expect(check()).rejects.toMatchObject({ code: 'TL-2305' });
  for (const check of checks(['code', 'id'])) await check();
  // Of rows that a transform has made of one.
  expect([['id'], ['id', 'k']].map((key) => tellsApart(key, [['id'], ['k']]))).toEqual([false, true]);
  expect(tellsApart(['k'], [[]])).toBe(false);
});

test('where rows are logged whole they are found by the key that the source has, whatever other ones there are', () => {
  const index = (name: string, ...columns: string[]) => ({
    ...{ name, columns, equals: columns.map(() => '='), primary: false, deferrable: false, partial: false },
    ...{ predicate: null, hasExpressions: false, allNotNull: true, folded: false },
  });
  const text = {
    type: 'pg_catalog.text',
    typeSql: 'text',
    baseType: 'pg_catalog.text',
    baseKind: 'b',
    modifier: -1,
    element: null,
  };
  const target = (...uniqueIndexes: TargetTable['uniqueIndexes']) =>
    ({
      ...{ schema: 'shop', name: 'item', kind: 'r', uniqueIndexes, ordinaryTriggers: [], replicaTriggers: [] },
      unkept: [],
      columns: source.columns.map(({ name }) => ({
        ...text,
        name,
        unnestable: true,
        deterministic: true,
        identity: '',
      })),
    }) as unknown as TargetTable;
  const route = { name: 'r', collisions: { checksOldValues: () => false } } as never;
  const keyOf = (...indexes: TargetTable['uniqueIndexes']) =>
    planTable(source, target(...indexes), route).keyIndexes.map((at) => source.columns[at]?.name);
  expect(keyOf(index('a', 'code'), index('b', 'id'))).toEqual(['id']);
  expect(keyOf(index('a', 'code'), index('b', 'size'))).toEqual(['code']);
});
