import { afterAll, beforeAll, expect, test } from 'vitest';
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

async function pair(schema: string): Promise<{ source: TestDatabase; target: TestDatabase }> {
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

/** Columns, constraints, indexes, comments and rows of all tables in public. */
async function all(database: TestDatabase): Promise<Record<string, unknown>> {
  const tables = await database.query(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1`,
  );
  const catalogue = await database.query(`
    SELECT 'column' AS what, attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull
        || ' ' || COALESCE(pg_get_expr(adbin, adrelid), '') || ' ' || COALESCE(col_description(attrelid, attnum), '') AS text
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid AND relnamespace = 'public'::regnamespace AND relkind = 'r'
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'index', pg_get_indexdef(indexrelid) || COALESCE(obj_description(indexrelid), '') FROM pg_index
      JOIN pg_class c ON c.oid = indexrelid AND relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'constraint', conrelid::regclass || conname || pg_get_constraintdef(oid) || convalidated FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'comment', relname || COALESCE(obj_description(oid), '') FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    ORDER BY 1, 2`);
  const rows: Record<string, unknown> = { catalogue };
  for (const { name } of tables)
    rows[String(name)] = await database.query(`SELECT to_jsonb(t)::text AS row FROM "${String(name)}" t ORDER BY 1`);
  return rows;
}

const route = 'tables: ["public.*"]\nddl: replicate';

/** What is done to T, between rows of one transaction. */
const carried: readonly (readonly string[])[] = [
  ['ALTER TABLE T ADD v text', `INSERT INTO T (id, v) VALUES (11, 'x')`],
  [
    `ALTER TABLE T ADD v int NOT NULL DEFAULT 5, ADD w text DEFAULT 'a''b' CHECK (w <> 'no')`,
    'INSERT INTO T (id, v) VALUES (11, 6)',
  ],
  ['ALTER TABLE T DROP n', 'INSERT INTO T (id) VALUES (11)'],
  ['ALTER TABLE T RENAME n TO m', 'UPDATE T SET m = 8 WHERE id = 2'],
  [
    'ALTER TABLE T RENAME n TO x',
    'ALTER TABLE T RENAME s TO n',
    'ALTER TABLE T RENAME x TO s',
    `INSERT INTO T VALUES (11, 7, 'y')`,
  ],
  ['ALTER TABLE T ALTER s TYPE varchar(20)', `INSERT INTO T VALUES (11, 7, 'longer than nine')`],
  ['ALTER TABLE T DROP n', 'ALTER TABLE T ADD n text', `INSERT INTO T (id, n) VALUES (11, 'text now')`],
  ['ALTER TABLE T ALTER n SET DEFAULT 4, ALTER n SET NOT NULL', 'INSERT INTO T (id) VALUES (11)'],
  [
    'ALTER TABLE T ADD CONSTRAINT T_positive CHECK (n > 0)',
    'INSERT INTO T VALUES (11, 1)',
    'ALTER TABLE T DROP CONSTRAINT T_positive',
    'INSERT INTO T VALUES (12, -1)',
  ],
  ['ALTER TABLE T ADD UNIQUE (n)', 'UPDATE T SET n = n + 10'],
  ['CREATE INDEX T_n ON T (n) WHERE n > 3', 'INSERT INTO T VALUES (11, 9)', 'ALTER INDEX T_n RENAME TO T_m'],
  [
    'CREATE UNIQUE INDEX T_n ON T (lower(s), id DESC)',
    `INSERT INTO T VALUES (11, 9, 'Z')`,
    `COMMENT ON INDEX T_n IS 'why'`,
  ],
  ['CREATE INDEX T_n ON T (n)', 'INSERT INTO T VALUES (11, 9)', 'DROP INDEX T_n'],
  ['CREATE INDEX ON T (n)', `COMMENT ON TABLE T IS 'a; ''b'''`, "COMMENT ON COLUMN T.n IS 'c'", 'UPDATE T SET n = 5'],
  // Several at once, each told by its kind or its table.
  [
    "ALTER TABLE T ADD é text; CREATE INDEX T_e ON T (é); COMMENT ON TABLE T IS 'ü'",
    `INSERT INTO T (id, é) VALUES (11, 'x')`,
  ],
];

test('commands between rows of one transaction, over kills with the command carried out and nothing committed', async () => {
  const schema = carried.map((_, at) => `CREATE TABLE t${at} (id int PRIMARY KEY, n int, s varchar(9));`).join('\n');
  const { source, target } = await pair(schema);
  for (const at of carried.keys())
    await source.query(`INSERT INTO t${at} SELECT i, i + 10, 'row' FROM generate_series(1, 3) i`);
  using file = new RouteFile({ source, target, route });
  await using run = file.run({ TIDELOCK_FAILPOINTS: 'evolve.altered=9:kill' });
  await run.state('running');
  for (const [at, script] of carried.entries())
    await transaction(
      source,
      ['INSERT INTO T (id) VALUES (4)', ...script, 'DELETE FROM T WHERE id = 1'].map((text) =>
        text.replaceAll(/\bT(?=\b|_)/g, `t${at}`).replace('INSERT INTO t7 (id) VALUES (4)', 'SELECT'),
      ),
    );
  await run.caughtUp(30_000);
  expect(run.log).toContain('restart');
  expect(await all(target)).toEqual(await all(source));
  // Definitions that no row has followed, and a start over them.
  await source.query('ALTER TABLE t0 ADD later int DEFAULT 3');
  await run.caughtUp();
  await run.stop();
  await using again = file.run();
  await again.state('running');
  await source.query('INSERT INTO t0 (id, later) VALUES (20, 4)');
  await again.caughtUp();
  expect(await all(target)).toEqual(await all(source));
  await again.stop();
  expect((await file.tidelock('drop', 'here-to-there', '--yes')).code).toBe(0);
  expect(await source.query('SELECT evtname FROM pg_event_trigger')).toEqual([]);
  expect(await source.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'tidelock'`)).toEqual([]);
});

/** Not safe, and what the halt says. */
const halting: readonly (readonly [string, string])[] = [
  ['ALTER TABLE t ALTER n TYPE bigint', 'anew'],
  ['ALTER TABLE t ALTER s TYPE varchar(20) USING s::varchar(20)', 'USING'],
  ['ALTER TABLE t ADD v float8 DEFAULT random()', 'anew'],
  ['ALTER TABLE t ADD v timestamptz DEFAULT now()', 'another value in column v'],
  ['ALTER TABLE t ADD v int GENERATED ALWAYS AS (id + 1) STORED', 'anew|generated'],
  ['CREATE INDEX CONCURRENTLY t_n ON t (n)', 'CONCURRENTLY'],
  ['DO $$ BEGIN ALTER TABLE t ADD v int; END $$', 'within a function'],
  ['ALTER TABLE t ADD v int; ALTER TABLE t ADD w int', 'which of them'],
  ['ALTER TABLE t ENABLE ROW LEVEL SECURITY', 'not carried'],
  ['ALTER TABLE t DISABLE TRIGGER ALL', 'not carried'],
  ['ALTER TABLE renamed ADD v int', 'other names'],
];

/** What sets the table back before the halt is accepted. */
const undone: Readonly<Record<number, readonly string[]>> = {
  0: ['ALTER TABLE t ALTER n TYPE int'],
  1: ['ALTER TABLE t ALTER s TYPE varchar(9)'],
  2: ['ALTER TABLE t DROP v'],
  3: ['ALTER TABLE t DROP v'],
  4: ['ALTER TABLE t DROP v'],
  6: ['ALTER TABLE t DROP v'],
  7: ['ALTER TABLE t DROP v', 'ALTER TABLE t DROP w'],
  8: ['ALTER TABLE t DISABLE ROW LEVEL SECURITY'],
  10: ['ALTER TABLE kept DROP v'],
};

test('what is not safe halts with nothing of its transaction applied, and goes on when a person has carried it out', async () => {
  const { source, target } = await pair(
    `CREATE SCHEMA other; CREATE TABLE t (id int PRIMARY KEY, n int, s varchar(9)); CREATE TABLE kept (id int PRIMARY KEY, secret text);
     CREATE TABLE outside (id int PRIMARY KEY)`,
  );
  await target.query('ALTER TABLE kept RENAME secret TO other');
  using file = new RouteFile({
    source,
    target,
    route: 'tables: [public.t, { name: public.kept, columns: { rename: { secret: other } } }]\nddl: replicate',
  });
  await using run = file.run();
  await run.state('running');
  // Of no table of the route.
  await source.query('ALTER TABLE outside ADD n int; CREATE INDEX ON outside (n); CREATE TEMP TABLE mine (id int)');
  for (const [index, [command, why]] of halting.entries()) {
    const statement = command.replace('renamed', 'kept');
    const before = `INSERT INTO t (id) VALUES (${100 + index})`;
    if (command.includes(';') || command.includes('CONCURRENTLY')) await source.query(statement);
    else await transaction(source, [before, statement]);
    const { reason } = await run.state('failed');
    // A rewrite may be met in the catalogue first.
    const isMet = why.startsWith('anew') && /^TL-(4105|4109)$/.test(reason?.code ?? '');
    expect(`${command}: ${isMet ? 'TL-2230' : reason?.code} ${reason?.message}`).toMatch(
      new RegExp(`TL-2230 .*(${why})`),
    );
    expect(await target.query(`SELECT id FROM t WHERE id = ${100 + index}`)).toEqual([]);
    // By hand, and back at both sides: the next one begins from the same table.
    for (const undo of undone[index] ?? []) await source.query(undo);
    expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
    await run.state('running');
    await run.caughtUp();
  }
  expect(await target.query('SELECT count(*)::int AS n FROM t')).toEqual(
    await source.query('SELECT count(*)::int AS n FROM t'),
  );
  // What the target refuses; no literal is told.
  await target.query('ALTER TABLE t ADD CONSTRAINT taken CHECK (true)');
  await source.query(`ALTER TABLE t ADD CONSTRAINT taken CHECK (s <> 'hush')`);
  const { reason } = await run.state('failed');
  expect(reason?.code).toBe('TL-2231');
  expect(run.log).not.toContain('hush');
});

test('a pair of routes in both directions: no command comes back, and both know what it has made', async () => {
  const { source, target } = await pair('CREATE TABLE item (id int PRIMARY KEY, n int)');
  await source.query('INSERT INTO item VALUES (0, 0)');
  using file = new RouteFile({ source, target, route, back: `${route}\nload: { mode: none }` });
  await using run = file.run();
  await run.state('running');
  await run.state('running', 30_000, 'there-to-here');
  await transaction(source, ['ALTER TABLE item ADD v int DEFAULT 3', 'INSERT INTO item VALUES (1, 1, 1)']);
  await run.caughtUp();
  await transaction(target, [
    'INSERT INTO item VALUES (-1, 1, 1)',
    'ALTER TABLE item DROP n',
    'CREATE INDEX item_v ON item (v)',
  ]);
  await run.caughtUp(undefined, 'back');
  await transaction(source, ['INSERT INTO item VALUES (2, 2)', `COMMENT ON TABLE item IS 'both'`]);
  await run.caughtUp();
  await target.query('INSERT INTO item VALUES (-2, 2)');
  await run.caughtUp(undefined, 'back');
  expect(await all(target)).toEqual(await all(source));
  expect(await source.query('SELECT count(*)::int AS n FROM item')).toEqual([{ n: 5 }]);
});
