import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { everything } from '../../support/definitions.ts';
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

async function pair(schema = ''): Promise<{ source: TestDatabase; target: TestDatabase }> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source.query(schema), target.query(schema)]);
  return { source, target };
}

async function transaction(database: TestDatabase, statements: readonly string[]): Promise<void> {
  const client = await database.client();
  try {
    for (const statement of ['BEGIN', ...statements, 'COMMIT']) await client.query(statement);
  } finally {
    await client.end();
  }
}

const route = 'tables: ["public.*", "more.*"]\nexclude: [public.tmp_*]\nddl: replicate\nallow: [droppedTables]';

/** Each list is one transaction; a text in it may hold several commands. */
const scripts: readonly (readonly string[])[] = [
  [
    'CREATE TABLE a (id int PRIMARY KEY, n int)',
    'INSERT INTO a VALUES (1, 1)',
    'ALTER TABLE a ADD v text',
    `INSERT INTO a VALUES (2, 2, 'x')`,
  ],
  [
    'CREATE TABLE b (id serial PRIMARY KEY, a int REFERENCES a, g int GENERATED ALWAYS AS (a + 1) STORED, t text DEFAULT 7)',
    'INSERT INTO b (a) VALUES (1), (2)',
  ],
  [
    'CREATE TABLE i (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, c char(4) COLLATE "C" NOT NULL)',
    `INSERT INTO i (c) VALUES ('x')`,
  ],
  // The row's record begins where that of the command's message ends.
  [
    'SAVEPOINT s',
    'CREATE TABLE saved (id int PRIMARY KEY)',
    'SAVEPOINT t',
    'INSERT INTO saved VALUES (1)',
    'SAVEPOINT u',
    'ALTER TABLE saved ADD gone int',
    'ROLLBACK TO u',
  ],
  // The way of pg_dump: the key comes later.
  ['CREATE TABLE k (id int, n int)', 'ALTER TABLE k ADD PRIMARY KEY (id)', 'INSERT INTO k VALUES (1, 1)'],
  ['CREATE TABLE f (id int)'],
  ['ALTER TABLE f REPLICA IDENTITY FULL'],
  ['INSERT INTO f VALUES (1), (1)', 'DELETE FROM f WHERE ctid = (SELECT min(ctid) FROM f)'],
  [
    `CREATE TYPE mood AS ENUM ('sad', 'glad')`,
    'CREATE TABLE m (id int PRIMARY KEY, mood mood)',
    `INSERT INTO m VALUES (1, 'sad')`,
  ],
  [`ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'glad'`],
  [
    `INSERT INTO m VALUES (2, 'so-so')`,
    `ALTER TYPE mood RENAME VALUE 'sad' TO 'low'`,
    `INSERT INTO m VALUES (3, 'low')`,
  ],
  [
    `CREATE DOMAIN positive AS numeric(9,2) DEFAULT 1 CHECK (VALUE > 0); CREATE TYPE pair AS (a int, b text); CREATE TYPE span AS RANGE (subtype = float8)`,
  ],
  [
    'CREATE TABLE d (id int PRIMARY KEY, p positive, q pair, r span)',
    `INSERT INTO d VALUES (1, 2.5, '(1,x)', '[1,2)')`,
  ],
  [
    'ALTER DOMAIN positive SET DEFAULT 3',
    'ALTER TYPE pair ADD ATTRIBUTE c int',
    'ALTER TYPE pair RENAME ATTRIBUTE a TO z',
    `INSERT INTO d VALUES (2, 2, '(1,x,2)')`,
  ],
  [
    'CREATE SCHEMA more',
    'CREATE TABLE more.x (LIKE a INCLUDING ALL)',
    `INSERT INTO more.x VALUES (1, 1, 'y')`,
    `COMMENT ON SCHEMA more IS 'further'`,
  ],
  [
    'SET LOCAL search_path = more, public',
    'CREATE TABLE y (id int PRIMARY KEY)',
    'INSERT INTO y VALUES (1)',
    'ALTER TABLE y ADD n int',
  ],
  [
    'CREATE SEQUENCE free INCREMENT 5',
    'ALTER SEQUENCE free OWNED BY a.n MAXVALUE 500',
    'CREATE SEQUENCE gone',
    'DROP SEQUENCE gone',
  ],
  [
    'ALTER TABLE k RENAME TO renamed',
    'INSERT INTO renamed VALUES (2, 2)',
    'ALTER TABLE renamed SET SCHEMA more',
    'UPDATE more.renamed SET n = 5',
  ],
  // Names that change places.
  [
    'ALTER TABLE more.x RENAME TO z; ALTER TABLE more.y RENAME TO x; ALTER TABLE more.z RENAME TO y',
    'INSERT INTO more.x VALUES (7, 7)',
    `INSERT INTO more.y VALUES (8, 8, 'z')`,
  ],
  [
    'CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)',
    `CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')`,
    `INSERT INTO p VALUES (1, '2020-05-05')`,
  ],
  [
    `CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')`,
    `INSERT INTO p VALUES (2, '2021-05-05')`,
    'CREATE INDEX ON p (at)',
  ],
  ['CREATE TABLE c (extra int, PRIMARY KEY (id)) INHERITS (a)', 'INSERT INTO c VALUES (5, 5, NULL, 5)'],
  [
    'CREATE TABLE e AS SELECT id, n::numeric(8,2) AS n, v FROM a WITH NO DATA',
    'ALTER TABLE e ADD PRIMARY KEY (id)',
    'INSERT INTO e VALUES (1, 1.5)',
  ],
  ['CREATE TABLE checked (id int PRIMARY KEY, n int CHECK (n > id))', 'DROP TABLE checked'],
  ['DROP TABLE i, f', 'CREATE TABLE i (other text PRIMARY KEY)', `INSERT INTO i VALUES ('new')`],
  [
    'CREATE TABLE last (id int PRIMARY KEY); DROP TABLE last; CREATE TABLE last (id text PRIMARY KEY); CREATE TYPE unused AS ENUM (); DROP TYPE unused',
    `INSERT INTO last VALUES ('x')`,
  ],
  ['CREATE TABLE tmp_left (id int PRIMARY KEY)', 'CREATE TEMP TABLE mine (id int)', 'ALTER TABLE mine ADD n int'],
];

test('tables, types, schemas and sequences, made and altered between rows, over kills and a start', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route });
  await using run = file.run({ TIDELOCK_FAILPOINTS: 'evolve.altered=7:kill' });
  await run.state('running');
  const half = Math.floor(scripts.length / 2);
  for (const script of scripts.slice(0, half)) await transaction(source, script);
  await run.caughtUp(30_000);
  expect(run.log).toContain('restart');
  await run.stop();
  for (const script of scripts.slice(half)) await transaction(source, script);
  await using again = file.run({ TIDELOCK_FAILPOINTS: 'evolve.altered=11:kill' });
  await again.state('running');
  await again.caughtUp(30_000);
  const is = await everything(source);
  expect(is['public.tmp_left']).toEqual([]);
  await source.query('DROP TABLE tmp_left');
  await again.caughtUp();
  expect(await everything(target)).toEqual(await everything(source));
  expect(again.log).not.toContain('TL-2230');
});

test('what the target goes without is named, and rows that came before their table was told are a new table', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, n int)');
  using file = new RouteFile({ source, target, route: `${route}\nnewTables: load` });
  await using run = file.run();
  await run.state('running');
  await source.query(
    `CREATE VIEW v AS SELECT * FROM t; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
  );
  await source.query('CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()');
  await source.query('ALTER TABLE t ENABLE ROW LEVEL SECURITY');
  await source.query('CREATE POLICY p ON t USING (true); GRANT SELECT ON t TO PUBLIC');
  await source.query('ALTER TABLE t DISABLE ROW LEVEL SECURITY');
  await source.query('INSERT INTO t VALUES (1, 1)');
  // Filled as it is made: no row of it is in the queue.
  await source.query('CREATE TABLE filled AS SELECT * FROM t');
  await transaction(source, ['ALTER TABLE filled ADD PRIMARY KEY (id)', 'INSERT INTO filled VALUES (2, 2)']);
  await expect
    .poll(async () => await target.query('SELECT count(*)::int AS n FROM filled').catch(() => []), { timeout: 90_000 })
    .toEqual([{ n: 2 }]);
  await source.query('UPDATE filled SET n = 9; ALTER TABLE filled ADD w int DEFAULT 5');
  await run.caughtUp();
  const rows = 'SELECT to_jsonb(f)::text AS row FROM filled f ORDER BY 1';
  expect(await target.query(rows)).toEqual(await source.query(rows));
  for (const name of ['CREATE VIEW', 'CREATE FUNCTION', 'CREATE TRIGGER', 'CREATE POLICY', 'GRANT', 'ALTER TABLE'])
    expect(run.log).toMatch(new RegExp(`"tag":"${name}"[^\\n]*left out`));
  await expect.poll(async () => (await file.status()).ignored, { timeout: 90_000 }).toContain('CREATE VIEW public.v');

  // The grammar that commands are read by is not compiled by V8 once more, which took 540 MB for a moment.
  const status = readFileSync(`/proc/${await run.workerPid()}/status`, 'utf8');
  expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThan(256 * 1024);

  // What has no key can't be followed, and holds up nothing that has come with it, nor the start.
  await run.stop();
  await source.query(`CREATE TABLE keyless (n int); INSERT INTO keyless VALUES (1), (1)`);
  await source.query(`CREATE TABLE whole (n int) PARTITION BY LIST (n); CREATE TABLE part PARTITION OF whole DEFAULT;
    ALTER TABLE part REPLICA IDENTITY FULL; INSERT INTO whole VALUES (3); CREATE TABLE passing (n int)`);
  await source.query('INSERT INTO t VALUES (5, 5)');
  await using again = file.run();
  const { reason } = await again.state('failed');
  expect(`${reason?.code} ${reason?.message}`).toMatch(/TL-4106 .*source\.replicaIdentity public\.keyless /);
  expect(await target.query('SELECT id FROM t WHERE id = 5')).toEqual([{ id: 5 }]);
  // Whoever goes on with the queue later knows that the target has them.
  await source.query('ALTER TABLE passing ADD v int');
  await source.query(
    'DROP TABLE passing; ALTER TABLE keyless ADD w int; CREATE TABLE more_parts PARTITION OF whole FOR VALUES IN (4)',
  );
  await source.query('ALTER TABLE more_parts REPLICA IDENTITY FULL; ALTER TABLE whole REPLICA IDENTITY FULL');
  await source.query('ALTER TABLE keyless REPLICA IDENTITY FULL');
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  const counted = `SELECT (SELECT array_agg(n) FROM keyless)::text AS keyless, (SELECT array_agg(n) FROM whole)::text AS whole`;
  await expect
    .poll(() => target.query(counted), { timeout: 60_000 })
    .toEqual([{ keyless: '{1,1}', whole: '{3}' }])
    .catch((error: Error) => {
      throw new Error(again.log.slice(-9_000), { cause: error });
    });
  await source.query('DELETE FROM keyless WHERE ctid IN (SELECT min(ctid) FROM keyless); UPDATE whole SET n = 4');
  await again.caughtUp();
  expect(await target.query(counted)).toEqual([{ keyless: '{1}', whole: '{4}' }]);
  expect(await target.query(`SELECT to_regclass('passing') AS passing`)).toEqual([{ passing: null }]);
});

test('a command that nobody gave is not carried, whoever writes its message', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target, route });
  await using run = file.run();
  await run.state('running');
  const first = await source.query(`SELECT 't'::regclass::oid::int8::int AS oid`);
  const client = await source.client();
  await client.query('CREATE ROLE intruder').catch(() => {});
  await client.query('SET ROLE intruder');
  const forged = {
    v: 2,
    route: 'test/here-to-there',
    event: 'ddl_command_end',
    tag: 'ALTER TABLE',
    batch: 'x',
    published: false,
    facts: null,
    statement: null,
    reason: null,
    nested: false,
    plain: true,
    text: 'ALTER TABLE t ADD forged int',
    settings: { search_path: 'public' },
    objects: [
      {
        tag: 'ALTER TABLE',
        type: 'table',
        identity: 'public.t',
        schema: 'public',
        name: 't',
        relation: first[0]?.oid,
        table: 't',
      },
    ],
  };
  for (const signature of ['', '0'.repeat(64)]) {
    await client.query('BEGIN');
    const { rows } = await client.query('SELECT pg_current_xact_id()::text AS xid');
    const body = JSON.stringify({ ...forged, xid: rows[0]?.xid }).replace('"route":', '"route": ');
    await client.query(`SELECT pg_logical_emit_message(true, 'tidelock.ddl', $1::text)`, [signature + body]);
    await client.query('COMMIT');
  }
  await expect(client.query('SELECT * FROM tidelock.ddl_keys')).rejects.toThrow('permission denied');
  await client.end();
  await run.caughtUp();
  expect(run.log).toContain('without a valid signature');
  expect(await target.query(`SELECT attname FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1`)).toEqual(
    [],
  );
});

test('a user who may not make event triggers: an administrator runs what check prints, and what drop says is left', async () => {
  const { source, target } = await pair();
  await source.query(`CREATE ROLE plain LOGIN REPLICATION; GRANT CREATE ON DATABASE "${source.name}" TO plain;
    GRANT ALL ON SCHEMA public TO plain; CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t OWNER TO plain`);
  await target.query('CREATE TABLE t (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target, route, sourceUser: 'plain' });
  const check = await file.tidelock('check', '--json');
  const { routes } = JSON.parse(check.out) as { routes: { findings: { code: string; statement?: string }[] }[] };
  const finding = routes[0]?.findings.find(({ code }) => code === 'source.ddlTriggers');
  await source.query(finding?.statement ?? '');
  await using run = file.run();
  await run.state('running');
  await transaction(source, [
    'SET ROLE plain',
    'CREATE TABLE made (id int PRIMARY KEY)',
    'INSERT INTO made VALUES (1)',
  ]);
  await run.caughtUp();
  expect(await everything(target)).toEqual(await everything(source));
  await run.stop();
  const dropped = await file.tidelock('drop', 'here-to-there', '--yes');
  expect(dropped).toMatchObject({ code: 0, err: expect.stringContaining('left at') });
  await source.query(dropped.err.slice(dropped.err.indexOf('DROP EVENT TRIGGER')));
  expect(await source.query('SELECT evtname FROM pg_event_trigger')).toEqual([]);
});
