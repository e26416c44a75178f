import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

const secret = 'a-value-nobody-may-read';

const schema = `
  CREATE TABLE customer (id int PRIMARY KEY, code text UNIQUE, note text);
  CREATE TABLE purchase (id int PRIMARY KEY, customer int NOT NULL REFERENCES customer, amount numeric, note text);
  CREATE TABLE loose (v int, note text);
  ALTER TABLE loose REPLICA IDENTITY FULL;
`;

const tables = ['customer', 'purchase', 'loose'];

async function running({ onError = 'park', env = {}, more = '' } = {}) {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source, target].map((db) => db.query(schema)));
  await source.query(`INSERT INTO customer SELECT i, 'c' || i, 'n' FROM generate_series(1, 9) i`);
  const file = new RouteFile({ source, target, route: `tables: ["public.*"]\napply: { onError: ${onError}${more} }` });
  const route = file.run(env);
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
  await source.query(`INSERT INTO customer VALUES (11, 'c11', 'good')`);
  await source.query(`INSERT INTO purchase VALUES (1, 10, 5, 'of the parked')`);
  await source.query(`INSERT INTO purchase VALUES (2, 1, 5, 'of another')`);
  await source.query(`UPDATE purchase SET amount = 6 WHERE id = 1`);
  await source.query(
    `BEGIN; UPDATE customer SET note = 'm' WHERE id = 2; UPDATE customer SET note = 'x' WHERE id = 10; COMMIT`,
  );
  await source.query(`UPDATE customer SET note = 'later' WHERE id = 2`);
  await source.query(`UPDATE customer SET note = 'free' WHERE id = 3`);
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
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(await parked(file)).toEqual([]);
  await source.query(`UPDATE customer SET note = 'at once' WHERE id = 10`);
  await route.caughtUp();
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(await file.status()).toMatchObject({ parked: 0, parkedSince: null, reason: null });
  expect(route.log + again.out + (await file.tidelock('status')).out).not.toContain(secret);
});
