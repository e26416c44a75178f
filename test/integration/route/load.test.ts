import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';
import { writerRestMs } from '../../support/writer-rest.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE item (a int, b text COLLATE "C", v int NOT NULL, big text, PRIMARY KEY (a, b));
  ALTER TABLE item ALTER big SET STORAGE EXTERNAL;
  CREATE INDEX ON item (v);
  CREATE TABLE loose (x int);
  ALTER TABLE loose REPLICA IDENTITY FULL;
`;
const tables = ['item', 'loose'];
const beside = 'tables: ["public.*"]\nload: { wholeUpTo: 0B }';

async function fill(db: TestDatabase, rows: number): Promise<void> {
  await db.query(
    `INSERT INTO item SELECT n % 7, md5(n::text), n, CASE n % 50 WHEN 0 THEN repeat('x' || n, 600) END FROM generate_series(1, ${rows}) n;
     INSERT INTO loose SELECT n FROM generate_series(1, 100) n`,
  );
}

/** Changes of every kind until told to stop. Gives how many rows it has changed. */
function busy(db: TestDatabase): AsyncDisposable & { stop(): Promise<number> } {
  let isOver = false;
  const working = (async () => {
    const client = await db.client();
    let changed = 0;
    try {
      for (let n = 1; !isOver; n++) {
        const some = `v BETWEEN ${(n * 7919) % 30_000} AND ${((n * 7919) % 30_000) + 4}`;
        const { rowCount } = await client.query(
          n % 4 === 0
            ? `UPDATE item SET a = (a + 1) % 7, b = md5(b), v = v + 1 WHERE ${some}`
            : n % 4 === 1
              ? `UPDATE item SET v = v + 1 WHERE ${some}`
              : n % 4 === 2
                ? `DELETE FROM item WHERE ${some}`
                : `INSERT INTO item SELECT ${n} % 7, 'new ${n} ' || i, ${n} * 7919 % 30000 + i FROM generate_series(1, 5) i ON CONFLICT DO NOTHING`,
        );
        await setTimeout(writerRestMs);
        changed += rowCount ?? 0;
      }
    } finally {
      await client.end();
    }
    return changed;
  })();
  const stop = (): Promise<number> => {
    isOver = true;
    return working;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop().catch(() => {});
    },
  };
}

/** Without what a busy machine alone brings about: lag, and a process that gets no processor. */
function ownConcerns({ concerns }: Record<string, unknown>): unknown {
  return (concerns as { code: string }[]).filter(({ code }) => !/TL-430[16]/.test(code));
}

test('a route loads its tables beside the stream while rows come, go, change and move', {
  timeout: 90_000,
}, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 30_000);
  using file = new RouteFile({ source, target, route: beside });
  await using route = file.run();
  await using work = busy(source);
  await route.state('loading', 30_000);
  await route.state('running', 40_000);
  expect(await work.stop()).toBeGreaterThan(100);
  await route.caughtUp(20_000);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(
    await target.query('SELECT done_at IS NOT NULL AS done, jsonb_array_length(again) AS again FROM tidelock.loads'),
  ).toEqual([{ done: true, again: 0 }]);
});

/** No key, and rows that are like others; values of which the log and COPY could write another text. */
const bare = `
  CREATE TABLE bare (a int, b text, n numeric, f float8, y bytea, t timestamptz, big text);
  ALTER TABLE bare REPLICA IDENTITY FULL;
  ALTER TABLE bare ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE pieces (a int, b text) PARTITION BY HASH (a);
  CREATE TABLE pieces_0 PARTITION OF pieces FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE pieces_1 PARTITION OF pieces FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  ALTER TABLE pieces REPLICA IDENTITY FULL;
  ALTER TABLE pieces_0 REPLICA IDENTITY FULL;
  ALTER TABLE pieces_1 REPLICA IDENTITY FULL;
`;
const bareRow = (n: string): string =>
  `${n} % 40, md5((${n} % 90)::text), CASE ${n} % 3 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 END, ${n} / 7.0, decode(md5((${n} % 2)::text), 'hex'), timestamptz '2024-02-29 12:00:00.1+01', CASE ${n} % 300 WHEN 0 THEN repeat('x', 9000) END`;

/** Changes of tables without a key until told to stop: rows go, change and so move to other places, and come, some as they were. */
function busyBare(db: TestDatabase): AsyncDisposable & { stop(): Promise<number> } {
  let isOver = false;
  const working = (async () => {
    const client = await db.client();
    let changed = 0;
    try {
      for (let n = 1; !isOver; n++) {
        const some = (table: string): string =>
          `ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE a = ${(n * 7) % 40} ORDER BY ctid ${n % 3 ? 'DESC' : ''} LIMIT 3))`;
        const { rowCount } = await client.query(
          [
            `INSERT INTO bare SELECT ${bareRow('n')} FROM generate_series(${n}, ${n + 2}) n`,
            `UPDATE bare SET n = n + 1, f = -f WHERE ${some('bare')}`,
            `DELETE FROM bare WHERE ${some('bare')}`,
            `UPDATE pieces SET a = a + 1 WHERE ${some('pieces_0')} AND tableoid = 'pieces_0'::regclass`,
            `DELETE FROM pieces_1 WHERE ${some('pieces_1')}`,
          ][n % 5] ?? '',
        );
        changed += rowCount ?? 0;
        await setTimeout(4 * writerRestMs);
      }
    } finally {
      await client.end();
    }
    return changed;
  })();
  const stop = (): Promise<number> => {
    isOver = true;
    return working;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop().catch(() => {});
    },
  };
}

test('tables without a key are loaded by the places of their rows, as they were at one moment, over kills and whatever moves the rows', {
  timeout: 180_000,
}, async () => {
  const { source, target } = await servers.pair(bare);
  await source.query(
    `INSERT INTO bare SELECT ${bareRow('n')} FROM generate_series(1, 6000) n; INSERT INTO pieces SELECT n % 40, md5((n % 50)::text) FROM generate_series(1, 3000) n`,
  );
  const both = ['bare', 'pieces'];
  using file = new RouteFile({
    source,
    target,
    route: 'tables: ["public.*"]\nload: { wholeUpTo: 0B, limits: { rows: 4000 } }',
  });
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'chunk.sent=3:kill,chunk.applied=2:kill@1' });
  const done = async (): Promise<boolean> =>
    (await target.query('SELECT FROM tidelock.loads WHERE done_at IS NOT NULL')).length === 2;
  {
    await using work = busyBare(source);
    await until('the end of the load', () => done().catch(() => false), 90_000);
    expect(await work.stop()).toBeGreaterThan(20);
  }
  await route.caughtUp(30_000);
  expect(await contents(target, both)).toEqual(await contents(source, both));
  const [{ anew = 0 } = {}] = await target.query(
    `SELECT count(*)::int AS anew FROM tidelock.tables WHERE loaded_to IS NOT NULL`,
  );
  expect(anew).toBe(2);
  expect(await target.query('SELECT rows::int <= 7000 AS once FROM tidelock.loads')).toEqual([
    { once: true },
    { once: true },
  ]);
  await route.state('running', 20_000);

  // Loaded once more, while its rows are written anew, and while all of them go.
  for (const meanwhile of ['VACUUM FULL bare', `TRUNCATE bare; INSERT INTO bare VALUES (1, 'new'), (1, 'new')`]) {
    await target.query(`INSERT INTO bare VALUES (7, 'own')`);
    await using work = busyBare(source);
    const loaded = file.tidelock('load', 'here-to-there', 'public.bare', '--existing', 'replace', '--yes');
    const begun = `SELECT FROM tidelock.loads WHERE source = 'public.bare' AND done_at IS NULL AND rows > 0`;
    await until('a range', async () => (await target.query(begun)).length === 1, 30_000);
    // The source keeps no log for the load.
    expect(await source.query('SELECT FROM pg_replication_slots WHERE temporary')).toEqual([]);
    await source.query(meanwhile);
    const end = await loaded;
    expect(end, end.err).toMatchObject({ code: 0 });
    await work.stop();
    await route.caughtUp(30_000);
    expect(await contents(target, both)).toEqual(await contents(source, both));
  }
  // Nothing holds back VACUUM, or the log, for what is loaded.
  const held = `SELECT FROM pg_stat_activity WHERE state = 'idle in transaction' AND application_name LIKE 'test/here-to-there%'`;
  await until('the end of the snapshot', async () => (await source.query(held)).length === 0);
  expect(await source.query('SELECT FROM pg_replication_slots WHERE temporary')).toEqual([]);
});

test('a table of a running route is loaded anew: refused, merged, replaced', { timeout: 90_000 }, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 8_000);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.state('running', 30_000);
  const load = (...more: string[]) => file.tidelock('load', 'here-to-there', 'public.item', '--json', ...more);

  const refused = await load();
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('TL-2301');
  expect((await load('--existing', 'replace')).err).toContain('--yes');
  const other = await file.tidelock('load', 'here-to-there', 'public.other');
  expect(other).toMatchObject({ code: 2, err: expect.stringContaining('TL-4153') });
  expect(await target.query(`SELECT 1 FROM tidelock.jobs WHERE options::text LIKE '%public.other%'`)).toEqual([]);
  expect((await file.tidelock('load', 'here-to-there', 'public.loose', '--existing', 'merge')).err).toContain(
    'TL-4160',
  );

  // A row that the source has not, one that has another value, and some that are missing.
  await target.query(
    `DELETE FROM item WHERE v BETWEEN 100 AND 200; UPDATE item SET v = -1 WHERE v = 300; INSERT INTO item VALUES (1, 'own', -2)`,
  );
  const merged = await load('--existing', 'merge');
  expect(JSON.parse(merged.out)).toMatchObject({ tables: [{ name: 'public.item', rows: 8_000 }] });
  expect(await target.query(`DELETE FROM item WHERE b = 'own' RETURNING v`)).toEqual([{ v: -2 }]);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));

  // At once, then bit by bit where another table points to it, then a part of it, which leaves the rest as it is.
  const part = "a IN (1, 2) AND b <> 'left'";
  const own = `INSERT INTO item VALUES (1, 'own', -2), (5, 'own', -2), (2, 'left', -2)`;
  const referring = 'CREATE TABLE referring (a int, b text, FOREIGN KEY (a, b) REFERENCES item)';
  const stay = `DELETE FROM item WHERE b IN ('own', 'left') RETURNING a`;
  for (const [made, more, left] of [
    ['', [], []],
    [referring, [], []],
    ['', ['--where', part], [{ a: 2 }, { a: 5 }]],
  ] as const) {
    await target.query(`${own}; ${made}; UPDATE item SET v = -1 WHERE a = 2 AND v % 2 = 0`);
    {
      await using work = busy(source);
      const loaded = await load('--existing', 'replace', '--yes', ...more);
      expect(loaded, loaded.err).toMatchObject({ code: 0 });
      await work.stop();
    }
    await route.caughtUp();
    expect((await target.query(stay)).sort((x, y) => Number(x.a) - Number(y.a))).toEqual(left);
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
  }
  // What there is of a part is guessed as that, and not as the table.
  expect(await target.query('SELECT expected_rows < 7000 AND expected_rows > 0 AS part FROM tidelock.loads')).toEqual([
    { part: true },
  ]);
  for (const [where, code] of [
    ['v > 0', 'TL-4166'],
    ["a = 1 OR b < 'x'", 'TL-4166'],
    ['a = ', 'TL-1014'],
  ])
    expect((await load('--existing', 'merge', '--where', String(where))).err).toContain(code);
  const after = await file.status();
  expect(after).toMatchObject({ state: 'running', load: null });
  expect(ownConcerns(after)).toEqual([]);
});

test('rows at the target are in the way of tables that are loaded beside the stream, with a key and without', async () => {
  for (const key of ['PRIMARY KEY', '']) {
    const { source, target } = await servers.pair(
      `CREATE TABLE item (id int ${key}, v text); ALTER TABLE item REPLICA IDENTITY FULL`,
    );
    await source.query(`INSERT INTO item SELECT n, repeat('x', 200) FROM generate_series(1, 3000) n`);
    await target.query(`INSERT INTO item VALUES (1, 'theirs')`);
    using file = new RouteFile({ source, target, route: beside });
    await using route = file.run();
    expect((await route.state('failed')).reason?.code).toBe('TL-2301');
    expect(await contents(target, ['item'])).toEqual({ item: ['(1,theirs)'] });
  }
});

test('a route begins with a merge: rows of the target stay where the source has none, and identities follow', {
  timeout: 120_000,
}, async () => {
  const { source, target } = await servers.pair(
    'CREATE TABLE kept (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int, twice int GENERATED ALWAYS AS (2 * v) STORED); CREATE TABLE later (id int PRIMARY KEY, v int)',
  );
  await source.query('INSERT INTO kept (id, v) SELECT g, g FROM generate_series(1, 50) g');
  await target.query('INSERT INTO kept (id, v) SELECT g, -g FROM generate_series(60, 41, -1) g');
  using file = new RouteFile({ source, target, route: 'tables: [public.kept]\nload: { existing: merge }' });
  await using route = file.run();
  await route.state('running', 30_000);
  const [loaded] = await target.query('SELECT expected_rows::int AS rows FROM tidelock.loads');
  // Nobody has analysed it.
  expect(loaded?.rows).toBeGreaterThan(0);
  const rows = 'SELECT * FROM kept WHERE id <= 50 ORDER BY id';
  expect(await target.query(rows)).toEqual(await source.query(rows));
  expect(await target.query('SELECT id, v, twice FROM kept WHERE id > 50 ORDER BY id LIMIT 1')).toEqual([
    { id: 51, v: -51, twice: -102 },
  ]);

  // So does a table that is added later.
  await source.query('INSERT INTO later VALUES (1, 1), (2, 2)');
  await target.query('INSERT INTO later VALUES (2, -2), (3, -3)');
  file.configure('tables: [public.kept, public.later]\nload: { existing: merge }');
  const applied = await file.tidelock('apply', '--yes');
  expect(applied, applied.err).toMatchObject({ code: 0 });
  const merged = 'SELECT FROM later WHERE v = id';
  await until('both rows', async () => (await target.query(merged)).length === 2, 20_000);
  expect(await target.query('SELECT v FROM later ORDER BY id')).toEqual([{ v: 1 }, { v: 2 }, { v: -3 }]);
});

test('a table that is taken out of the route while it is loaded keeps no load behind that would halt it', {
  timeout: 90_000,
}, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 20_000);
  using file = new RouteFile({ source, target, route: beside });
  {
    await using route = file.run({ TIDELOCK_FAILPOINTS: 'chunk.applied=1:kill' });
    await route.state('loading', 30_000);
    const begun = 'SELECT FROM tidelock.loads WHERE rows > 0 AND done_at IS NULL';
    await until('a chunk', async () => (await target.query(begun)).length === 1, 20_000);
  }
  {
    // Another table of its name, whose first rows the load would leave out.
    await source.query('CREATE TABLE twin (LIKE item INCLUDING ALL); DROP TABLE item; ALTER TABLE twin RENAME TO item');
    await using anew = file.run();
    await anew.reason('TL-3111', 30_000);
    await source.query('ALTER PUBLICATION test__here_to_there ADD TABLE ONLY item');
    await file.tidelock('start', 'here-to-there');
    await anew.reason('TL-4105', 20_000);
    await file.tidelock('start', 'here-to-there', '--accept-schema-change');
    await anew.reason('TL-4165', 20_000);
  }
  file.configure('tables: [public.loose]');
  await using route = file.run();
  // It halts until somebody agrees to the change.
  await route.state('failed', 30_000);
  expect((await file.tidelock('apply', '--yes')).code).toBe(0);
  await route.state('running', 30_000);
  expect(await target.query('SELECT FROM tidelock.loads')).toEqual([]);
});

test('tables that are renamed, dropped and altered while they are loaded end right', { timeout: 120_000 }, async () => {
  const made = ['moved', 'gone', 'keyed'].map((name) => `CREATE TABLE ${name} (id int PRIMARY KEY, v text);`).join('');
  const { source, target } = await servers.pair(made);
  for (const name of ['moved', 'gone', 'keyed'])
    await source.query(`INSERT INTO ${name} SELECT n, md5(n::text) FROM generate_series(1, 12000) n`);
  const limited = 'load: { wholeUpTo: 0B, limits: { rows: 6000 } }';
  using file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\nddl: replicate\nallow: [droppedTables]\n${limited}`,
  });
  await using route = file.run();
  const begun = async (): Promise<boolean> =>
    (await target.query('SELECT FROM tidelock.loads WHERE rows > 0 AND done_at IS NULL')).length === 3;
  await until('a chunk of each', () => begun().catch(() => false), 40_000);
  await source.query(`
    ALTER TABLE moved RENAME TO placed;
    DROP TABLE gone;
    CREATE TABLE gone (id int PRIMARY KEY, v text);
    INSERT INTO gone VALUES (1, 'another'), (2, 'another');
    ALTER TABLE keyed RENAME id TO key;
    ALTER TABLE keyed ADD COLUMN extra int;
    UPDATE placed SET id = id + 100000, v = 'moved' WHERE id % 10 = 0;
    DELETE FROM placed WHERE id % 10 = 1;
    INSERT INTO placed SELECT n, 'new' FROM generate_series(200001, 200100) n;
    UPDATE keyed SET key = key + 100000, extra = 1 WHERE key % 10 = 0;
    DELETE FROM keyed WHERE key % 10 = 1`);
  // Under the new names, too, what comes is told from what is missing.
  for (let n = 0; n < 20; n++) {
    await source.query(
      `UPDATE placed SET v = 'late' WHERE id % 97 = ${n}; UPDATE keyed SET extra = 2 WHERE key % 97 = ${n}`,
    );
    await setTimeout(20);
  }
  await route.state('running', 15_000);
  await route.caughtUp(20_000);
  expect(await contents(target, ['placed', 'keyed'])).toEqual(await contents(source, ['placed', 'keyed']));
  expect(
    await target.query(`SELECT source, targets, done_at IS NOT NULL AS done FROM tidelock.loads ORDER BY 1`),
  ).toEqual([
    { source: 'public.keyed', targets: ['public.keyed'], done: true },
    { source: 'public.placed', targets: ['public.placed'], done: true },
  ]);
  // One that was made by the name of a table whose load has ended with it is no table that lacks rows.
  expect(await contents(target, ['gone'])).toEqual({ gone: ['(1,another)', '(2,another)'] });
  await target.query('DELETE FROM gone WHERE id = 1');
  await source.query('UPDATE gone SET v = v');
  await route.reason('TL-2201', 20_000);
});

test('the initial load is a job: it rests, goes on and ends when it is told to, within its limits', {
  timeout: 120_000,
}, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 20_000);
  using file = new RouteFile({
    source,
    target,
    route:
      'tables: [{ name: public.item, load: { priority: 1 } }, public.loose]\nload: { wholeUpTo: 0B, limits: { rows: 3000 } }',
  });
  await using route = file.run();
  const loaded = async (): Promise<number> =>
    Number((await target.query('SELECT rows FROM tidelock.loads'))[0]?.rows ?? 0);
  const beganMs = performance.now();
  await until('a chunk', async () => (await loaded().catch(() => 0)) > 0, 40_000);
  const job = async (verb: string, ...more: string[]) => await file.tidelock('jobs', verb, ...more);
  const listed = JSON.parse((await job('list', '--json')).out) as { jobs: { id: string; kind: string }[] };
  expect(listed.jobs).toMatchObject([{ kind: 'load', tables: ['public.item'], askedBy: 'the start of the route' }]);
  const id = listed.jobs[0]?.id ?? '';
  expect((await job('pause', id)).code).toBe(0);
  await until('its rest', async () => (await job('list')).out.includes('paused'), 20_000);
  // One that was paused before anybody had taken it up goes on until that is noticed.
  await until('a warning', async () => JSON.stringify(await file.status()).includes('TL-4164'), 30_000);
  const rests = await loaded();
  // A route whose tables lack rows and that nobody loads says so; changes travel all the same.
  await source.query(`INSERT INTO loose VALUES (-1); INSERT INTO item VALUES (1, 'while it rests', 1)`);
  await route.caughtUp(20_000);
  const resting = await file.status();
  expect(resting).toMatchObject({ state: 'loading', health: 'warning' });
  // Nothing is read, at no rate, and nothing is waited for.
  expect(resting.load).toMatchObject({ loading: [{ rests: true, rowsPerSecond: null, leftMs: null }] });
  expect(resting.load).not.toHaveProperty('waits');
  expect(await loaded()).toBe(rests);
  expect(rests).toBeLessThan(20_000);
  expect((await job('resume', id)).code).toBe(0);
  await route.state('running', 60_000);
  expect(performance.now() - beganMs).toBeGreaterThan(5_000);
  await until('the end of its job', async () => (await job('list')).out.includes('done'), 20_000);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));

  // One that was cancelled leaves what it has, and a warning until another one has completed it.
  const asked = ['load', 'here-to-there', 'public.item', '--existing', 'replace', '--yes'];
  const cancelled = file.tidelock(...asked);
  const size = async (): Promise<number> => (await target.query('SELECT FROM item')).length;
  await until('some of its rows', async () => (await loaded()) > 0 && (await loaded()) < 15_000, 30_000);
  const second = (JSON.parse((await job('list', '--json')).out) as { jobs: { id: string }[] }).jobs[0]?.id ?? '';
  expect(second).not.toBe(id);
  expect((await job('cancel', second)).code).toBe(0);
  expect((await cancelled).code).toBe(2);
  expect(await size()).toBeLessThan(20_000);
  await until('a warning', async () => JSON.stringify(await file.status()).includes('TL-4164'), 30_000);
  expect(await file.status()).toMatchObject({ state: 'running', health: 'warning' });
  // What would bring less than is missing does not count.
  const part = await file.tidelock(...asked, '--where', 'a = 1');
  expect(part.err).toContain('TL-4167');
  expect((await file.tidelock('load', 'here-to-there', 'public.item', '--existing', 'merge')).code).toBe(0);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  await until('the end of the warning', async () => (await file.status()).load === null, 20_000);
  const after = await file.status();
  expect(after.state).toBe('running');
  expect(ownConcerns(after)).toEqual([]);
});
