import { expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import { ABSENT, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { Change, InsertChange } from '../../src/core/change.ts';
import { ChangeDecoder, encodeChanges } from '../../src/core/change-codec.ts';
import type { Consumer, PartFeed } from '../../src/core/consumer.ts';
import type { BegunLoad, LoadedChunk, RowSet } from '../../src/core/load.ts';
import { PackedInsert } from '../../src/core/packed-row.ts';
import type { Position } from '../../src/core/position.ts';
import { countOf, piecesOf, rowsOf } from '../../src/core/row-set.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { ConsumerOptions, Loader, Target } from '../../src/core/target.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { Bridge } from '../../src/pipeline/bridge/bridge.ts';
import { bridgedConsumer } from '../../src/pipeline/bridge/bridged-consumer.ts';
import { bridgedTarget } from '../../src/pipeline/bridge/bridged-target.ts';
import { packed } from '../support/packed.ts';

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

test('what names a row is not converted: its key, or where the whole row does so, what the target finds it by', async () => {
  const float = (key: boolean) => ({ ...column('f', 'pg_catalog.float8', key) });
  const refused = async (identity: 'default' | 'full', keys: readonly boolean[], unique: boolean) => {
    const of: TableVersion = {
      ...{ schema: 'shop', name: 'loose', identity },
      columns: [column('id', 'pg_catalog.int4', keys[0]), float(keys[1] ?? false)],
    };
    const columns = async () => [
      { name: 'id', type: 'int', modifier: -1 },
      { name: 'f', type: 'double', modifier: -1, ...(unique && { unique: true as const }) },
    ];
    const conversions = { special: 'toNull' } as const;
    const bridge = new Bridge({ route: 'r', from: postgresTypes, to: mysqlTypes, conversions, columns });
    await bridge.look([of]);
    return bridge.refusals(of).map(({ place }) => (place as { readonly column: string }).column);
  };
  expect(await refused('default', [true, false], true)).toEqual([]);
  expect(await refused('default', [false, true], false)).toEqual(['f']);
  expect(await refused('full', [true, true], false)).toEqual([]);
  expect(await refused('full', [true, true], true)).toEqual(['f']);
  // As of MySQL, where every row is logged whole, and the key is the primary one.
  expect(await refused('full', [false, true], false)).toEqual(['f']);
});

test('a share of a target table is told by columns of one kind at both sides', async () => {
  const refused = async (from: string, to: string, conversions = {}) => {
    const owns = { text: 'site = 1', columns: ['site'], plain: null };
    const of: TableVersion = { ...table, columns: [column('site', from, true)], owns };
    const columns = async () => [{ name: 'site', type: to, modifier: -1 }];
    const bridge = new Bridge({ route: 'r', from: mysqlTypes, to: postgresTypes, conversions, columns });
    await bridge.look([of]);
    return bridge.refusals(of).map(({ code, message }) => [code, message.includes('owns')]);
  };
  const text = 'varchar(20) collate utf8mb4_0900_bin';
  expect(await refused('int', 'pg_catalog.int8')).toEqual([]);
  expect(await refused(text, 'pg_catalog.text')).toEqual([]);
  expect(await refused('tinyint', 'pg_catalog.bool')).toEqual([['TL-4601', true]]);
  expect(await refused('int', 'pg_catalog.numeric')).toEqual([['TL-4601', true]]);
});

test('a part of a table is loaded, and replaced, by columns that mean the same rows at both sides, or not at all', async () => {
  const asked = async (
    from: string,
    to: string,
    side: 'there' | 'back',
    modifier = -1,
  ): Promise<string | undefined> => {
    const types = [mysqlTypes, postgresTypes];
    const [source, target] = side === 'there' ? types : types.toReversed();
    const of: TableVersion = { ...table, columns: [column('n', from, true)] };
    const begun: unknown[] = [];
    const there = {
      columns: async () => [{ name: 'n', type: to, modifier }],
      checkLoads: async (loads: readonly BegunLoad[]) => {
        for (const { tables } of loads) begun.push(tables[0]?.columns[0]?.type);
        return [];
      },
      consumer: async () => ({ apply: async () => void begun.push('applied') }) as unknown as Consumer,
    } as unknown as Target;
    const options = { route: 'r', node: 'there', from: source, to: target, conversions: {}, aheadBytes: 1 };
    const bridge = bridgedTarget(there, options as unknown as Parameters<typeof bridgedTarget>[1]);
    const where = { text: 'n = 1', plain: null, names: [new Map([['n', 'n']])] };
    const load = { load: { source: 'shop.item' }, tables: [of], telling: [[['n']]], where } as unknown as BegunLoad;
    const chunk = { sets: [], empties: { tables: [of], where } } as unknown as LoadedChunk;
    const consumer = await bridge.consumer({} as ConsumerOptions);
    const tries = [
      async () => {
        for (const error of await bridge.checkLoads([load])) throw error;
      },
      () => consumer.apply([{ ...part(), begins: load }], new AbortController().signal),
      () => consumer.apply([{ ...part(), chunk }], new AbortController().signal),
    ];
    const codes = await Promise.all(
      tries.map((run) =>
        run().then(
          () => 'loaded',
          ({ code }) => code as string,
        ),
      ),
    );
    expect(new Set(codes).size).toBe(1);
    expect(begun.toSorted()).toEqual(codes[0] === 'loaded' ? ['applied', 'applied', to].sort() : []);
    return codes[0];
  };
  const text = 'varchar(20) collate utf8mb4_0900_bin';
  expect(await asked('int', 'pg_catalog.int8', 'there')).toBe('loaded');
  expect(await asked(text, 'pg_catalog.text', 'there')).toBe('loaded');
  expect(await asked('bigint unsigned', 'pg_catalog.numeric', 'there', (20 << 16) + 4)).toBe('loaded');
  expect(await asked('pg_catalog.uuid', 'binary(16)', 'back')).toBe('loaded');
  expect(await asked('pg_catalog.uuid', 'uuid', 'back')).toBe('loaded');
  expect(await asked('bigint', 'pg_catalog.numeric', 'there')).toBe('TL-4166');
  expect(await asked('tinyint', 'pg_catalog.bool', 'there')).toBe('TL-4166');
  expect(await asked('int', 'pg_catalog.text', 'there')).toBe('TL-4166');
  expect(await asked('pg_catalog.uuid', text, 'back')).toBe('TL-4166');
});

test('what is not in an image stays what it is', async () => {
  const bridge = await bridged();
  const update: Change = { kind: 'update', table, before: ['1', ABSENT, ABSENT], after: ['2', UNCHANGED, '0.10'] };
  expect(bridge.part(part(update)).changes).toMatchObject([
    { before: ['1', ABSENT, ABSENT], after: ['2', UNCHANGED, '0.1'] },
  ]);
});

test('the new row of an update is carried as it is without the old one, whatever it has kept', async () => {
  const bridge = await bridged();
  const rows: Row[] = ['1', '-7'].flatMap((id) =>
    [null, '0', '1'].flatMap((sold) => [null, '1.50', '2.00', '1.5'].map((n) => [id, sold, n])),
  );
  for (const before of rows)
    for (const after of rows) {
      const change: Change = { kind: 'update', table, before: [...before], after: [...after] };
      const [update, alone] = bridge.part(part(change, insert(...after))).changes;
      expect(update).toMatchObject({ after: (alone as { readonly after: Row }).after });
    }
  const refused: Change = { kind: 'update', table, before: ['1', '1', '1.00'], after: ['1', '2', '1.00'] };
  expect(bridge.part(part(refused))).toMatchObject({ changes: [{ kind: 'unmapped' }], unmapped: { code: 'TL-4602' } });
});

test('what comes back from the parked is carried from what it was, past the transforms, and into what the column is by then', async () => {
  const mood = {
    ...column('mood', 'public.mood'),
    definition: { kind: 'enum', name: 'public.mood', labels: ['a', 'b'] },
  };
  const from: TableVersion = {
    ...table,
    columns: [column('id', 'pg_catalog.int4', true), column('n', 'pg_catalog.int4'), mood as never],
  };
  // As the change queue has it.
  const told: TableVersion = { ...from, columns: from.columns.map(({ definition: _, ...rest }) => rest) };
  let n = 'tinyint';
  const bridge = (): Target => {
    const columns = async () => [column('id', 'int'), column('n', n), column('mood', "enum('a','b')")];
    let given: ConsumerOptions | undefined;
    const target = {
      columns,
      preflight: async () => [],
      consumer: async (options: ConsumerOptions) => {
        given = options;
        return {
          apply: async (parts: readonly TransactionPart[]) => void stored.push(encodeChanges(parts[0]?.changes ?? [])),
          carryOut: async () => {
            for (const bytes of stored)
              done.push(...((await given?.map(new ChangeDecoder().decode(bytes), 'p')) ?? []));
          },
        } as unknown as Consumer;
      },
    } as unknown as Target;
    const options = { route: 'r', node: 'there', from: postgresTypes, to: mysqlTypes, conversions: {} };
    return bridgedTarget(target, options as unknown as Parameters<typeof bridgedTarget>[1]);
  };
  const stored: Buffer[] = [];
  const done: Change[] = [];
  const asked: Change[] = [];
  const settings = {
    map: async (changes: Change[]) => {
      asked.push(...changes);
      return changes;
    },
  } as unknown as ConsumerOptions;
  const first = bridge();
  await first.preflight([from]);
  const change: Change = { kind: 'insert', table: told, after: ['1', '300', 'b'] };
  const behind: Change = { kind: 'insert', table: told, after: ['2', '7', 'a'] };
  await (await first.consumer(settings)).apply([part(change, behind)], new AbortController().signal);
  // Another process, which has not looked at the source; the column is as it was, and then another one.
  const later = await bridge().consumer(settings);
  await expect(later.carryOut(new AbortController().signal)).rejects.toMatchObject({ code: 'TL-4602' });
  n = 'varchar(9) collate utf8mb4_0900_bin';
  await later.carryOut(new AbortController().signal);
  expect(done).toMatchObject([
    { kind: 'insert', after: ['1', '300', 'b'], table: { columns: [{}, { type: n }, {}] } },
    // It had a form, and was made for the column as it was.
    { kind: 'insert', after: ['2', '7', 'a'], table: { columns: [{}, { type: n }, {}] } },
  ]);
  expect(asked).toEqual([]);
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
        checkLoads: async (loads: readonly unknown[]) => {
          asked.push(`check ${loads.length}`);
          return [];
        },
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
        expect(await bridge.checkLoads([load])).toEqual([]);
        await loader.begin([load]);
        continue;
      }
      expect(await bridge.checkLoads([load])).toMatchObject([{ code: 'TL-4603', place: { column: 'id' } }]);
      await expect(loader.begin([load])).rejects.toMatchObject({ code: 'TL-4603' });
      expect(asked).toEqual([]);
    }
    expect(asked).toEqual(['check 1', 'begin']);
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
    1_000_000,
  );
  const chunk = {
    sets: [{ table, touched: false, rows: [['1', '1', '1.50']] }],
    empties: { tables: [table], where: null },
  } as unknown as LoadedChunk;
  await consumer.apply([{ ...part(), chunk }], new AbortController().signal);
  expect(seen).toEqual([true, 'pg_catalog.int8', [['1', 't', '1.5']]]);
  expect(chunk).toMatchObject({ emptied: true, appliedMs: 7 });
});

test('what can not be carried of a load is told once what came before it is applied, however it has come', async () => {
  const chunk = { sets: [{ table, touched: false, rows: [['3', '2', '1.00']] }] } as unknown as LoadedChunk;
  for (const comesLater of [false, true]) {
    const applied: unknown[] = [];
    const consumer = bridgedConsumer(
      {
        apply: async (first: readonly TransactionPart[], _: AbortSignal, feed: PartFeed) => {
          const held = [...first, ...feed.take()];
          for (const { changes } of held) applied.push(...changes.map((change) => (change as InsertChange).after));
          feed.done(held.length);
          expect(feed.take()).toEqual([]);
        },
      } as unknown as Consumer,
      await bridged(),
      1_000_000,
    );
    const parts = [part(insert('1', '1', '1.50')), part(insert('2', '0', '2.50')), { ...part(), chunk }];
    const later = comesLater ? parts.splice(1) : [];
    const feed = { take: () => later.splice(0), done: () => {} } as unknown as PartFeed;
    await expect(consumer.apply(parts, new AbortController().signal, feed)).rejects.toMatchObject({
      code: 'TL-4602',
      place: { table: 'shop.item', column: 'sold', position: 'a chunk of the load' },
    });
    expect(applied).toEqual([
      ['1', 't', '1.5'],
      ['2', 'f', '2.5'],
    ]);
  }
});

test('a carried row stands in place of the one that it was made of, and changes that have one row each get their own', async () => {
  const bridge = await bridged();
  const shared: Row = ['1', '1', '1.50'];
  const given = part(
    { kind: 'insert', table, after: shared },
    { kind: 'update', table, before: shared, after: shared },
    { kind: 'delete', table, before: shared },
    { kind: 'update', table, before: ['1', '1', '1.50'], after: ['1', '2', '1.50'] },
  );
  const { changes, unmapped } = bridge.part(given);
  const carried = ['1', 't', '1.5'];
  expect(changes).toMatchObject([{ after: carried }, { before: carried, after: carried }, { before: carried }, {}]);
  expect(given.changes).toBe(changes);
  // What has no form is as it came.
  expect(unmapped).toMatchObject({ code: 'TL-4602' });
  expect(changes[3]).toMatchObject({
    kind: 'unmapped',
    change: {
      table: { name: 'item', columns: [{ type: 'int' }, {}, {}] },
      before: ['1', '1', '1.50'],
      after: ['1', '2', '1.50'],
    },
    known: { lacking: ['sold'] },
  });
});

test('rows that nobody looks into are not looked into here where each of their values is what it was', async () => {
  const types = ['pg_catalog.int4', 'pg_catalog.int4'];
  const of: TableVersion = {
    ...table,
    columns: types.map((type, at) => column(`c${at}`, type, at === 0)),
  };
  const carriedTo = async (second: string) => {
    const columns = async () => ['int', second].map((type, at) => ({ name: `c${at}`, type, modifier: -1 }));
    const bridge = new Bridge({ route: 'r', from: postgresTypes, to: mysqlTypes, conversions: {}, columns });
    await bridge.look([of]);
    const change = new PackedInsert(of, packed(['7', '8']));
    const [made] = bridge.part(part(change)).changes;
    expect(made).toBe(change);
    expect(change.table.columns.map(({ type }) => type)).toEqual(['int', second]);
    return change;
  };
  expect((await carriedTo('bigint')).isPacked).toBe(true);
  const short = await carriedTo('smallint');
  expect([short.isPacked, short.after]).toEqual([false, ['7', '8']]);
});

test('what waits is carried when the Consumer has use for it, so much at a time', async () => {
  const bridge = await bridged();
  const other: TableVersion = { ...table, name: 'other' };
  const parts = Array.from({ length: 8 }, (_, at): TransactionPart => {
    const of = at < 6 ? table : other;
    return { ...part({ kind: 'insert', table: of, after: [`${at}`, '1', '1.50'] }), bytes: 100 };
  });
  const isCarried = (): string =>
    parts.map(({ changes: [change] }) => (change?.kind === 'insert' && change.after[1] === 't' ? '+' : '-')).join('');
  const steps: string[] = [];
  const done: number[] = [];
  const consumer = bridgedConsumer(
    {
      apply: async (first: readonly TransactionPart[], _: AbortSignal, feed: PartFeed) => {
        const held = [...first];
        while (held.length > 0) {
          steps.push(
            `${held.map(({ changes: [change] }) => (change as InsertChange).after[0]).join('')} ${isCarried()}`,
          );
          held.shift();
          feed.done(1);
          held.push(...feed.take());
        }
      },
    } as unknown as Consumer,
    bridge,
    250,
  );
  const later = parts.slice(3);
  const feed = { take: () => later.splice(0), done: (count: number) => done.push(count) } as unknown as PartFeed;
  await consumer.apply(parts.slice(0, 3), new AbortController().signal, feed);
  expect(steps).toEqual([
    '01 ++------',
    '12 +++-----',
    '23 ++++----',
    '34 +++++---',
    '45 ++++++--',
    // Of a table that has to be asked for.
    '5 ++++++--',
    '67 ++++++++',
    '7 ++++++++',
  ]);
  expect(done).toEqual(Array.from({ length: 8 }, () => 1));
});

/** A chunk of rows, as the Consumer is given it, and what became of them there. */
async function carriedChunk(rows: RowSet['rows']): Promise<RowSet> {
  const bridge = await bridged();
  let given: RowSet | undefined;
  const apply = async ([first]: readonly TransactionPart[]): Promise<void> => {
    given = first?.chunk?.sets[0];
  };
  const consumer = bridgedConsumer({ apply } as unknown as Consumer, bridge, 250);
  const chunk = { sets: [{ table, telling: [], touched: false, rows }] } as unknown as LoadedChunk;
  await consumer.apply([{ ...part(), chunk }], new AbortController().signal);
  // What becomes of the columns meanwhile is not what the Consumer was told.
  await bridge.renew([table]);
  if (given === undefined) throw new Error('no chunk was given');
  return given;
}

test('rows of a load that somebody else may have are not changed', async () => {
  const shared: Row = ['1', '1', '1.50'];
  const { rows } = await carriedChunk([shared, shared]);
  expect(rows).toEqual([
    ['1', 't', '1.5'],
    ['1', 't', '1.5'],
  ]);
  expect(shared).toEqual(['1', '1', '1.50']);
});

test('rows of a load that come as text are carried when they are asked for, as often as that is', async () => {
  const text = [Buffer.from('1\t1\t1.50\n2\t0\t\\N\n'), Buffer.from('3\t1\t2.00\n')];
  const set = await carriedChunk({ text, count: 3 });
  const carried = [
    ['1', 't', '1.5'],
    ['2', 'f', null],
    ['3', 't', '2'],
  ];
  expect([rowsOf(set), rowsOf(set), countOf(set)]).toEqual([carried, carried, 3]);
  expect([...piecesOf(set)]).toEqual([carried.slice(0, 2), carried.slice(2)]);
  const refused = await carriedChunk({ text: [...text, Buffer.from('4\t2\t1.00\n')], count: 4 });
  const pieces = piecesOf(refused);
  expect([pieces.next().value, pieces.next().value]).toEqual([carried.slice(0, 2), carried.slice(2)]);
  expect(() => pieces.next()).toThrow(expect.objectContaining({ code: 'TL-4602' }) as Error);
});
