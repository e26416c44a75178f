import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
import { sampled } from '../../support/thorough.ts';
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

async function pair(schema: string): Promise<{ source: TestDatabase; target: TestDatabase }> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source.query(schema), target.query(schema)]);
  return { source, target };
}

/** Registered with its rows: the copy is committed. */
async function loaded(target: TestDatabase, table: string): Promise<void> {
  await until(`the copy of ${table}`, async () => {
    const rows = await target.query(`SELECT FROM tidelock.tables WHERE source = '${table}'`).catch(() => []);
    return rows.length === 1;
  });
}

/** With all of its rows. */
async function complete(route: RunningRoute, table: string): Promise<void> {
  const done = `SELECT FROM tidelock.loads WHERE source = '${table}' AND done_at IS NOT NULL`;
  const { target } = route.file.options;
  const all = until(`all rows of ${table}`, async () => (await target.query(done).catch(() => [])).length === 1);
  await all.catch((error: Error) => {
    throw new Error(`${error.message}; the route's log ends with:\n${route.log.slice(-6_000)}`, { cause: error });
  });
}

const own = 'newTables: load';
const given = `newTables: load
slot: kept
publication: kept`;

const appearing = [
  ['killed when it is published, and again before its commit', own, 'tables.published=1:kill,tables.loaded=1:kill@1'],
  ['in a publication of all tables that somebody keeps', given, ''],
  ['while others write', own, ''],
  ['killed when it is published', own, 'tables.published=1:kill'],
  ['killed before its commit', own, 'tables.loaded=1:kill'],
] as const;

test.for(sampled(appearing, (_, at) => at < 2))(
  'a table that appears is copied and followed without a gap or an overlap: %s',
  async ([, lines, failpoints]) => {
    const { source, target } = await pair(
      'CREATE TABLE old (id int PRIMARY KEY, total int); CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)',
    );
    await source.query('INSERT INTO old VALUES (1, 0)');
    if (lines === given) {
      await source.query('CREATE PUBLICATION kept FOR ALL TABLES WITH (publish_via_partition_root = true)');
      await source.query(`SELECT pg_create_logical_replication_slot('kept', 'pgoutput')`);
      await target.query('INSERT INTO old VALUES (1, 0)');
    }
    using file = new RouteFile({ source, target, route: `tables: ["public.*"]\n${lines}` });
    await using route = file.run({ TIDELOCK_FAILPOINTS: failpoints });
    await route.state('running');
    // One is loaded beside the stream, the other, which has no key, is copied.
    const table = `CREATE TABLE born (id serial PRIMARY KEY, total int, at timestamptz DEFAULT now());
      CREATE TABLE loose (total int); ALTER TABLE loose REPLICA IDENTITY FULL`;
    await target.query(table);
    await source.query(`${table}; INSERT INTO born (total) SELECT 0 FROM generate_series(1, 200)`);
    let stop = false;
    const writers = [1, 2].map(async (writer) => {
      const client = await source.client();
      for (let number = 0; !stop; number++) {
        await client.query('BEGIN');
        await client.query(`INSERT INTO born (total) VALUES (${number})`);
        await client.query(`UPDATE born SET total = total + 1 WHERE id = ${writer} + 2 * (${number} % 50)`);
        await client.query(`UPDATE old SET total = total + 1`);
        await client.query(`INSERT INTO loose VALUES (${number})`);
        await client.query('COMMIT');
        await delay(writerRestMs);
      }
      await client.end();
    });
    await complete(route, 'public.born');
    await loaded(target, 'public.loose');
    // A partition of a table of the route is no table of its own.
    await target.query('CREATE TABLE rows PARTITION OF p DEFAULT');
    await source.query('CREATE TABLE part PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1)');
    stop = true;
    await Promise.all(writers);
    await source.query('DELETE FROM born WHERE id % 7 = 0; ALTER TABLE born REPLICA IDENTITY FULL');
    await route.caughtUp();
    const tables = ['old', 'born', 'loose', 'p'];
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
    expect(await target.query('SELECT source FROM tidelock.loads')).toEqual([{ source: 'public.born' }]);
    expect(await source.query('SELECT slot_name FROM pg_replication_slots WHERE temporary')).toEqual([]);
  },
);

test('a table that appears halts the route within seconds, or is left out', async () => {
  const { source, target } = await pair(
    'CREATE TABLE old (id int PRIMARY KEY); CREATE TABLE spare (id int PRIMARY KEY)',
  );
  {
    await target.query('INSERT INTO old VALUES (0)');
    using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nexclude: [public.spare]' });
    await using route = file.run();
    await route.reason('TL-2301');
    // To a route that was never loaded no table is new.
    await target.query('DELETE FROM old');
    file.configure('tables: ["public.*"]');
    route.hangUp();
    await file.tidelock('start', 'here-to-there');
    await route.state('running');
    await source.query('CREATE TABLE born (id int PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.t (id int)');
    const { reason } = await route.state('failed');
    expect(reason).toMatchObject({ code: 'TL-3113', message: expect.stringMatching(/: public\.born$/) });
    // As the remedy says: nothing changes for a table that is carried, and the route goes on.
    file.configure('tables: ["public.*"]\nexclude: [public.born]');
    const applied = { code: 0, out: 'here-to-there: applied\n', err: expect.stringContaining('how it is written now') };
    expect(await file.tidelock('apply')).toMatchObject(applied);
    await route.state('running');
    expect(await file.tidelock('apply')).toMatchObject({ code: 0, out: 'here-to-there: nothing was to be done\n' });
  }
  using file = new RouteFile({
    source,
    target,
    route: 'tables: ["public.*"]\nexclude: [public.born]\nnewTables: ignore',
  });
  await using route = file.run();
  await route.state('running');
  await source.query('CREATE TABLE later (id int)');
  await until('the note', () => route.log.includes('are left out'));
  await source.query('INSERT INTO later VALUES (1); INSERT INTO born VALUES (1); INSERT INTO old VALUES (1)');
  await route.caughtUp();
  expect(await contents(target, ['old'])).toEqual({ old: ['(1)'] });
});

test('what the target can not take is not published', async () => {
  const { source, target } = await pair('CREATE TABLE old (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nnewTables: load' });
  await using route = file.run();
  await route.state('running');
  await source.query('CREATE TABLE born (id int PRIMARY KEY)');
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-4106', message: expect.stringContaining('TL-2101') });
  expect(await source.query(`SELECT tablename FROM pg_publication_tables`)).toEqual([{ tablename: 'old' }]);
  await target.query('CREATE TABLE born (id int PRIMARY KEY)');
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  await complete(route, 'public.born');
  await source.query('INSERT INTO born VALUES (1)');
  await route.caughtUp();
  expect(await contents(target, ['born'])).toEqual({ born: ['(1)'] });
});

test('a transaction that is open when a new table is published is waited for: what it did before is not in the queue', async () => {
  const { source, target } = await pair('CREATE TABLE old (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nnewTables: load' });
  await using route = file.run();
  await route.state('running');
  const table = 'CREATE TABLE born (id int PRIMARY KEY, total int)';
  await target.query(table);
  const open = await source.client();
  await source.query(table);
  await open.query('BEGIN; INSERT INTO born VALUES (1, 1), (2, 1)');
  await route.logged('new tables wait until transactions');
  await open.query('INSERT INTO born VALUES (3, 1); UPDATE born SET total = 2 WHERE id = 1; COMMIT');
  await open.end();
  await complete(route, 'public.born');
  await source.query('UPDATE born SET total = total + 10');
  await route.caughtUp();
  expect(await contents(target, ['born'])).toEqual(await contents(source, ['born']));
});

test('where COMMITs wait for the route they go on while it loads tables that have appeared, or that a plan brings', async () => {
  const own = ['old', 'gone', 'named', 'globbed', 'made'];
  const { source, target } = await pair(
    own.map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY, total int NOT NULL DEFAULT 0);`).join(''),
  );
  for (const name of own) await source.query(`INSERT INTO ${name} SELECT generate_series(1, 300)`);
  using file = new RouteFile({
    source,
    target,
    route: 'tables: [public.old, public.gone, "public.bor?"]\nnewTables: load',
  });
  const admin = await source.client();
  await admin.query('SET synchronous_commit = local');
  const standby = async (names: string): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await admin.query('SELECT pg_reload_conf()');
  };
  try {
    await standby('"test/here-to-there"');
    await using route = file.run({ TIDELOCK_FAILPOINTS: 'change.half=1:kill,tables.loaded=1:kill@1' });
    await route.state('running');
    const table = 'CREATE TABLE born (id serial PRIMARY KEY, total int)';
    await target.query(table);
    let stop = false;
    let longestMs = 0;
    await source.query(`${table}; INSERT INTO born (total) SELECT 0 FROM generate_series(1, 2000)`);
    const writers = [1, 2, 3].map(async (writer) => {
      const client = await source.client();
      for (let number = 0; !stop; number++) {
        const beganMs = performance.now();
        await client.query('BEGIN');
        await client.query(`INSERT INTO born (total) VALUES (${number})`);
        await client.query(`UPDATE born SET total = total + 1 WHERE id = ${writer} + 3 * (${number} % 500)`);
        for (const name of own.slice(0, 4)) {
          await client.query(`UPDATE ${name} SET total = total + 1 WHERE id = ${writer} + 3 * (${number} % 100)`);
          await client.query(
            `INSERT INTO ${name} VALUES (${1000 * writer + number}); DELETE FROM ${name} WHERE id = ${1000 * writer + number - 3}`,
          );
        }
        await client.query('COMMIT');
        longestMs = Math.max(longestMs, performance.now() - beganMs);
        await delay(writerRestMs);
      }
      await client.end();
    });
    await route.unhalted(complete(route, 'public.born'));
    // One is loaded anew, one leaves and makes way for one that comes, and two come: by name, and by a glob.
    file.configure(
      'tables: [{ name: public.old, where: "id <> 7" }, { name: public.made, to: public.gone }, "public.bor?", public.named, "public.glob*"]\nnewTables: halt',
    );
    // Its holder waits for the route: a COMMIT would.
    await admin.query('BEGIN; LOCK TABLE named IN SHARE UPDATE EXCLUSIVE MODE');
    const deaths = (): number => route.log.split('worker died').length;
    const before = deaths();
    const applying = file.tidelock('apply', '--yes');
    await route.unhalted(until('the half of the change that waits for no lock', () => deaths() > before));
    await admin.query('COMMIT');
    const outcome = await route.unhalted(applying);
    expect(outcome, route.log.slice(-4_000)).toMatchObject({ code: 0, out: 'here-to-there: applied\n' });
    for (const name of ['old', 'named', 'globbed', 'made']) await route.unhalted(complete(route, `public.${name}`));
    stop = true;
    await Promise.all(writers);
    expect(longestMs).toBeLessThan(20_000);
    await source.query(`UPDATE made SET total = 5 WHERE id % 2 = 0; DELETE FROM old WHERE id = 7`);
    await route.unhalted(route.caughtUp());
    const tables = ['old', 'born', 'named', 'globbed'];
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
    expect((await contents(target, ['gone'])).gone).toEqual((await contents(source, ['made'])).made);
    expect(route.log.split('worker died')).toHaveLength(3);
    expect((await file.tidelock('plan')).code).toBe(0);
    // Transactions that only write rows change nothing of what the catalogue says: nothing is held against later changes.
    expect(await target.query(`SELECT source FROM tidelock.tables WHERE definition ? 'behind'`)).toEqual([]);
    // One that joins without a copy was empty when the route looked; what comes before its changes do is brought by nobody.
    await Promise.all([source, target].map((database) => database.query('CREATE TABLE late (id int PRIMARY KEY)')));
    file.configure(
      'tables: [{ name: public.old, where: "id <> 7" }, { name: public.made, to: public.gone }, "public.bor?", public.named, "public.glob*", public.late]\nload: { mode: none }',
    );
    await admin.query('BEGIN; SELECT pg_current_xact_id()');
    const joining = file.tidelock('apply', '--yes');
    await until('the table in the publication', async () => {
      const entered = await source.query(`SELECT FROM pg_publication_tables WHERE tablename = 'late'`);
      return entered.length > 0;
    });
    await source.query('INSERT INTO late VALUES (1)');
    await admin.query('COMMIT');
    expect(await joining).toMatchObject({ code: 1, out: expect.stringContaining('TL-2308') });
  } finally {
    await standby('');
    await admin.end();
  }
});

test('where COMMITs wait for the route they come back: tables are emptied and filled at once, also without a key, and what nobody sees yet is told later', async () => {
  const { source, target } = await pair(
    `CREATE TABLE one (id int PRIMARY KEY, n int); CREATE TABLE keyless (n int); ALTER TABLE keyless REPLICA IDENTITY FULL;
     CREATE TABLE whole (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
     CREATE TABLE part1 PARTITION OF whole FOR VALUES FROM (0) TO (100); CREATE TABLE part2 PARTITION OF whole FOR VALUES FROM (100) TO (200);`,
  );
  await source.query(
    'INSERT INTO one VALUES (1); INSERT INTO keyless VALUES (1), (1); INSERT INTO whole VALUES (1, 1)',
  );
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nnewTables: load' });
  await using route = file.run();
  await route.state('running');
  const admin = await source.client();
  await admin.query('SET synchronous_commit = local');
  const standby = async (names: string): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await admin.query('SELECT pg_reload_conf()');
  };
  const client = await source.client();
  const commits = async (text: string): Promise<void> => {
    const back = client.query(text);
    const late = new AbortController();
    const waited = delay(30_000, null, { signal: late.signal }).then(async () => {
      await standby('');
      throw new Error(`a COMMIT did not come back: ${text}\n${route.log.slice(-6_000)}`);
    });
    await Promise.race([back, waited]);
    waited.catch(() => {});
    late.abort();
  };
  const tables = ['one', 'keyless', 'whole'];
  try {
    await standby('"test/here-to-there"');
    await until('a standby that COMMITs wait for', async () => {
      const { rows } = await admin.query(`SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`);
      return rows.length === 1;
    });
    // Locks are held until the COMMIT comes back, and nobody sees what the transaction has made of the catalogue.
    const steps = [
      'TRUNCATE one, keyless, whole; INSERT INTO one VALUES (2); INSERT INTO keyless VALUES (2), (2), (2); INSERT INTO whole VALUES (2, 2), (102, 2)',
      'DELETE FROM keyless WHERE ctid = (SELECT min(ctid) FROM keyless); CREATE INDEX ON whole (n); UPDATE whole SET n = n + 1',
      'TRUNCATE whole, keyless; INSERT INTO whole SELECT i, i FROM generate_series(0, 199) i; INSERT INTO keyless VALUES (3), (3)',
    ];
    for (const step of steps) await commits(`BEGIN; ${step}; COMMIT`);
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
    // Emptied while it is loaded.
    await target.query('CREATE TABLE born (id int PRIMARY KEY, v text)');
    await commits('CREATE TABLE born (id int PRIMARY KEY, v text)');
    await commits(`INSERT INTO born SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i`);
    await loaded(target, 'public.born');
    await commits('BEGIN; TRUNCATE born, one; INSERT INTO born VALUES (1), (2); COMMIT');
    await complete(route, 'public.born');
    expect(await contents(target, ['born', 'one'])).toEqual({ born: ['(1,)', '(2,)'], one: [] });
    // The same names and types, so that the announcement tells nothing: another column, whose old values are gone.
    await commits('INSERT INTO one VALUES (7, 7)');
    await commits('BEGIN; ALTER TABLE one DROP n; ALTER TABLE one ADD n int; INSERT INTO one VALUES (8, 8); COMMIT');
    expect((await route.state('failed')).reason?.code).toMatch(/^TL-(4105|4109)$/);
    await target.query('UPDATE one SET n = NULL WHERE id = 7');
    expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
    await route.state('running');
    expect(await contents(target, ['one'])).toEqual({ one: ['(7,)', '(8,8)'] });
    // What was accepted is what the next announcement is compared with.
    await commits('INSERT INTO one VALUES (9, 9)');
    expect(await contents(target, ['one'])).toEqual({ one: ['(7,)', '(8,8)', '(9,9)'] });
    // Without a key it could only be copied behind transactions that wait for the route.
    const table = 'CREATE TABLE later (n int); ALTER TABLE later REPLICA IDENTITY FULL;';
    await target.query(table);
    await commits(`${table} INSERT INTO later VALUES (1), (1)`);
    expect((await route.state('failed')).reason?.code).toBe('TL-3114');
    await standby('');
    expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
    await loaded(target, 'public.later');
    await standby('"test/here-to-there"');
    await commits('DELETE FROM later WHERE ctid = (SELECT min(ctid) FROM later); TRUNCATE keyless');
    await route.caughtUp();
    expect(await contents(target, ['later', ...tables])).toEqual(await contents(source, ['later', ...tables]));
  } finally {
    await standby('');
    await client.end();
    await admin.end();
  }
});
