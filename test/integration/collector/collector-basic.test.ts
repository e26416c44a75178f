import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { begin, Reading } from './reading.ts';

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
    changes[6]?.kind === 'schemaChange' && changes[6].to,
  ]);
  expect(reading.budget.usedBytes).toBe(0);
});
