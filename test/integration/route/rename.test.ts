import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { until } from '../../support/until.ts';
import { writerRestMs } from '../../support/writer-rest.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

const route = 'tables: [public.t]\nddl: replicate';

test('a renamed route goes on where it stood, whichever step was interrupted, and leaves nothing of its old name', async () => {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  const schema = 'CREATE TABLE t (id serial PRIMARY KEY, total int DEFAULT 0)';
  await Promise.all([source.query(schema), target.query(schema)]);
  using file = new RouteFile({ source, target, route });
  await using running = file.run();
  await running.state('running');
  expect(await file.tidelock('rename', 'nobody', 'other')).toMatchObject({ code: 2 });
  // What was open before the new publication was made is waited for: it is decoded without that.
  const open = await source.client();
  await open.query('BEGIN; INSERT INTO t DEFAULT VALUES');
  const early = await file.tidelock('rename', 'here-to-there', 'one', '--timeout', '300ms');
  expect(early).toMatchObject({ code: 2, err: expect.stringContaining('TL-4136') });
  await open.query('COMMIT');
  await open.end();
  // And what the route has not passed: the copy would decode it without the new publication, too.
  await running.caughtUp();
  const worker = await running.workerPid();
  process.kill(worker, 'SIGSTOP');
  await source.query('INSERT INTO t DEFAULT VALUES');
  const behind = await file.tidelock('rename', 'here-to-there', 'one', '--timeout', '2s');
  process.kill(worker, 'SIGCONT');
  expect(behind).toMatchObject({ code: 2, err: expect.stringContaining('has not confirmed') });
  let stop = false;
  const writer = (async () => {
    const client = await source.client();
    while (!stop) {
      await client.query('INSERT INTO t DEFAULT VALUES; UPDATE t SET total = total + 1 WHERE id % 50 = 1');
      await delay(writerRestMs);
    }
    await client.end();
  })();
  const rename = (failpoints: string) =>
    file.tidelockWith({ TIDELOCK_FAILPOINTS: failpoints }, 'rename', 'here-to-there', 'one', '--timeout', '120s');
  // A command that dies leaves the route as it was, and what it has left at the source is dropped by its engine.
  const slots = async () =>
    (await source.query('SELECT slot_name AS name FROM pg_replication_slots ORDER BY 1')).map(({ name }) => name);
  await rename('rename.copied=1:kill');
  expect(await slots()).toEqual(['test__here_to_there', 'test__one']);
  await target.query(`UPDATE tidelock.routes SET leftover_at = leftover_at - interval '1 minute'`);
  await until('the end of the copy', async () => (await slots()).length === 1);
  // The publication goes behind the slot.
  const publications = async () => (await source.query('SELECT FROM pg_publication')).length;
  await until('the end of its publication', async () => (await publications()) === 1);
  expect((await file.status()).state).toMatch(/running|catchingUp/);
  expect(running.log).not.toMatch(/fenced|route interrupted/);
  // So does one that fails, also behind the last look: its own.
  expect(await rename('rename.copied=1:throw')).toMatchObject({ code: 3 });
  expect(await slots()).toEqual(['test__here_to_there']);
  // The name is in the file before the command is through: the service takes the route up by itself.
  await rename('rename.prepared=1:kill');
  file.configure(route, 'one');
  await rename('rename.stored=1:kill');
  await running.state('running', 60_000, 'one');
  await target.query(`UPDATE tidelock.routes SET leftover_at = leftover_at - interval '1 minute'`);
  await until('the end of the old queue', async () => (await slots()).length === 1);
  expect(await rename('')).toMatchObject({ code: 0, out: 'here-to-there is one now\n' });
  await source.query('ALTER TABLE t ADD COLUMN later int DEFAULT 7');
  stop = true;
  await writer;
  await source.query('INSERT INTO t DEFAULT VALUES');
  await running.caughtUp();
  expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));
  expect(await source.query('SELECT slot_name AS name FROM pg_replication_slots')).toEqual([{ name: 'test__one' }]);
  expect(await source.query('SELECT pubname AS name FROM pg_publication')).toEqual([{ name: 'test__one' }]);
  const functions = await source.query(
    `SELECT prosrc LIKE '%test/one%' AS own FROM pg_proc WHERE proname LIKE 'tidelock_ddl%'`,
  );
  expect(functions).toEqual([{ own: true }]);
  expect(await target.query('SELECT key FROM tidelock.routes')).toEqual([{ key: 'test/one' }]);
  expect(await target.query(`SELECT FROM tidelock.actions WHERE route_key <> 'test/one'`)).toEqual([]);
  // The file has the old name still: the engine that had it and status say the same of it.
  expect(await file.tidelock('rename', 'one', 'two', '--timeout', '60s')).toMatchObject({ code: 0 });
  expect((await running.state('failed', 60_000, 'one')).reason?.code).toBe('TL-4139');
  expect(await file.status()).toMatchObject({ name: 'one', reason: { code: 'TL-4139' } });
  expect(running.log).not.toContain('TL-4013');
}, 180_000);
