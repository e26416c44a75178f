import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { begin, Reading, type ReadingOptions } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

test('inserts, updates, deletes and truncates come in commit order with what was logged of the old row', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, name text, big text)');
  await db.query('ALTER TABLE item ALTER big SET STORAGE EXTERNAL');
  await db.query('CREATE TABLE loose (a int, b text)');
  await db.query('ALTER TABLE loose REPLICA IDENTITY FULL');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await db.query(`INSERT INTO item VALUES (1, 'häuser 🏠', repeat('x', 10000)), (2, NULL, '')`);
  await db.query(`UPDATE item SET name = 'b' WHERE id = 1`);
  await db.query(`UPDATE item SET id = 3 WHERE id = 2`);
  await db.query(`DELETE FROM item WHERE id = 3`);
  await db.query(`INSERT INTO loose VALUES (1, 'x')`);
  await db.query(`DELETE FROM loose`);
  await db.query('TRUNCATE item RESTART IDENTITY');
  await reading.reached(await queue.source.mark());

  const changes = reading.parts.flatMap((part) => part.changes).filter(({ kind }) => kind !== 'heartbeat');
  expect(changes.map(({ kind }) => kind)).toEqual([
    'schemaChange',
    'insert',
    'insert',
    'update',
    'update',
    'delete',
    'schemaChange',
    'insert',
    'delete',
    // Emptied, its rows are kept elsewhere: the server describes it anew.
    'schemaChange',
    'truncate',
  ]);
  const [announced, first, second, unchanged, moved, gone, , , looseGone] = changes;
  expect(announced).toMatchObject({
    from: null,
    to: {
      schema: 'public',
      name: 'item',
      identity: 'default',
      columns: [
        { name: 'id', type: 'pg_catalog.int4', modifier: -1, key: true },
        { name: 'name', type: 'pg_catalog.text', modifier: -1, key: false },
        { name: 'big', type: 'pg_catalog.text', modifier: -1, key: false },
      ],
    },
  });
  expect(first).toMatchObject({ after: ['1', 'häuser 🏠', 'x'.repeat(10000)] });
  expect(second).toMatchObject({ after: ['2', null, ''] });
  expect(unchanged).toMatchObject({ before: null });
  expect(unchanged?.kind === 'update' && unchanged.after.map(String)).toEqual(['1', 'b', 'Symbol(tidelock.unchanged)']);
  expect(moved?.kind === 'update' && moved.before?.map(String)).toEqual([
    '2',
    'Symbol(tidelock.absent)',
    'Symbol(tidelock.absent)',
  ]);
  expect(moved).toMatchObject({ after: ['3', null, ''] });
  expect(gone?.kind === 'delete' && gone.before.map(String)).toEqual([
    '3',
    'Symbol(tidelock.absent)',
    'Symbol(tidelock.absent)',
  ]);
  expect(looseGone).toMatchObject({ before: ['1', 'x'] });
  expect(changes.at(-1)).toMatchObject({ restartIdentity: true });
  expect(await queue.source.tables()).toEqual([
    announced?.kind === 'schemaChange' && announced.to,
    // Of a table whose whole rows are logged the queue does not tell what the catalogue does: it has no key.
    changes[6]?.kind === 'schemaChange' && { ...changes[6].to, uniqueKeys: [] },
  ]);
  expect(reading.budget.usedBytes).toBe(0);
});

test('large messages of others and large rows of other tables are passed over, not held', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY, v text)');
  await db.query('ALTER TABLE other ALTER v SET STORAGE EXTERNAL; ALTER TABLE item ALTER v SET STORAGE EXTERNAL');
  await using queue = await begin(db, { tables: tableSelection('r', [{ ...wholeTable, name: 'public.item' }], []) });
  // It would have every table of a publication that somebody else keeps.
  const [publication] = await db.query('SELECT pubname FROM pg_publication');
  await db.query(`ALTER PUBLICATION ${String(publication?.pubname)} ADD TABLE other`);
  await using reading = new Reading(queue);
  await reading.reached(await queue.source.mark());
  const before = process.memoryUsage.rss();
  const large = `repeat('x', 200000000)`;
  await db.query(`BEGIN; SELECT FROM pg_logical_emit_message(true, 'app', ${large}); INSERT INTO item VALUES (1, 'a');
    INSERT INTO other VALUES (1, ${large}); INSERT INTO item VALUES (2, repeat('y', 1500000)); COMMIT`);
  await db.query(`SELECT pg_logical_emit_message(false, 'app', ${large})`);
  await db.query(`INSERT INTO item VALUES (3, NULL)`);
  await reading.reached(await queue.source.mark());
  expect(reading.rows).toEqual([
    ['1', 'a'],
    ['2', 'y'.repeat(1_500_000)],
    ['3', null],
  ]);
  expect(process.memoryUsage.rss() - before).toBeLessThan(150_000_000);
});

test('a large transaction of a backlog is given out while it is decoded, unless something comes between', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  await db.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET logical_decoding_work_mem = ''64kB''', current_database()); END $$`,
  );
  await using queue = await begin(db);
  const fill = (from: number, to: number): string =>
    `INSERT INTO item SELECT i, repeat('x', 200) FROM generate_series(${from}, ${to}) i`;
  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const ids = (reading: Reading): number[] => reading.rows.map(([id]) => Number(id));
  let told = 0;
  const early = { isWelcome: () => true, onEarly: () => told++ };
  let { start } = queue;
  const read = async (change: Partial<ReadingOptions>): Promise<Reading> => {
    await using reading = new Reading({ ...queue, start, ...change });
    const end = await queue.source.mark();
    await reading.reached(end).catch((error) => error);
    start = reading.checkpoint;
    return reading;
  };

  await db.query(fill(1, 2_000));
  const first = await read({ early });
  expect([first.error, told]).toEqual([null, 1]);
  expect(ids(first)).toEqual(numbers(1, 2_000));
  expect(first.parts.filter(({ rows, commit }) => rows > 0 && commit !== null)).toHaveLength(1);

  const slow = await db.client();
  await slow.query(`BEGIN; ${fill(3_000, 5_000)}`);
  await db.query('INSERT INTO item VALUES (0)');
  await slow.query(`${fill(5_001, 6_000)}; COMMIT`);
  expect((await read({ early })).error).toMatchObject({ code: 'TL-3122', recovery: 'retry' });
  expect(told).toBeGreaterThan(1);
  expect(ids(await read({}))).toEqual([0, ...numbers(3_000, 6_000)]);

  // What is rolled back has been sent by then.
  await slow.query(`BEGIN; ${fill(7_000, 8_000)}; SAVEPOINT a; ${fill(8_001, 9_000)}; ROLLBACK TO a; COMMIT`);
  expect((await read({ early })).error).toMatchObject({ code: 'TL-3122' });
  expect(ids(await read({}))).toEqual(numbers(7_000, 8_000));

  // One that has not ended is not begun with. A commit of something else writes its log to disk, which a backlog is measured by.
  await slow.query(`BEGIN; ${fill(10_000, 12_000)}`);
  await db.query('CREATE TABLE other (id int)');
  expect((await read({ early })).error).toMatchObject({ code: 'TL-3122' });
  await slow.end();
});
