import { expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import { ABSENT, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import type { BegunLoad, LoadedChunk } from '../../src/core/load.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { Loader, Target } from '../../src/core/target.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { Bridge } from '../../src/pipeline/bridge/bridge.ts';
import { bridgedConsumer } from '../../src/pipeline/bridge/bridged-consumer.ts';
import { bridgedTarget } from '../../src/pipeline/bridge/bridged-target.ts';

const column = (name: string, type: string, key = false) => ({ name, type, modifier: -1, key });
const table: TableVersion = {
  schema: 'shop',
  name: 'item',
  identity: 'default',
  columns: [column('id', 'int', true), column('sold', 'tinyint'), column('n', 'decimal(5,2)')],
};
const insert = (...after: Row): Change => ({ kind: 'insert', table, after });

async function bridged(conversions = {}): Promise<Bridge> {
  const columns = async () => [
    { name: 'id', type: 'pg_catalog.int8', modifier: -1 },
    { name: 'sold', type: 'pg_catalog.bool', modifier: -1 },
    { name: 'n', type: 'pg_catalog.numeric', modifier: -1 },
  ];
  const bridge = new Bridge({ route: 'r', from: mysqlTypes, to: postgresTypes, conversions, columns });
  await bridge.look([table]);
  return bridge;
}

function part(...changes: Change[]): TransactionPart {
  return { id: '1', origin: [], changes, rows: changes.length, bytes: 1, commit: null, urgency: 'ride' };
}

test('a value that can not be carried halts in its turn: what came before it goes on', async () => {
  const bridge = await bridged();
  const { changes, unmapped } = bridge.part(
    part(insert('1', '1', '1.50'), insert('2', '2', '1.00'), insert('3', '0', null)),
  );
  expect(changes.map(({ kind }) => kind)).toEqual(['insert', 'unmapped', 'insert']);
  expect(changes[0]).toMatchObject({
    after: ['1', 't', '1.5'],
    table: { columns: [{ type: 'pg_catalog.int8', key: true }, {}, {}] },
  });
  expect(changes[2]).toMatchObject({ after: ['3', 'f', null] });
  expect(unmapped).toMatchObject({ code: 'TL-4602', place: { table: 'shop.item', column: 'sold' } });
  expect(JSON.stringify(unmapped)).not.toContain('"2"');
});

test('what is not in an image stays what it is', async () => {
  const bridge = await bridged();
  const update: Change = { kind: 'update', table, before: ['1', ABSENT, ABSENT], after: ['2', UNCHANGED, '0.10'] };
  expect(bridge.part(part(update)).changes).toMatchObject([
    { before: ['1', ABSENT, ABSENT], after: ['2', UNCHANGED, '0.1'] },
  ]);
});

test('what was refused and comes back from the parked is carried from what it was', async () => {
  const bridge = await bridged();
  const [refused] = bridge.part(part(insert('2', '2', null))).changes;
  expect(refused).toMatchObject({ kind: 'unmapped', change: { after: ['2', '2', null], table } });
  expect(refused?.kind === 'unmapped' && bridge.isOurs(refused.change)).toBe(true);
  expect(() => bridge.change(insert('2', '2', null), 'p')).toThrow(/the number is beyond/);
});

test.for([
  ['mysql', 'varchar(20) collate utf8mb4_0900_ai_ci'],
  ['mysql', 'varchar(20) collate utf8mb4_bin'],
  ['postgres', 'public.citext'],
  ['postgres', 'pg_catalog.bpchar'],
  ['postgres', 'pg_catalog.varchar nondeterministic'],
] as const)(
  'a table is not loaded beside the stream where its key is coarser at the target: %s %s',
  async ([to, type]) => {
    const asked: string[] = [];
    const there = (name: string): Target =>
      ({
        columns: async () => [
          {
            name: 'id',
            type: name.split(' nondet')[0],
            modifier: -1,
            ...(name.includes(' nondet') && { folds: true }),
          },
        ],
        checkLoad: async () => void asked.push('check'),
        loader: async () => ({ begin: async () => void asked.push('begin') }) as unknown as Loader,
      }) as unknown as Target;
    const [source, target] = to === 'mysql' ? [postgresTypes, mysqlTypes] : [mysqlTypes, postgresTypes];
    const sourceType = to === 'mysql' ? 'pg_catalog.varchar' : 'varchar(20) collate utf8mb4_0900_bin';
    const options = { route: 'r', node: 'there', from: source, to: target, conversions: {} };
    const exact = to === 'mysql' ? 'varchar(20) collate utf8mb4_0900_bin' : 'pg_catalog.text';
    const keyed: TableVersion = { ...table, columns: [column('id', sourceType, true)] };
    const load = { load: { source: 'shop.item' }, tables: [keyed], where: null } as unknown as BegunLoad;
    const loaderOptions = { epoch: 1n, sourceNode: 'here', position: 'p' as Position };
    for (const name of [type, exact]) {
      const bridge = bridgedTarget(there(name), options as unknown as Parameters<typeof bridgedTarget>[1]);
      const loader = await bridge.loader(loaderOptions);
      if (name === exact) {
        await bridge.checkLoad(load);
        await loader.begin([load]);
        continue;
      }
      await expect(bridge.checkLoad(load)).rejects.toMatchObject({ code: 'TL-4603', place: { column: 'id' } });
      await expect(loader.begin([load])).rejects.toMatchObject({ code: 'TL-4603' });
      expect(asked).toEqual([]);
    }
    expect(asked).toEqual(['check', 'begin']);
  },
);

test('what a Consumer tells of a chunk is told of the one that the load has made', async () => {
  const bridge = await bridged();
  const seen: unknown[] = [];
  const consumer = bridgedConsumer(
    {
      apply: async ([given]: readonly TransactionPart[]) => {
        const { chunk } = given ?? {};
        if (chunk === undefined) throw new Error('no chunk');
        chunk.emptied = true;
        chunk.appliedMs = 7;
        seen.push(chunk.emptied, chunk.empties?.tables[0]?.columns[0]?.type, chunk.sets[0]?.rows);
      },
    } as unknown as Consumer,
    bridge,
  );
  const chunk = {
    sets: [{ table, touched: false, rows: [['1', '1', '1.50']] }],
    empties: { tables: [table], where: null },
  } as unknown as LoadedChunk;
  await consumer.apply([{ ...part(), chunk }], new AbortController().signal);
  expect(seen).toEqual([true, 'pg_catalog.int8', [['1', 't', '1.5']]]);
  expect(chunk).toMatchObject({ emptied: true, appliedMs: 7 });
});
