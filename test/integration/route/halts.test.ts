import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

beforeAll(async () => {
  await servers.there.database('postgres').query('CREATE ROLE applier LOGIN');
});

const misfits: readonly (readonly [string, string, string, string])[] = [
  [
    'a numeric of less scale',
    'CREATE TABLE t (id int PRIMARY KEY, v numeric(20,6))',
    'CREATE TABLE t (id int PRIMARY KEY, v numeric(20,2))',
    'TL-2104',
  ],
  [
    'a numeric of fewer digits',
    'CREATE TABLE t (id int PRIMARY KEY, v numeric(10,2))',
    'CREATE TABLE t (id int PRIMARY KEY, v numeric(9,2))',
    'TL-2104',
  ],
  [
    'a shorter varchar',
    'CREATE TABLE t (id int PRIMARY KEY, v varchar(20))',
    'CREATE TABLE t (id int PRIMARY KEY, v varchar(10))',
    'TL-2104',
  ],
  [
    'a timestamp of less precision',
    'CREATE TABLE t (id int PRIMARY KEY, v timestamp)',
    'CREATE TABLE t (id int PRIMARY KEY, v timestamp(3))',
    'TL-2104',
  ],
  [
    'a narrower integer',
    'CREATE TABLE t (id int PRIMARY KEY, v int8)',
    'CREATE TABLE t (id int PRIMARY KEY, v int4)',
    'TL-2104',
  ],
  [
    'a float for a numeric',
    'CREATE TABLE t (id int PRIMARY KEY, v numeric)',
    'CREATE TABLE t (id int PRIMARY KEY, v float8)',
    'TL-2104',
  ],
  ['a missing table', 'CREATE TABLE t (id int PRIMARY KEY)', 'SELECT', 'TL-2101'],
  ['a missing column', 'CREATE TABLE t (id int PRIMARY KEY, v text)', 'CREATE TABLE t (id int PRIMARY KEY)', 'TL-2102'],
  [
    'a column that must be filled',
    'CREATE TABLE t (id int PRIMARY KEY)',
    'CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL)',
    'TL-2103',
  ],
  [
    'a generated column',
    'CREATE TABLE t (id int PRIMARY KEY, v int)',
    'CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id) STORED)',
    'TL-2105',
  ],
  [
    'a plain column for a generated one',
    'CREATE TABLE t (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id * 2) STORED)',
    'CREATE TABLE t (id int PRIMARY KEY, v int)',
    'TL-2110',
  ],
  ['no key', 'CREATE TABLE t (id int PRIMARY KEY)', 'CREATE TABLE t (id int)', 'TL-2106'],
  [
    'a key of more columns',
    'CREATE TABLE t (id int PRIMARY KEY)',
    'CREATE TABLE t (id int, g int GENERATED ALWAYS AS (id % 7) STORED, PRIMARY KEY (id, g))',
    'TL-2106',
  ],
  [
    'an unlogged table',
    'CREATE TABLE t (id int PRIMARY KEY)',
    'CREATE UNLOGGED TABLE t (id int PRIMARY KEY)',
    'TL-2114',
  ],
  ['a view', 'CREATE TABLE t (id int PRIMARY KEY)', 'CREATE VIEW t AS SELECT 1 AS id', 'TL-2107'],
];

interface Finding {
  readonly code: string;
  readonly table?: string;
  readonly remedy: string;
}

test('what does not fit at the target is told for each table, and halts before anything is written', async () => {
  const { source, target } = await servers.pair();
  const named = (sql: string, at: number): string => sql.replace(/(TABLE|VIEW) t /, `$1 t${at} `);
  for (const [at, [, mine, theirs]] of misfits.entries()) {
    await source.query(named(mine, at));
    await target.query(named(theirs, at));
  }
  using file = new RouteFile({ source, target });
  const check = await file.tidelock('check', '--json');
  expect(check.code).toBe(1);
  const [route0] = (JSON.parse(check.out) as { routes: { findings: Finding[] }[] }).routes;
  const codes = misfits.map(([name], at) => {
    const found = route0?.findings.filter(({ table }) => table === `public.t${at}`) ?? [];
    return [name, found.map(({ code }) => code).filter((code) => code.startsWith('TL-'))];
  });
  expect(codes).toEqual(misfits.map(([name, , , code]) => [name, [code]]));
  // The statement helps, whatever key there is.
  const keyless = (findings: readonly Finding[] = []) => findings.filter(({ code }) => code === 'TL-2106');
  for (const { remedy } of keyless(route0?.findings))
    await target.query(/^Run at the target: (.*?)\. /.exec(remedy)?.[1] ?? '');
  const again = JSON.parse((await file.tidelock('check', '--json')).out) as { routes: { findings: Finding[] }[] };
  expect(keyless(again.routes[0]?.findings)).toEqual([]);
  await using route = file.run();
  const { reason } = await route.state('failed');
  expect(reason?.message).toContain(`${misfits.length - 2} preflight errors`);
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
});

test('a route whose two nodes are one database never writes the tables that it reads', async () => {
  const source = await servers.here.createDatabase();
  await source.query(`CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (LIKE t INCLUDING ALL);
    INSERT INTO t VALUES (1, 'a')`);
  const replace = 'load: { existing: replace }';
  using file = new RouteFile({ source, target: source, route: `tables: [public.t]\n${replace}` });
  const check = await file.tidelock('check');
  expect(check).toMatchObject({ code: 1, out: expect.stringContaining('TL-4120') });
  {
    await using route = file.run();
    expect((await route.state('failed')).reason?.code).toBe('TL-4120');
  }
  expect(await contents(source, ['t'])).toEqual({ t: ['(1,a)'] });
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
  // Other tables of the same database are no such slip.
  using elsewhere = new RouteFile({
    source,
    target: source,
    route: `tables: [{ name: public.t, to: public.other }]\n${replace}`,
  });
  await using route = elsewhere.run();
  await route.state('running');
  await source.query(`INSERT INTO t VALUES (2, 'b')`);
  await route.caughtUp();
  const { t, other } = await contents(source, ['t', 'other']);
  expect(other).toEqual(t);
  await route.stop();
  expect(await elsewhere.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
});

test('triggers that would fire are refused, allowed by name, and never fire under the replica role', async () => {
  const schema = `CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE fired (n int)`;
  const trigger = `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.fired VALUES (1); RETURN NEW; END $$;
    CREATE TRIGGER note AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()`;
  for (const [user, allow] of [
    ['postgres', ''],
    ['applier', ''],
    ['applier', '\nallow: [targetTriggers]'],
  ] as const) {
    const { source, target } = await servers.pair();
    await source.query(schema);
    await target.query(`${schema};${trigger}`);
    for (const table of ['t', 'fired']) await target.query(`ALTER TABLE ${table} OWNER TO applier`);
    await target.query(`GRANT CREATE ON DATABASE ${target.name} TO applier`);
    using file = new RouteFile({ source, target, targetUser: user, route: `tables: [public.t]${allow}` });
    await using route = file.run();
    if (user === 'applier' && allow === '') {
      expect((await route.state('failed')).reason?.message).toContain('TL-2108');
      continue;
    }
    await route.state('running');
    await source.query('INSERT INTO t VALUES (1, 1)');
    await route.caughtUp();
    expect(await contents(target, ['t', 'fired'])).toEqual({ t: ['(1,1)'], fired: allow === '' ? [] : ['(1)'] });
  }
});

test('what the target refuses for its value halts without telling the value', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY, v text)');
  await target.query(`ALTER TABLE t ADD CONSTRAINT short CHECK (length(v) < 10)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO t VALUES (1, 'short')`);
  await source.query(`INSERT INTO t VALUES (4711, 'much-too-long-and-secret')`);
  expect((await route.state('failed')).reason).toMatchObject({
    code: 'TL-2203',
    message: expect.stringContaining('public.t'),
  });
  expect(await contents(target, ['t'])).toEqual({ t: ['(1,short)'] });
  expect(route.log).not.toMatch(/secret|4711/);
});

test('a row above maxRowBytes halts with its table and position', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY, v text)');
  using file = new RouteFile({ source, target, route: 'tables: [public.t]\napply: { maxRowBytes: 1MB }' });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO t VALUES (1, 'fits')`);
  await source.query(`INSERT INTO t VALUES (2, repeat('x', 2000000))`);
  expect((await route.state('failed')).reason).toMatchObject({
    code: 'TL-3201',
    message: expect.stringMatching(/public\.t.*[0-9A-F]+\/[0-9A-F]+/),
  });
  expect(await contents(target, ['t'])).toEqual({ t: ['(1,fits)'] });
});

test('an engine whose epoch is over writes nothing and is fenced', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  // Only the epoch, behind the back of the lease: every apply transaction has to look at it by itself.
  const client = await target.client();
  await client.query('BEGIN');
  await client.query(`UPDATE tidelock.routes SET epoch = epoch + 1`);
  await source.query(`INSERT INTO t VALUES (1)`);
  await client.query('COMMIT');
  await client.end();
  expect((await route.state('fenced')).reason?.code).toBe('TL-4001');
  expect(await contents(target, ['t'])).toEqual({ t: [] });
});

test('generated columns are computed by the target, or left to it by name', async () => {
  const { source, target } = await servers.pair();
  await source.query(
    'CREATE TABLE t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, more int GENERATED ALWAYS AS (id + 1) STORED)',
  );
  await target.query(
    `CREATE TABLE t (id int PRIMARY KEY, double int GENERATED ALWAYS AS (id * 2) STORED, more text DEFAULT 'own')`,
  );
  using file = new RouteFile({
    source,
    target,
    route: 'tables:\n  - name: public.t\n    columns: { exclude: [more], rename: { twice: double } }',
  });
  await source.query('INSERT INTO t VALUES (1)');
  await using route = file.run();
  await route.state('running');
  await source.query('INSERT INTO t VALUES (2)');
  await source.query('UPDATE t SET id = 3 WHERE id = 2');
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual({ t: ['(1,2,own)', '(3,6,own)'] });
});

test('tables that are too large for a load in one piece are told before, and nothing is made of them; those with a key are loaded in ranges', async () => {
  const { source, target } = await servers.pair(
    'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE loose (id int NOT NULL); CREATE UNIQUE INDEX down ON loose (id DESC); ALTER TABLE loose REPLICA IDENTITY USING INDEX down',
  );
  for (const table of ['t', 'u', 'loose']) {
    await source.query(`INSERT INTO ${table} VALUES (1)`);
    const [place] = await source.query(`SELECT pg_relation_filepath('${table}') AS path`);
    // Empty pages without blocks on the disk: as large for the server as if they were full.
    truncateSync(join(servers.here.dataDir, String(place?.path)), 2 ** 30);
  }
  using file = new RouteFile({ source, target, route: 'tables: [public.t, public.loose]' });
  await target.query('INSERT INTO t VALUES (0)');
  const checked = await file.tidelock('check', '--json');
  expect(checked).toMatchObject({ code: 1, out: expect.stringContaining('TL-2302') });
  // As are rows that would be in the way of those that are loaded in ranges.
  expect(checked.out).toContain('TL-2301');
  await target.query('DELETE FROM t');
  await using route = file.run();
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-2302' });
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
  await route.stop();

  file.configure('tables: [public.t]');
  await using keyed = file.run();
  await keyed.state('running');
  expect(await contents(target, ['t'])).toEqual({ t: ['(1)'] });
  // So does one that comes later.
  file.configure('tables: [public.t, public.u, public.loose]');
  expect((await file.tidelock('apply', '--yes')).err).toContain('TL-2302');
  file.configure('tables: [public.t, public.u]');
  expect(await file.tidelock('apply', '--yes')).toMatchObject({ code: 0 });
  await until('its row', async () => (await contents(target, ['u'])).u?.length === 1);
  expect(await target.query('SELECT source FROM tidelock.loads WHERE done_at IS NOT NULL ORDER BY 1')).toEqual([
    { source: 'public.t' },
    { source: 'public.u' },
  ]);
});

test('a table that a glob names halts when its changes were not published for a while', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query('INSERT INTO t VALUES (1)');
  await route.caughtUp();
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  // Made anew under its name, it is another table, which the publication does not have.
  await source.query('DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (2)');
  await file.tidelock('start', 'here-to-there');
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-3111', message: expect.stringContaining('public.t') });
});

test('a stop that is asked for while the last change halts is a stop, and the start after it halts', async () => {
  const { source, target } = await servers.pair();
  await Promise.all([source, target].map((db) => db.query('CREATE TABLE t (id int PRIMARY KEY)')));
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  const other = await target.client();
  await other.query('BEGIN; INSERT INTO t VALUES (1)');
  await source.query('INSERT INTO t VALUES (1)');
  const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await until('the change to wait', async () => (await target.query(waits)).length > 0);
  const stop = file.tidelock('stop', 'here-to-there');
  await until('the request', async () => (await file.status()).desiredState === 'stopped');
  await other.query('COMMIT');
  await other.end();
  expect((await stop).code).toBe(0);
  expect((await route.state('stopped')).reason).toBeNull();
  expect(route.log).toContain('route halted while it was being stopped');
  expect(route.log).not.toContain('"state":"failed"');
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  expect((await route.state('failed')).reason).toMatchObject({ code: 'TL-2201' });
});
