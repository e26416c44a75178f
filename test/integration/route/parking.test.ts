import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const secret = 'a-value-nobody-may-read';

const schema = `
  CREATE TABLE customer (id int PRIMARY KEY, code text UNIQUE, note text);
  CREATE TABLE purchase (id int PRIMARY KEY, customer int NOT NULL REFERENCES customer, amount numeric, note text);
  CREATE TABLE loose (v int, note text);
  ALTER TABLE loose REPLICA IDENTITY FULL;
`;

const tables = ['customer', 'purchase', 'loose'];

async function running({ onError = 'park', more = '' } = {}) {
  const { source, target } = await servers.pair();
  await Promise.all([source, target].map((db) => db.query(schema)));
  await source.query(`INSERT INTO customer SELECT i, 'c' || i, 'n' FROM generate_series(1, 9) i`);
  const file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\napply: { onError: ${onError} }\n${more}`,
  });
  const route = file.run();
  await route.state('running');
  return { source, target, file, route };
}

/** Notes that begin with "bad" are refused at the target. */
async function refuse(target: TestDatabase): Promise<void> {
  for (const table of tables)
    await target.query(`ALTER TABLE ${table} ADD CONSTRAINT ${table}_refuses CHECK (note NOT LIKE 'bad%')`);
}

async function mend(target: TestDatabase): Promise<void> {
  for (const table of tables) await target.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_refuses`);
}

async function parked(file: RouteFile): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await file.tidelock('parked', 'list', 'here-to-there', '--json');
  expect([code, err]).toEqual([0, '']);
  return (JSON.parse(out) as { parked: Record<string, unknown>[] }).parked;
}

test('what the target refuses is set aside with what touches its keys, the rest goes on, and a retry makes it whole', async () => {
  const { source, target, file, route } = await running();
  await using _route = route;
  using _file = file;
  await refuse(target);
  await source.query(`INSERT INTO customer VALUES (10, 'c10', 'bad ${secret}')`);
  // Together with what comes later to the same row it would not be refused.
  await until('it is parked', async () => (await target.query('SELECT FROM tidelock.parked')).length === 1);
  await source.query(`INSERT INTO customer VALUES (11, 'c11', 'good')`);
  await source.query(`INSERT INTO purchase VALUES (1, 10, 5, 'of the parked')`);
  await source.query(`INSERT INTO purchase VALUES (2, 1, 5, 'of another')`);
  await source.query(`UPDATE purchase SET amount = 6 WHERE id = 1`);
  await source.query(
    `BEGIN; UPDATE customer SET note = 'm' WHERE id = 2; UPDATE customer SET note = 'x' WHERE id = 10; COMMIT`,
  );
  await source.query(`UPDATE customer SET note = 'later' WHERE id = 2`);
  await source.query(`UPDATE customer SET note = 'free' WHERE id = 3; INSERT INTO loose VALUES (5, 'lost')`);
  await route.caughtUp();
  expect(await contents(target, ['purchase'])).toEqual({ purchase: ['(2,1,5,"of another")'] });
  expect(await target.query(`SELECT id, note FROM customer WHERE id IN (2, 3, 10, 11) ORDER BY 1`)).toEqual([
    { id: 2, note: 'n' },
    { id: 3, note: 'free' },
    { id: 11, note: 'good' },
  ]);
  const list = await parked(file);
  expect(list).toMatchObject([
    { cause: 'error', code: 'TL-2203', behind: null, rows: 1 },
    { cause: 'behind', code: 'TL-2401' },
    { cause: 'behind' },
    { cause: 'behind', rows: 2 },
    { cause: 'behind' },
  ]);
  const first = Number(list[0]?.id);
  expect(list[1]?.behind).toBe(first);
  const status = await file.status();
  expect(status).toMatchObject({ state: 'running', health: 'warning', parked: 5, parkedSince: list[0]?.position });
  expect((await file.tidelock('status')).out).toContain(String(list[0]?.position));
  // Nothing tells whether a row without a key is one that a retry will bring.
  const keyless = ['repair', 'here-to-there', 'public.loose', '--yes'];
  const before = await contents(target, ['loose']);
  await target.query(`INSERT INTO loose VALUES (6, 'nobody made it')`);
  const spoilt = await contents(target, ['loose']);
  expect(await file.tidelock(...keyless)).toMatchObject({ code: 2, err: expect.stringContaining('TL-4172') });
  expect(await contents(target, ['loose'])).toEqual(spoilt);
  expect(spoilt).not.toEqual(before);
  await target.query('DELETE FROM loose');
  expect(await file.tidelock(...keyless)).toMatchObject({ code: 2, err: expect.stringContaining('TL-4172') });
  expect(await contents(target, ['loose'])).toEqual({ loose: [] });
  // Not mended yet: it fails again and those behind it wait.
  const again = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
  expect(JSON.parse(again.out)).toMatchObject({
    applied: [],
    failed: [{ id: first }],
    waiting: list.slice(1).map(({ id }) => id),
  });
  expect(again.code).toBe(1);
  await mend(target);
  const refused = await file.tidelock('parked', 'retry', 'here-to-there', String(list[1]?.id));
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('TL-4203') });
  const done = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
  expect([done.code, done.err]).toEqual([0, '']);
  expect(await file.tidelock(...keyless)).toMatchObject({ code: 0 });
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(await parked(file)).toEqual([]);
  await source.query(`UPDATE customer SET note = 'at once' WHERE id = 10`);
  await route.caughtUp();
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(await file.status()).toMatchObject({ parked: 0, parkedSince: null, reason: null });
  expect(route.log + again.out + (await file.tidelock('status')).out).not.toContain(secret);
});

test('a halted route names the transaction; skip parks exactly that one, and the route goes on', async () => {
  const { source, target, file, route } = await running({ onError: 'halt' });
  await using _route = route;
  using _file = file;
  await refuse(target);
  await source.query(`INSERT INTO customer VALUES (10, 'c10', 'bad ${secret}')`);
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-2203', transaction: { id: expect.stringMatching(/^\d+$/) } });
  const { id = '' } = (reason as unknown as { transaction?: { id: string } }).transaction ?? {};
  expect(reason).toMatchObject({ remedy: expect.stringContaining(`--transaction ${id} --reason`) });
  await source.query(`UPDATE customer SET note = 'behind' WHERE id = 10`);
  await source.query(`UPDATE customer SET note = 'free' WHERE id = 1`);
  const skip = (transaction: string, ...more: string[]) =>
    file.tidelock('skip', 'here-to-there', '--transaction', transaction, ...more);
  expect(await skip(`${Number(id) + 1}`, '--reason', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('TL-4204'),
  });
  expect(await skip(id)).toMatchObject({ code: 2, err: expect.stringContaining('--reason TEXT') });
  expect(await skip(id, '--reason', 'mended by hand')).toMatchObject({ code: 0 });
  await route.caughtUp();
  expect(await target.query(`SELECT note FROM customer WHERE id IN (1, 10)`)).toEqual([{ note: 'free' }]);
  const list = await parked(file);
  expect(list).toMatchObject([{ cause: 'skip', transaction: id, reason: 'mended by hand' }, { cause: 'behind' }]);
  const [first = 0, second = 0] = list.map((one) => Number(one.id));
  const waited = await file.tidelock('wait', 'here-to-there', '--json');
  expect([waited.code, JSON.parse(waited.out)]).toMatchObject([1, { caughtUp: false, parked: 2 }]);

  // Nothing is told of the rows but where their values are asked for.
  const shown = await file.tidelock('parked', 'show', 'here-to-there', String(first));
  expect(shown.out).toMatch(/insert public\.customer [0-9a-f]{12}\n/);
  expect(shown.out).toContain('unique public.customer (code)');
  // The route goes on: what is to be done again is the transaction.
  expect(shown.out).toContain(`"tidelock parked retry here-to-there ${first}"`);
  expect(shown.out).not.toMatch(/tidelock (start|skip)|halted/);
  expect(shown.out + (await file.tidelock('parked', 'list', 'here-to-there')).out + route.log).not.toContain(secret);
  const values = await file.tidelock('parked', 'show', 'here-to-there', String(first), '--show-values', '--json');
  expect(JSON.parse(values.out)).toMatchObject({
    changes: [{ change: 'insert', tables: ['public.customer'], after: { id: '10', note: `bad ${secret}` } }],
  });

  const discard = ['parked', 'discard', 'here-to-there', String(second)];
  expect(await file.tidelock(...discard, '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
  const asked = await file.tidelock(...discard, '--reason', 'by hand');
  expect(asked.code).toBe(2);
  expect(asked.err).toMatch(/127\.0\.0\.1:\d+.*\n.*public\.customer ~1[\s\S]*TL-1013/);
  const discarded = await file.tidelock(...discard, '--reason', 'by hand', '--yes', '--json');
  expect(JSON.parse(discarded.out)).toMatchObject({ discarded: [second] });
  await mend(target);
  expect(await file.tidelock('parked', 'retry', 'here-to-there', String(first))).toMatchObject({ code: 0 });
  expect(await target.query(`SELECT note FROM customer WHERE id = 10`)).toEqual([{ note: `bad ${secret}` }]);
  expect((await file.tidelock('parked', 'show', 'here-to-there', String(first))).err).toContain('TL-4202');
});

test('a route that is stopped, or that nobody runs, is retried too', async () => {
  const { source, target, file, route } = await running();
  await using _route = route;
  using _file = file;
  await refuse(target);
  await source.query(`INSERT INTO customer VALUES (10, 'c10', 'bad')`);
  await source.query(`INSERT INTO customer VALUES (11, 'c11', 'bad')`);
  await route.caughtUp();
  await mend(target);
  const [first = 0] = (await parked(file)).map((one) => Number(one.id));
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  // By the engine, which has the lease and rests.
  expect(await file.tidelock('parked', 'retry', 'here-to-there', String(first))).toMatchObject({ code: 0 });
  expect(await target.query(`SELECT id FROM customer WHERE id > 9`)).toEqual([{ id: 10 }]);
  expect(await file.status()).toMatchObject({ state: 'stopped', parked: 1 });
  await route.stop();
  // By the command itself, under a lease of its own.
  expect(await file.tidelock('parked', 'retry', 'here-to-there', '--all')).toMatchObject({ code: 0 });
  expect(await contents(target, ['customer'])).toEqual(await contents(source, ['customer']));
  expect(await parked(file)).toEqual([]);
});

test('a definition is followed though the rows around it are set aside', async () => {
  const { source, target, file, route } = await running({ more: 'schemaChanges: evolve' });
  await using _route = route;
  using _file = file;
  await refuse(target);
  await source.query(
    `BEGIN; ALTER TABLE customer ADD COLUMN extra int; INSERT INTO customer VALUES (10, 'c10', 'bad', 7); COMMIT`,
  );
  await source.query(`INSERT INTO customer VALUES (11, 'c11', 'good', 8)`);
  // Refused at its end, with rows before the definition: read again.
  await source.query(
    `BEGIN; UPDATE purchase SET amount = 1; INSERT INTO loose VALUES (1, 'n'); ALTER TABLE loose ADD COLUMN extra int;
     INSERT INTO loose VALUES (2, 'bad', 1); COMMIT`,
  );
  await source.query(`UPDATE customer SET extra = 9 WHERE id = 1`);
  await route.caughtUp();
  expect(await target.query('SELECT id, extra FROM customer WHERE id IN (1, 10, 11) ORDER BY id')).toEqual([
    { id: 1, extra: 9 },
    { id: 11, extra: 8 },
  ]);
  expect(await target.query('SELECT extra FROM loose')).toEqual([]);
  expect(await parked(file)).toMatchObject([{ cause: 'error' }, { cause: 'error' }]);
  await mend(target);
  expect(await file.tidelock('parked', 'retry', 'here-to-there', '--all')).toMatchObject({ code: 0 });
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
});

test('a truncate of a shared table that was set aside deletes what came from here when it is retried, and nothing of others', async () => {
  const { source, target } = await servers.pair(
    'CREATE TABLE t (id int PRIMARY KEY, region text, note text); ALTER TABLE t REPLICA IDENTITY FULL',
  );
  await source.query(`INSERT INTO t VALUES (1, 'eu', 'held'), (2, 'eu', ''), (3, 'us', '')`);
  await target.query(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF OLD.note = 'held' THEN RAISE 'it is held'; END IF; RETURN OLD; END $$;
    CREATE TRIGGER hold BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION hold(); ALTER TABLE t ENABLE ALWAYS TRIGGER hold`);
  const tables = `tables: [{ name: public.t, where: "region = 'eu'" }]`;
  using file = new RouteFile({
    source,
    target,
    route: `${tables}\napply: { onError: park }\nallow: [targetTriggers]`,
  });
  await using route = file.run();
  await route.state('running');
  await target.query(`INSERT INTO t VALUES (100, 'us', 'theirs')`);
  await source.query(`TRUNCATE t; INSERT INTO t VALUES (4, 'eu', 'later')`);
  await source.query(`INSERT INTO t VALUES (5, 'eu', 'behind')`);
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual({ t: ['(1,eu,held)', '(100,us,theirs)', '(2,eu,"")'] });
  expect(await parked(file)).toMatchObject([{ cause: 'error', code: 'TL-2203' }, { cause: 'behind' }]);
  // Stored as it was mapped, and read by another worker.
  process.kill(await route.workerPid(), 'SIGKILL');
  await target.query(`UPDATE t SET note = '' WHERE id = 1`);
  const done = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
  expect([done.code, done.err]).toEqual([0, '']);
  expect(await contents(target, ['t'])).toEqual({ t: ['(100,us,theirs)', '(4,eu,later)', '(5,eu,behind)'] });
});
