import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
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

const tables = ['a', 'b', 'c', 'd'] as const;

async function pair(): Promise<{ source: TestDatabase; target: TestDatabase }> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  const columns = 'id int PRIMARY KEY, total int NOT NULL DEFAULT 0, region text, email text';
  const schema = tables.map((name) => `CREATE TABLE ${name} (${columns}); ALTER TABLE ${name} REPLICA IDENTITY FULL;`);
  await Promise.all([
    source.query(schema.join('')),
    target.query(`${schema.join('')} CREATE SCHEMA crm; CREATE TABLE crm.a (${columns})`),
  ]);
  for (const name of tables)
    await source.query(
      `INSERT INTO ${name} SELECT n, n, CASE n % 2 WHEN 0 THEN 'EU' ELSE 'US' END, 'm' || n FROM generate_series(1, 200) n`,
    );
  return { source, target };
}

test('a changed definition is refused with the plan, and carried out when it was agreed to', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a, public.b]' });
  {
    await using route = file.run();
    await route.state('running');
    expect((await file.tidelock('plan')).code).toBe(0);
    await route.stop();
  }
  file.configure('tables: [public.b, public.c, { name: public.a, where: "region = \'EU\'" }]\nnewTables: ignore');
  const planned = await file.tidelock('plan');
  expect(planned).toMatchObject({ code: 1, err: '' });
  expect(planned.out).toContain('~ public.a  where: loaded again, the rows of public.a are replaced');
  expect(planned.out).toContain('+ public.c  loaded into public.c');
  expect(planned.out).toContain('200 rows of public.a at there (');
  await using route = file.run();
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-4130', message: expect.stringContaining('~ public.a  where') });
  expect(await file.tidelock('apply')).toMatchObject({ code: 2, err: expect.stringContaining('TL-4134') });
  await source.query('UPDATE b SET total = total + 1');
  expect(await file.tidelock('apply', '--yes')).toMatchObject({ code: 0, out: 'here-to-there: applied\n' });
  await route.state('running');
  await source.query(`UPDATE a SET region = 'EU' WHERE id = 1; DELETE FROM c WHERE id < 5`);
  await route.caughtUp();
  expect(await contents(target, ['b', 'c'])).toEqual(await contents(source, ['b', 'c']));
  expect((await contents(target, ['a'])).a).toEqual(
    (await source.query(`SELECT a::text AS row FROM a WHERE region = 'EU' ORDER BY 1`)).map(({ row }) => row),
  );
  expect((await file.tidelock('plan')).code).toBe(0);
});

/** Changes rows of all tables, each transaction of several, until it is stopped. */
async function writing(source: TestDatabase): Promise<{ stop(): Promise<void> }> {
  let stopped = false;
  const writers = [1].map(async (writer) => {
    const client = await source.client();
    for (let number = 1; !stopped; number++) {
      const id = 1 + ((number * 7 + writer) % 200);
      await client.query('BEGIN');
      for (const name of tables) {
        await client.query(
          `UPDATE ${name} SET total = total + 1, region = CASE region WHEN 'EU' THEN 'US' ELSE 'EU' END WHERE id = ${id}`,
        );
        await client.query(
          `INSERT INTO ${name} VALUES (${1000 * writer + number}, 1, 'EU', 'w') ON CONFLICT DO NOTHING`,
        );
        if (number % 3 === 0) await client.query(`DELETE FROM ${name} WHERE id = ${1000 * writer + number - 2}`);
      }
      await client.query('COMMIT');
      await delay(writerRestMs);
    }
    await client.end();
  });
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(writers);
    },
  };
}

const rowsOf = async (database: TestDatabase, sql: string): Promise<unknown[]> =>
  (await database.query(`SELECT t::text AS row FROM (${sql}) t ORDER BY 1`)).map(({ row }) => row);

/** The route and its worker go on by themselves, whichever step the worker was killed in. */
async function applied(file: RouteFile, route: RunningRoute, ...args: string[]): Promise<void> {
  const outcome = await route.unhalted(file.tidelock('apply', '--yes', ...args));
  expect(outcome, route.log.slice(-3000)).toMatchObject({ code: 0, out: 'here-to-there: applied\n' });
}

/** Before and after the commit of a change that loads, and before the commit of one that does not: a worker each. */
const kills = 'tables.loaded=1:kill,change.done=1:kill@1,change.stored=1:kill@2';

test('tables come, go, are filtered, mapped and moved while the others are written and flow on, over kills of the worker', {
  timeout: 180_000,
}, async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a, public.b]' });
  await using route = file.run({ TIDELOCK_FAILPOINTS: kills });
  await route.state('running');
  const writer = await writing(source);
  // A table comes: nobody has to agree.
  file.configure('tables: [public.a, public.b, public.c]');
  route.hangUp();
  const joined = async (): Promise<boolean> => (await target.query('SELECT FROM tidelock.tables')).length === 3;
  await route.unhalted(until('table c', joined));
  // One is filtered, one moves, one comes, in one go.
  file.configure(
    `tables: [{ name: public.a, to: crm.a }, { name: public.b, where: "region = 'EU'", columns: { exclude: [email] } }, public.c, public.d]`,
  );
  await applied(file, route);
  // One leaves, and one is masked from now on.
  file.configure(
    `tables: [{ name: public.a, to: crm.a }, { name: public.b, where: "region = 'EU'", columns: { exclude: [email] } }, { name: public.d, transforms: [{ mask: { columns: [email], method: redact } }] }]`,
  );
  await applied(file, route, '--keep-rows', 'public.d');
  const left = await rowsOf(target, 'SELECT * FROM c');
  // Those that were written since are masked; the others were kept.
  const kept = await rowsOf(target, `SELECT * FROM d WHERE email <> '***'`);
  await source.query(`INSERT INTO c VALUES (5000, 0, 'EU', 'late'); INSERT INTO d VALUES (5000, 0, 'EU', 'late')`);
  await writer.stop();
  await route.unhalted(route.caughtUp());
  expect(await rowsOf(target, 'SELECT * FROM crm.a')).toEqual(await rowsOf(source, 'SELECT * FROM a'));
  expect(await rowsOf(target, 'SELECT * FROM b')).toEqual(
    await rowsOf(source, `SELECT id, total, region, null AS email FROM b WHERE region = 'EU'`),
  );
  const all = 'SELECT id, total, region FROM d';
  expect(await rowsOf(target, all)).toEqual(await rowsOf(source, all));
  expect(await target.query('SELECT email FROM d WHERE id = 5000')).toEqual([{ email: '***' }]);
  expect(kept.length).toBeGreaterThan(0);
  // What has left stays as it was.
  expect(await rowsOf(target, 'SELECT * FROM c')).toEqual(left);
  expect(await source.query('SELECT tablename FROM pg_publication_tables ORDER BY 1')).toEqual(
    ['a', 'b', 'd'].map((tablename) => ({ tablename })),
  );
  expect(await source.query('SELECT slot_name FROM pg_replication_slots WHERE temporary')).toEqual([]);
  expect(route.log.split('worker died')).toHaveLength(4);
  expect((await file.tidelock('plan')).code).toBe(0);
});

test('a running route keeps what it was taken up with, whatever becomes of the file', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a]' });
  await using route = file.run();
  await route.state('running');
  const worker = await route.workerPid();
  // What would lose rows is refused with the plan, and the route goes on as it was, also after a crash.
  file.configure('tables: [{ name: public.a, where: "total > 10" }]');
  route.hangUp();
  await route.logged('needs \\"tidelock apply --yes\\"');
  process.kill(worker, 'SIGKILL');
  await until('another worker', async () => (await route.workerPid()) !== worker);
  await route.state('running');
  await source.query('UPDATE a SET total = 1 WHERE id > 190');
  await route.caughtUp();
  expect(await contents(target, ['a'])).toEqual(await contents(source, ['a']));
});

test('what can not be carried out is told, and the route goes on as it was', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a]' });
  await using route = file.run();
  await route.state('running');
  // A file that can't be read changes nothing.
  file.configure('tables: [public.a');
  route.hangUp();
  await route.logged('could not be taken over');
  // What halts at the change goes back to what it was, and the command tells why.
  await target.query('CREATE VIEW v AS SELECT * FROM a; DROP TABLE b');
  file.configure('tables: [public.a, public.b]');
  expect(await file.tidelock('apply')).toMatchObject({ code: 2, err: expect.stringContaining('TL-2101') });
  const { journal } = JSON.parse((await file.tidelock('journal', '--json')).out) as { journal: object[] };
  expect(journal[0]).toMatchObject({ action: 'apply', result: 'refused', code: 'TL-4106', route: 'here-to-there' });
  // A table that can't be mapped as the source logs it is an obstacle, beside what the plan is.
  await source.query('ALTER TABLE d REPLICA IDENTITY DEFAULT');
  file.configure(`tables: [{ name: public.a, where: "region = 'EU'" }, { name: public.d, where: "region = 'EU'" }]`);
  const planned = await file.tidelock('plan');
  expect(planned).toMatchObject({ code: 1, err: '' });
  expect(planned.out).toContain('~ public.a  where: loaded again');
  expect(planned.out).toContain('+ public.d  loaded into public.d');
  expect(planned.out).toMatch(/^ {2}TL-4502 .*reads region.*\n {4}.*REPLICA IDENTITY FULL/m);
  expect(await file.tidelock('apply', '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('TL-4106') });
  await source.query('ALTER TABLE c ADD CHECK (total < 1000)');
  await target.query('ALTER TABLE c ADD CHECK (total < 100)');
  file.configure('tables: [public.a, public.c]');
  expect(await file.tidelock('apply')).toMatchObject({ code: 1, out: expect.stringContaining('TL-2303') });
  await route.logged('the change could not be carried out');
  await route.state('running');
  // Settings and routes come and go without a word.
  file.configure('tables: [public.a]\napply: { groupRows: 7 }');
  route.hangUp();
  await until('the setting', async () => {
    const [row] = await target.query(`SELECT applied #>> '{settings,apply,groupRows}' AS rows FROM tidelock.routes`);
    return row?.rows === '7';
  });
  await source.query('UPDATE a SET total = 2 WHERE id > 190');
  await route.caughtUp();
  expect(await contents(target, ['a'])).toEqual(await contents(source, ['a']));
});

test('routes come and go on SIGHUP while another one is left alone, and one that comes back goes on where it was', async () => {
  const { source, target } = await pair();
  const more = '  more: { from: here, to: there, tables: [public.d] }\n';
  using file = new RouteFile({ source, target, route: 'tables: [public.a]' });
  await using route = file.run();
  await route.state('running');
  file.append(more);
  route.hangUp();
  await route.state('running', 30_000, 'more');
  const started = () => route.log.split('\n').filter((line) => /"more".*"worker started"/.test(line)).length;
  file.configure('tables: [public.d]', 'more');
  route.hangUp();
  await route.logged('route is no longer in the configuration');
  await source.query('UPDATE a SET total = 70 WHERE id = 7; UPDATE d SET total = 70 WHERE id = 7');
  const seven = async (table: string) =>
    (await target.query(`SELECT FROM ${table} WHERE id = 7 AND total = 70`)).length;
  await until('the row of the other one', async () => (await seven('d')) === 1);
  expect(await seven('a')).toBe(0);
  file.configure('tables: [public.a]');
  file.append(more);
  // Removed, the route has given its lease back.
  route.hangUp();
  await until('what was written meanwhile', async () => (await seven('a')) === 1);
  expect(await contents(target, ['a'])).toEqual(await contents(source, ['a']));
  expect(route.log.split('tables loaded').length).toBe(3);
  expect(started()).toBe(1);
});

test('a table that is renamed to what the route does not mean halts it, over a start in between', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: ["public.?"]' });
  {
    await using route = file.run();
    await route.state('running');
    await route.stop();
  }
  await source.query('ALTER TABLE a RENAME TO other');
  {
    await using route = file.run();
    await route.state('running');
    await route.stop();
  }
  await source.query('UPDATE other SET total = total + 1');
  {
    await using route = file.run();
    expect((await route.state('failed')).reason).toMatchObject({ code: 'TL-3207' });
  }
  // Of which nothing is stored that would tell it.
  await target.query('UPDATE tidelock.tables SET definition = NULL');
  await using route = file.run();
  await route.reason('TL-3112');
});

test('rows that are to be kept are kept, though the change was agreed to without that before an engine took it', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a]' });
  {
    await using route = file.run();
    await route.state('running');
    await route.stop();
  }
  file.configure('tables: [{ name: public.a, transforms: [{ mask: { columns: [email], method: redact } }] }]');
  const kept = async (): Promise<unknown> =>
    (await target.query(`SELECT pending -> 'keepRows' AS kept FROM tidelock.routes`))[0]?.kept;
  await file.tidelock('apply', '--yes');
  expect(await kept()).toEqual([]);
  expect(await file.tidelock('apply', '--keep-rows', 'public.a')).toMatchObject({ code: 2 });
  await file.tidelock('apply', '--yes', '--keep-rows', 'public.a');
  expect(await kept()).toEqual(['public.a']);
  // What was agreed to is done and nothing else: a table that has gone since makes it another plan.
  file.configure('tables: [{ name: public.a, where: "total  <  50" }, "public.?"]');
  await file.tidelock('apply', '--yes');
  await source.query('DROP TABLE d');
  await using route = file.run();
  await route.reason('TL-4138');
  expect(await target.query('SELECT source FROM tidelock.tables')).toEqual([{ source: 'public.a' }]);
  expect(await target.query('SELECT count(*)::int AS n FROM a')).toEqual([{ n: 200 }]);
  expect(await file.tidelock('apply')).toMatchObject({ code: 2, err: expect.stringContaining('TL-4134') });
  expect(await file.tidelock('apply', '--yes')).toMatchObject({ code: 0, out: 'here-to-there: applied\n' });
  expect(await target.query('SELECT count(*)::int AS n FROM a')).toEqual([{ n: 49 }]);
  // How a condition is written makes no other one.
  file.configure('tables: [{ name: public.a, where: "(total < 50)" }, "public.?"]');
  expect(await file.tidelock('plan')).toMatchObject({ code: 0 });
  route.hangUp();
  const written = `SELECT jsonb_path_query_first(applied, '$.tables[*].where') #>> '{}' AS "where" FROM tidelock.routes`;
  await until('the text', async () => (await target.query(written))[0]?.where === '(total < 50)');
  await route.state('running');
  expect(await target.query('SELECT count(*)::int AS n FROM a')).toEqual([{ n: 49 }]);
});
