import { expect, test } from 'vitest';
import type { BegunLoad, Existing, LoadedChunk } from '../../../src/core/load.ts';
import type { Loader } from '../../../src/core/target.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { contents } from '../../support/compare.ts';
import { twoServers } from '../../support/two-servers.ts';
import { type Stage, stage } from './harness.ts';

const servers = twoServers();
const signal = new AbortController().signal;

/** The last of a load's chunks, whose rows are all there. */
const lastChunk: LoadedChunk = {
  source: 'public.item',
  load: '1',
  sets: [],
  progress: { after: ['2'], ended: true, readAgain: [], rows: 2, bytes: 20, done: true, tableId: '1' },
  reserved: { bytes: 0, ms: 0 },
};

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v int); CREATE TABLE mark (n int PRIMARY KEY)';
const begun = `
  INSERT INTO tidelock.loads (route_id, source, targets, existing, key, expected_rows, expected_bytes)
  SELECT id, 'public.item', '["public.item"]', 'refuse', '["id"]', 2, 20 FROM tidelock.routes`;

/** A transaction of the source's that carries the chunk. */
async function carrier(on: Stage): Promise<TransactionPart> {
  await on.source.query('INSERT INTO mark VALUES (1)');
  const [part] = (await on.capture()).filter(({ rows }) => rows > 0);
  if (part === undefined) throw new Error('no part to carry the chunk');
  return { ...part, changes: [], rows: 0, chunk: lastChunk };
}

/** Of a job's load of the table. */
function beginOf(parts: readonly TransactionPart[], existing: Existing): BegunLoad {
  const inserts = parts.flatMap(({ changes }) => changes.filter((change) => change.kind === 'insert'));
  const table = inserts.find((insert) => insert.table.name === 'item')?.table;
  if (table === undefined) throw new Error('no row of the table');
  const load = {
    source: 'public.item',
    targets: ['public.item'],
    where: null,
    key: ['id'],
    expectedRows: 1,
    expectedBytes: 8,
    job: 1,
  };
  return { load: { ...load, existing }, tables: [table], telling: [[['id']]], where: null };
}

test('what rides behind the last chunk of a load finds its rows, or tells that they are missing', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  await on.target.query(begun);
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO item VALUES (1, 0), (2, 0)');
  await consumer.apply(await on.capture(), signal);
  // Somebody else's doing.
  await on.target.query('DELETE FROM item WHERE id = 2');
  // While rows may be missing, this is no collision.
  await on.source.query('UPDATE item SET v = 1');
  await consumer.apply(await on.capture(), signal);

  const chunk = await carrier(on);
  await on.source.query('UPDATE item SET v = 2 WHERE id = 2');
  await expect(consumer.apply([chunk, ...(await on.capture())], signal)).rejects.toMatchObject({ code: 'TL-2201' });
  expect(await contents(on.target, ['item'])).toEqual({ item: ['(1,1)'] });
});

test('a chunk that an earlier connection has committed after all is not refused: the route starts again behind it', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  await on.target.query(begun);
  const [one, two] = [await on.consumer(), await on.consumer()];
  const chunk = await carrier(on);
  await one.apply([chunk], signal);
  await expect(two.apply([chunk], signal)).rejects.toMatchObject({ code: 'TL-2205', recovery: 'retry' });
});

test('a load does not begin where something is parked, which would halt the route', async () => {
  const apply = {
    groupRows: 100,
    groupTimeMs: 0,
    lanes: 1,
    onError: 'park' as const,
    maxRowBytes: 1e8,
    memoryBytes: 1e8,
  };
  await using on = await stage(servers.here, servers.there, { schema, route: { apply } });
  await on.source.query('INSERT INTO item VALUES (1, 0)');
  const parts = await on.capture();
  const consumer = await on.consumer();
  await consumer.apply(parts, signal);
  const begins = beginOf(parts, 'merge');
  expect(await on.targetEnd.checkLoads([begins])).toEqual([]);
  await on.target.query('ALTER TABLE item ADD CHECK (v < 100)');
  await on.source.query('INSERT INTO item VALUES (2, 100)');
  await consumer.apply(await on.capture(), signal);
  expect(consumer.parked().count).toBe(1);
  expect(await on.targetEnd.checkLoads([begins])).toMatchObject([{ code: 'TL-2307' }]);
});

test('rows that the stream has brought since a load was asked for do not halt the route', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO mark VALUES (1); INSERT INTO item VALUES (1, 0); DELETE FROM item');
  const parts = await on.capture();
  await consumer.apply(parts, signal);
  const begins = beginOf(parts, 'refuse');
  expect(await on.targetEnd.checkLoads([begins])).toEqual([]);
  await on.source.query('INSERT INTO item VALUES (2, 0)');
  await expect(consumer.apply(await on.capture(), signal)).resolves.toBeUndefined();
  expect(await on.targetEnd.checkLoads([begins])).toMatchObject([{ code: 'TL-2301' }]);
  await on.source.query('INSERT INTO mark VALUES (2)');
  const [part] = (await on.capture()).filter(({ rows }) => rows > 0);
  if (part === undefined) throw new Error('no part to carry the begin');
  await consumer.apply([{ ...part, changes: [], rows: 0, begins }], signal);
  expect(await on.target.query('SELECT source, job FROM tidelock.loads')).toEqual([
    { source: 'public.item', job: '1' },
  ]);
  expect(await contents(on.target, ['item'])).toEqual({ item: ['(2,0)'] });
});

test('an identity that is always generated follows the source while its table is loaded, too', async () => {
  const identity = `
    CREATE TABLE item (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int);
    CREATE TABLE own (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
    ALTER TABLE own ALTER v SET STORAGE EXTERNAL`;
  await using on = await stage(servers.here, servers.there, { schema: identity });
  await on.target.query(begun.replaceAll('public.item"]', 'public.item", "public.own"]'));
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO item (id, v) VALUES (1, 0), (2, 0)');
  await on.source.query(`INSERT INTO own (v) VALUES (repeat('x', 5000)), ('y')`);
  await consumer.apply(await on.capture(), signal);
  // Not loaded yet.
  await on.target.query('DELETE FROM item WHERE id = 2; DELETE FROM own WHERE id = 2');
  await on.source.query('UPDATE item SET n = DEFAULT, v = 1');
  await on.source.query(`UPDATE own SET id = DEFAULT`);
  await consumer.apply(await on.capture(), signal);
  expect(await contents(on.target, ['item'])).toEqual({ item: ['(1,3,1)'] });
  expect(await on.target.query('SELECT id, length(v) FROM own')).toEqual([{ id: 3, length: 5000 }]);
});

test('rows that a load replaces go bit by bit, and whoever comes after a kill goes on; what is of others stays', async () => {
  const shape = `${schema}; CREATE TABLE referring (id int REFERENCES item)`;
  await using on = await stage(servers.here, servers.there, { schema: shape });
  await on.source.query('INSERT INTO item VALUES (0, 0)');
  const parts = await on.capture();
  const first = await on.consumer();
  await first.apply(parts, signal);
  await on.target.query(`INSERT INTO item SELECT n, 0 FROM generate_series(1, 50000) n`);
  const begins = beginOf(parts, 'replace');
  const where = { text: 'id % 2 = 0', plain: null, names: [new Map([['id', 'id']])] };
  let marks = 0;
  const carried = async (more: Partial<TransactionPart>): Promise<TransactionPart> => {
    await on.source.query(`INSERT INTO mark VALUES (${++marks})`);
    const [part] = (await on.capture()).filter(({ rows }) => rows > 0);
    if (part === undefined) throw new Error('no part to carry it');
    return { ...part, changes: [], rows: 0, ...more };
  };
  const left = async (): Promise<number> =>
    Number((await on.target.query('SELECT count(*) AS n FROM item WHERE id % 2 = 0'))[0]?.n);
  await first.apply(
    [await carried({ begins: { ...begins, load: { ...begins.load, where: where.text }, where } })],
    signal,
  );
  // Another table points to it: nothing has gone yet.
  expect(await left()).toBe(25_001);
  const progress = { ...lastChunk.progress, after: null, ended: false, rows: 0, bytes: 0, done: false };
  const chunk = (): LoadedChunk => ({ ...lastChunk, progress, empties: { tables: begins.tables, where } });
  const one = chunk();
  await first.apply([await carried({ chunk: one })], signal);
  expect(one.emptied).toBe(false);
  const afterOne = await left();
  expect(afterOne).toBeLessThan(25_001);
  expect(afterOne).toBeGreaterThan(0);
  const stored = 'SELECT emptied FROM tidelock.loads';
  expect(await on.target.query(stored)).toEqual([{ emptied: false }]);

  const next = await on.consumer();
  // It is written anew: rows come to pages that were looked at.
  await next.apply([await carried({ chunk: chunk() })], signal);
  await on.target.query('VACUUM FULL item');
  await next.apply([await carried({ chunk: chunk() })], signal);
  // The source is emptied, which marks rows: they come to pages that were looked at, and that are free by now.
  const gone = 4_000;
  await on.target.query(`DELETE FROM item WHERE id % 2 = 1 AND id < ${2 * gone}`);
  await on.target.query('VACUUM item');
  const tables = begins.tables.map((table) => ({ ...table, kept: { mark: { column: 1, value: '7' } } }));
  await next.apply([await carried({ changes: [{ kind: 'truncate', tables, restartIdentity: false }] })], signal);
  for (let steps = 0; ; steps++) {
    const more = chunk();
    await next.apply([await carried({ chunk: more })], signal);
    if (more.emptied) break;
    expect(steps).toBeLessThan(100);
  }
  expect(await on.target.query('SELECT v, count(*)::int AS n FROM item GROUP BY v')).toEqual([
    { v: 7, n: 25_000 - gone },
  ]);
  expect(await left()).toBe(0);
  expect(await on.target.query(stored)).toEqual([{ emptied: true }]);
});

test('what an earlier connection sends behind rows that were brought beside the stream is refused: they are newer', async () => {
  const shape = 'CREATE TABLE bare (v text); ALTER TABLE bare REPLICA IDENTITY FULL';
  await using on = await stage(servers.here, servers.there, { schema: shape });
  await on.source.query(`INSERT INTO bare VALUES ('a')`);
  const parts = await on.capture();
  const [insert] = parts.flatMap(({ changes }) => changes.filter((change) => change.kind === 'insert'));
  if (insert === undefined) throw new Error('no row of the table');
  const load = { source: 'public.bare', targets: ['public.bare'], existing: 'refuse' as const, where: null, key: [] };
  const anew: BegunLoad = {
    ...{ load: { ...load, expectedRows: 1, expectedBytes: 1, job: null }, tables: [insert.table] },
    ...{ telling: [], where: null },
  };
  const at = await on.position();
  const ways: ((loader: Loader) => Promise<void> | undefined)[] = [
    (loader) => loader.beginAnew?.([anew]),
    (loader) => loader.commitTables([]),
    (loader) => loader.commitChange({ removed: [], tables: [], applied: on.route.describe() }),
  ];
  for (const way of ways) {
    const straggler = await on.consumer();
    await way(await on.targetEnd.loader({ epoch: on.epoch, sourceNode: 'source', position: at }));
    await expect(straggler.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2205', recovery: 'retry' });
    await straggler.close();
    expect(await contents(on.target, ['bare'])).toEqual({ bare: [] });
    expect(await on.position()).toBe(at);
  }
  await (await on.consumer()).apply(parts, signal);
  expect(await contents(on.target, ['bare'])).toEqual({ bare: ['(a)'] });
});

test('rows of a chunk that the target keeps out are told, where others of it are there already, too', async () => {
  const collation = `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;
  const word = (kind: string): string => `CREATE TABLE word (w text ${kind} PRIMARY KEY);`;
  await using on = await stage(servers.here, servers.there, {
    schema,
    sourceSchema: `; ${word('')}`,
    targetSchema: `; ${collation}; ${word('COLLATE ci')}
      CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.id = 2 THEN RETURN NULL; END IF; RETURN new; END';
      CREATE TRIGGER swallow BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION swallow(); ALTER TABLE item ENABLE ALWAYS TRIGGER swallow`,
    route: { allow: ['targetTriggers'] },
  });
  await on.target.query(`${begun}; ${begun.replaceAll('public.item', 'public.word').replace('"id"', '"w"')}`);
  await on.source.query(`INSERT INTO item VALUES (1, 0); INSERT INTO word VALUES ('there')`);
  const parts = await on.capture();
  const tableOf = (name: string) => {
    const inserts = parts.flatMap(({ changes }) => changes.filter((change) => change.kind === 'insert'));
    const found = inserts.find(({ table }) => table.name === name)?.table;
    if (found === undefined) throw new Error(`no row of ${name}`);
    return found;
  };
  await (await on.consumer()).apply(parts, signal);
  const carried = await carrier(on);
  const chunkOf = (name: string, key: string, rows: readonly string[][]): TransactionPart => {
    const set = { table: tableOf(name), telling: [[key]], touched: false, rows };
    return { ...carried, chunk: { ...lastChunk, source: `public.${name}`, sets: [set] } };
  };
  const refusing = async (part: TransactionPart): Promise<void> => {
    const consumer = await on.consumer();
    await expect(consumer.apply([part], signal)).rejects.toMatchObject({ code: 'TL-2303' });
    await consumer.close();
  };
  // A trigger keeps one; two of the source have one key here.
  await refusing(
    chunkOf('item', 'id', [
      ['1', '0'],
      ['2', '0'],
    ]),
  );
  await refusing(chunkOf('word', 'w', [['there'], ['a'], ['A']]));
  expect(await contents(on.target, ['item', 'word'])).toEqual({ item: ['(1,0)'], word: ['(there)'] });
  await (await on.consumer()).apply(
    [
      chunkOf('item', 'id', [
        ['1', '0'],
        ['3', '0'],
      ]),
    ],
    signal,
  );
  expect(await contents(on.target, ['item'])).toEqual({ item: ['(1,0)', '(3,0)'] });
});
