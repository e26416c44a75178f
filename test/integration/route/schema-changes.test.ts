import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../../src/expression/load-parser.ts';
import { TableWatch } from '../../../connectors/postgres/source/table-watch.ts';
import { configuredExpression } from '../../../src/config/configured-expression.ts';
import { type TableRule, tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { keepAll } from '../../../transforms/keep-all.ts';
import { softDelete } from '../../../transforms/soft-delete.ts';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
import { until } from '../../support/until.ts';
import { following } from '../consumer/following.ts';

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

/** Rows with their column names: the order of the columns is the target's own. */
async function named(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query(`SELECT to_jsonb(t)::text AS row FROM ${table} t ORDER BY 1`);
  return rows.map(({ row }) => String(row));
}

async function transaction(database: TestDatabase, statements: readonly string[]): Promise<void> {
  const client = await database.client();
  try {
    for (const statement of ['BEGIN', ...statements, 'COMMIT']) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Name, table definition, what is done: T is the table. Rows come before, in between and after in one transaction. */
const followed: readonly (readonly [string, string, readonly string[]])[] = [
  ['add', 'id int PRIMARY KEY', ['ALTER TABLE T ADD v text', `INSERT INTO T VALUES (11, 'x')`]],
  ['add_int', 'id int PRIMARY KEY', ['ALTER TABLE T ADD v int DEFAULT 5', 'INSERT INTO T VALUES (11, 6)']],
  [
    'add_text',
    'id int PRIMARY KEY',
    [String.raw`ALTER TABLE T ADD v text DEFAULT E'a ''quoted'' \\ one'`, 'INSERT INTO T (id) VALUES (11)'],
  ],
  [
    'add_array',
    'id int PRIMARY KEY',
    [
      `ALTER TABLE T ADD v text[] NOT NULL DEFAULT '{"a,b",NULL}', ADD b box DEFAULT '((1,1),(0,0))'`,
      'INSERT INTO T (id) VALUES (11)',
    ],
  ],
  [
    'add_stable',
    'id int PRIMARY KEY',
    ['ALTER TABLE T ADD v timestamptz DEFAULT now()', 'INSERT INTO T (id) VALUES (11)'],
  ],
  [
    'add_json',
    'id int PRIMARY KEY',
    [`ALTER TABLE T ADD v jsonb DEFAULT '{"a": [1]}', ADD w bytea DEFAULT '\\x00ff'`, 'INSERT INTO T (id) VALUES (11)'],
  ],
  ['remove', 'id int PRIMARY KEY, v text, w int DEFAULT 3', ['ALTER TABLE T DROP v', 'INSERT INTO T VALUES (11, 6)']],
  ['rename', 'id int PRIMARY KEY, v text', ['ALTER TABLE T RENAME v TO w', `INSERT INTO T (id, w) VALUES (11, 'x')`]],
  [
    'rename_key',
    'id int PRIMARY KEY, v text',
    ['ALTER TABLE T RENAME id TO number', `UPDATE T SET v = 'y' WHERE number = 2`],
  ],
  [
    'trade',
    `id int PRIMARY KEY, a text DEFAULT 'a', b text DEFAULT 'b'`,
    [
      'ALTER TABLE T RENAME a TO c',
      'ALTER TABLE T RENAME b TO a',
      'ALTER TABLE T RENAME c TO b',
      `INSERT INTO T (id, a, b) VALUES (11, 'new a', 'new b')`,
    ],
  ],
  [
    'widen',
    'id int PRIMARY KEY, v varchar(3), n numeric(4,2)',
    [
      'ALTER TABLE T ALTER v TYPE varchar(10), ALTER n TYPE numeric(8,2)',
      `INSERT INTO T VALUES (11, 'longer', 123456.78)`,
    ],
  ],
  [
    'to_text',
    'id int PRIMARY KEY, v varchar(3)',
    ['ALTER TABLE T ALTER v TYPE text', `INSERT INTO T VALUES (11, 'longer')`],
  ],
  [
    'several',
    'id int PRIMARY KEY, v varchar(3), w int',
    [
      'ALTER TABLE T ADD x int DEFAULT 1',
      'INSERT INTO T (id, x) VALUES (11, 2)',
      'ALTER TABLE T RENAME w TO y',
      'UPDATE T SET y = 4 WHERE id < 3',
      'ALTER TABLE T DROP v',
      'DELETE FROM T WHERE id = 11',
    ],
  ],
  [
    'replace',
    'id int PRIMARY KEY, v int',
    ['ALTER TABLE T DROP v, ADD w int DEFAULT 7', 'INSERT INTO T VALUES (11, 8)'],
  ],
  [
    'null',
    'id int PRIMARY KEY, v int',
    [
      'ALTER TABLE T ALTER v SET DEFAULT 4, ADD CHECK (v IS NULL OR v < 9), ALTER id SET STATISTICS 5',
      'INSERT INTO T (id) VALUES (11)',
    ],
  ],
  ['no_key', 'id int, v int', ['ALTER TABLE T ADD w int DEFAULT 3', 'UPDATE T SET v = 5 WHERE id = 2']],
  [
    'emptied',
    'id int PRIMARY KEY',
    ['TRUNCATE T', 'INSERT INTO T VALUES (20)', 'ALTER TABLE T ADD v int DEFAULT 7', 'INSERT INTO T VALUES (21, 8)'],
  ],
];

test('every kind of change that can be followed, between rows of one transaction, over kills of the worker', async () => {
  const schema = followed
    .map(([name, columns]) => {
      const full = columns.includes('KEY') ? '' : `ALTER TABLE ${name}_t REPLICA IDENTITY FULL;`;
      return `CREATE TABLE ${name}_t (${columns}); ${full} INSERT INTO ${name}_t (id) SELECT generate_series(1, 3);`;
    })
    .join('\n');
  const { source, target } = await pair(schema);
  for (const [name] of followed) await target.query(`TRUNCATE ${name}_t`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nschemaChanges: evolve' });
  {
    // Each change is applied once: the worker is killed with the target's table altered and nothing committed.
    await using route = file.run({ TIDELOCK_FAILPOINTS: 'evolve.altered=2:kill' });
    await route.state('running');
    for (const [name, columns, script] of followed) {
      const filled = columns.includes('id int') ? `INSERT INTO ${name}_t (id) VALUES (4)` : 'SELECT';
      await transaction(
        source,
        [filled, ...script].map((text) => text.replaceAll(/\bT\b/g, `${name}_t`)),
      );
    }
    await route.caughtUp(25_000);
    expect(route.log).toContain('worker');
  }
  for (const [name] of followed) {
    const table = `${name}_t`;
    expect([name, await named(target, table)]).toEqual([name, await named(source, table)]);
  }
});

async function halted(route: RunningRoute, code: string, text: string): Promise<void> {
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code, message: expect.stringContaining(text) });
}

/** Name, table definition, what is done before the next row, what is said. */
const refused: readonly (readonly [string, string, string, string])[] = [
  ['using', 'id int PRIMARY KEY, v int', 'ALTER TABLE t ALTER v TYPE int USING v * 2', 'column v was changed'],
  ['using_wider', 'id int PRIMARY KEY, v int', 'ALTER TABLE t ALTER v TYPE bigint USING v * 2', 'rewrittenTypes'],
  ['volatile', 'id int PRIMARY KEY, v int', 'ALTER TABLE t ADD w float8 DEFAULT random()', 'column w was added'],
  [
    'generated',
    'id int PRIMARY KEY, v int',
    'ALTER TABLE t ADD w int GENERATED ALWAYS AS (v + 1) STORED',
    'generated column w',
  ],
  ['again', 'id int PRIMARY KEY, v int', 'ALTER TABLE t DROP v; ALTER TABLE t ADD v int', 'which columns were there'],
  [
    'to_default',
    'id int PRIMARY KEY, v int',
    'ALTER TABLE t ADD w float8 DEFAULT random(); ALTER TABLE t ALTER w DROP DEFAULT',
    'column w was added',
  ],
];

test.for(refused)('what changes rows without row events halts: %s', async ([, columns, change, text]) => {
  await using route = await following(here, there, {
    schema: `CREATE TABLE t (${columns});`,
    rows: 'INSERT INTO t VALUES (1, 1)',
  });
  await route.source.query(change);
  await route.source.query('INSERT INTO t (id, v) VALUES (2, 2)');
  await expect(route.follow()).rejects.toMatchObject({ code: 'TL-4109', message: expect.stringContaining(text) });
  expect(await route.target.query('SELECT id, v FROM t')).toEqual([{ id: 1, v: 1 }]);
});

/** What the route says of the table, what is done before the next row, what is said. */
const readers: readonly (readonly [Partial<TableRule>, string, string])[] = [
  [{ where: configuredExpression('v / 2 = 0') }, 'ALTER TABLE t ALTER v TYPE numeric', 'column v is of another type'],
  [
    { key: ['id'], transforms: [keepAll()] },
    'ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id)',
    'unique index over id',
  ],
];

test.for(readers)(
  'what rows were chosen by, or are told apart by, is no other without a halt: %s',
  async ([rule, change, text]) => {
    const tables = tableSelection('r', [{ ...wholeTable, name: 'public.t', ...rule }], []);
    await using route = await following(here, there, {
      schema: 'CREATE TABLE t (id int PRIMARY KEY, v int); ALTER TABLE t REPLICA IDENTITY FULL;',
      rows: 'INSERT INTO t VALUES (1, 1)',
      route: { tables, allow: ['rewrittenTypes'] },
    });
    await route.source.query('INSERT INTO t VALUES (2, 0)');
    await route.follow();
    await route.source.query(change);
    await route.source.query('INSERT INTO t VALUES (3, 0)');
    await expect(route.follow()).rejects.toMatchObject({ code: 'TL-4109', message: expect.stringContaining(text) });
    expect(await route.target.query('SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
  },
);

test('an index that is made anew tells apart the rows that are marked when they are deleted, and its end halts', async () => {
  const marked = softDelete({ column: 'gone', type: 'pg_catalog.bool', deleted: 't', there: 'f' });
  const rule = { ...wholeTable, name: 'public.t', key: ['id'], transforms: [marked] };
  await using route = await following(here, there, {
    schema: `CREATE TABLE t (id int NOT NULL, v int); CREATE UNIQUE INDEX one ON t (id); ALTER TABLE t REPLICA IDENTITY FULL;`,
    route: { tables: tableSelection('r', [rule], []) },
  });
  await route.target.query('ALTER TABLE t ADD gone bool');
  const { source } = route;
  for (const id of [1, 2]) {
    await source.query(`INSERT INTO t VALUES (${id}, 1)`);
    await route.follow();
    await source.query('REINDEX INDEX CONCURRENTLY one');
  }
  await source.query('DELETE FROM t WHERE id = 1');
  await route.follow();
  expect(await route.target.query('SELECT id, gone FROM t ORDER BY id')).toEqual([
    { id: 1, gone: true },
    { id: 2, gone: false },
  ]);
  await source.query('DROP INDEX one');
  await source.query('INSERT INTO t VALUES (3, 1)');
  await expect(route.follow()).rejects.toMatchObject({ message: expect.stringContaining('unique index over id') });
});

test('types whose values change no row are looked at: those of rows of a table too, not those of columns left out, nor what commands tell', async () => {
  const rule = { ...wholeTable, name: 'public.t', excludedColumns: ['hidden'] };
  const schema = `CREATE SCHEMA other; CREATE TYPE other.mood AS ENUM ('ok', 'sad'); CREATE TYPE mood AS ENUM ('ok', 'sad');
    CREATE TABLE tmp_address (street text, city text);`;
  await using route = await following(here, there, {
    schema: `${schema} CREATE TABLE t (id int PRIMARY KEY, hidden mood, shown tmp_address[]);`,
    route: { tables: tableSelection('r', [rule], []) },
  });
  const thereAndBack = ['gone', 'blue'].map(
    (to, at) => `ALTER TYPE mood RENAME VALUE '${['blue', 'gone'][at]}' TO '${to}'`,
  );
  const { source } = route;
  const client = await source.client();
  let touched: readonly string[] = [];
  const always = { isNew: () => false, isCarried: () => true, onNewTables: () => {} };
  const watch = new TableWatch({
    publication: null,
    ...always,
    onTouched: (labels) => {
      touched = labels;
    },
  });
  const seen = async (...statements: readonly string[]): Promise<readonly string[]> => {
    touched = [];
    for (const statement of statements) await source.query(statement);
    await watch.look(client);
    return touched;
  };
  try {
    await seen();
    expect(await seen('CREATE TABLE tmp_more (id int); ALTER TABLE tmp_more ADD v int')).not.toContain('public.t');
    expect(await seen(`ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`)).toContain('public.t');
    expect(await seen(...thereAndBack)).toContain('public.t');
    await route.look('public.t');
    expect(await seen('ALTER TABLE tmp_address ADD zip int')).toContain('public.t');
    await expect(route.look('public.t')).rejects.toMatchObject({
      code: 'TL-4109',
      message: expect.stringContaining('an attribute of a composite type added'),
    });
    await route.accept();
    await route.look('public.t');
  } finally {
    await client.end();
  }

  // With commands: a type is told where the route means a table of its schema, and the rows of a table where it carries these; not what a condition has made of its values.
  const all = [
    { ...wholeTable, name: 'public.*' },
    { ...wholeTable, name: 'public.w', where: configuredExpression(`b::text = 'ok'`) },
  ];
  await using told = await following(here, there, {
    schema: `${schema} CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY, b mood); ALTER TABLE w REPLICA IDENTITY FULL;
      CREATE TABLE t (id int PRIMARY KEY, a other.mood, b mood, c u, d tmp_address);`,
    route: { tables: tableSelection('r', all, ['public.tmp_*']), ddl: 'replicate' },
  });
  await told.look('public.t');
  await told.source.query(`ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`);
  await told.source.query('ALTER TABLE u ADD v int');
  await told.look('public.t');
  const carried = `SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) AS labels FROM pg_enum WHERE enumtypid = 'mood'::regtype`;
  expect(await told.target.query(carried)).toEqual([{ labels: 'ok blue' }]);
  const halts = async (table: string, why: string): Promise<void> => {
    await expect(told.look(table)).rejects.toMatchObject({ code: 'TL-4109', message: expect.stringContaining(why) });
    await told.accept();
    await told.look(table);
  };
  await halts('public.w', 'a value of an enum was renamed, or');
  for (const statement of thereAndBack) await told.source.query(statement);
  await told.look('public.t');
  await halts('public.w', 'renamed and back');
  for (const change of [`ALTER TYPE other.mood RENAME VALUE 'sad' TO 'blue'`, 'ALTER TABLE tmp_address DROP city']) {
    await told.source.query(change);
    await halts('public.t', 'a value of an enum was renamed, or');
  }
  const [trigger] = await told.source.query(`SELECT evtname AS name FROM pg_event_trigger WHERE evtname LIKE '%end'`);
  await told.source.query(`ALTER EVENT TRIGGER ${trigger?.name} DISABLE`);
  await told.source.query(`ALTER TYPE mood RENAME VALUE 'blue' TO 'grey'`);
  await told.source.query(`ALTER EVENT TRIGGER ${trigger?.name} ENABLE ALWAYS`);
  await halts('public.t', 'a value of an enum was renamed, or');
});

test('a type that was changed by writing the table anew goes on where that is allowed by name, also of a whole number that a transform reads', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, v int)');
  await source.query('INSERT INTO t VALUES (1, 1)');
  await target.query('ALTER TABLE t ADD twice int');
  using file = new RouteFile({
    source,
    target,
    route: `schemaChanges: evolve\nallow: [rewrittenTypes]\ntables: [{ name: public.t, transforms: [{ set: { twice: "v * 2" } }] }]`,
  });
  await using route = file.run();
  await route.state('running');
  await transaction(source, [
    'ALTER TABLE t ALTER v TYPE bigint, ALTER id TYPE bigint',
    'INSERT INTO t VALUES (5000000000, 5000000000)',
  ]);
  await route.caughtUp();
  const made = (twice: string) => `SELECT id::text, v::text, ${twice}::text AS twice FROM t ORDER BY t.id`;
  expect(await target.query(made('twice'))).toEqual(await source.query(made('(v * 2)')));
});

test('what a person accepts is taken to be done at the target, and nothing later', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, v int)');
  await source.query('INSERT INTO t VALUES (1, 1)');
  using file = new RouteFile({ source, target, route: 'tables: [public.t]\nschemaChanges: evolve' });
  await using route = file.run();
  await route.state('running');
  await source.query('ALTER TABLE t ALTER v TYPE int USING v * 2');
  await source.query('INSERT INTO t VALUES (2, 2)');
  await halted(route, 'TL-4109', 'column v');
  await target.query('UPDATE t SET v = v * 2');
  expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
  await route.caughtUp();
  expect(await named(target, 't')).toEqual(await named(source, 't'));
  await source.query('ALTER TABLE t ALTER v TYPE int USING v * 3');
  await source.query('INSERT INTO t VALUES (3, 3)');
  await halted(route, 'TL-4109', 'column v');
});

test('what a person makes at the target as the source has it is accepted, also where older rows could not be written to it', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY)');
  await source.query('INSERT INTO t VALUES (1)');
  using file = new RouteFile({ source, target, route: 'tables: [public.t]\nschemaChanges: evolve' });
  await using route = file.run();
  await route.state('running');
  const change = `ALTER TABLE t ADD c int NOT NULL DEFAULT length(random()::text) * 0 + 7; ALTER TABLE t ALTER c DROP DEFAULT`;
  await source.query(change);
  await source.query('INSERT INTO t VALUES (2, 8)');
  await halted(route, 'TL-4109', 'column c');
  await target.query(change);
  expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
  await route.caughtUp();
  expect(await named(target, 't')).toEqual(await named(source, 't'));
});

test('columns that do not travel may change; names that the configuration needs may not', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, fname text, secret int, hidden text)');
  await target.query('ALTER TABLE t RENAME fname TO first_name; ALTER TABLE t DROP secret, DROP hidden');
  const tables = `tables:
  - name: public.t
    columns: { exclude: [secret, hidden], rename: { fname: first_name } }
`;
  using file = new RouteFile({ source, target, route: `${tables}schemaChanges: evolve` });
  await using route = file.run();
  await route.state('running');
  await source.query('ALTER TABLE t ALTER secret TYPE int USING secret * 2');
  await source.query(`INSERT INTO t VALUES (1, 'one', 1, 'h')`);
  await source.query('ALTER TABLE t DROP hidden, ADD first int DEFAULT 3');
  await source.query(`INSERT INTO t VALUES (2, 'two', 2, 4)`);
  await route.caughtUp();
  // Also at a start, where the configuration still names what is gone.
  expect((await file.tidelock('stop', 'here-to-there')).code).toBe(0);
  await route.state('stopped');
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  await route.state('running');
  expect(await target.query('SELECT * FROM t ORDER BY id')).toEqual([
    { id: 1, first_name: 'one', first: 3 },
    { id: 2, first_name: 'two', first: 4 },
  ]);
  // Under its new name it would begin to travel.
  await source.query('ALTER TABLE t RENAME secret TO public');
  await source.query(`INSERT INTO t VALUES (3, 'three', 3, 4)`);
  await halted(route, 'TL-4101', 'secret');
});

test('columns that begin to collide at the target halt', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, fname text)');
  await target.query('ALTER TABLE t RENAME fname TO first_name');
  const columns = 'tables:\n  - name: public.t\n    columns: { rename: { fname: first_name } }\n';
  using file = new RouteFile({ source, target, route: `${columns}schemaChanges: evolve` });
  await using route = file.run();
  await route.state('running');
  await source.query('ALTER TABLE t ADD first_name text');
  await source.query(`INSERT INTO t VALUES (1, 'a', 'b')`);
  await halted(route, 'TL-4103', 'first_name');
});

test('partitions whose rows come or go without row events halt, as columns that count by themselves do; a person puts that right', async () => {
  const { source, target } = await pair(
    `CREATE TABLE p (id int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
     CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE t (id int PRIMARY KEY);
     CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TYPE felt AS (at int, moods mood[]);
     CREATE TABLE e (id int PRIMARY KEY, felt felt); CREATE TABLE f (id int PRIMARY KEY, mood mood)`,
  );
  await source.query(
    `INSERT INTO p VALUES (1, 1); INSERT INTO t VALUES (3), (2), (1); INSERT INTO e VALUES (1, (7, '{sad,ok}')); INSERT INTO f VALUES (1, 'sad')`,
  );
  using file = new RouteFile({
    ...{ source, target },
    route: 'tables: [public.p, public.t, public.e, public.f]\nschemaChanges: evolve',
  });
  await target.query('ALTER TABLE p DETACH PARTITION p1; DROP TABLE p1; CREATE TABLE all_rows PARTITION OF p DEFAULT');
  await using route = file.run();
  await route.state('running');
  await source.query(
    'CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30)',
  );
  await source.query('INSERT INTO p VALUES (11, 1)');
  await source.query('ALTER TABLE p ADD w int DEFAULT 6');
  await source.query('INSERT INTO p VALUES (12, 1, 7)');
  await route.caughtUp();
  expect(await named(target, 'p')).toEqual(await named(source, 'p'));
  const steps: readonly (readonly [table: string, here: string, there: string, why: string])[] = [
    [
      'p',
      'ALTER TABLE p DETACH PARTITION p2; UPDATE p2 SET v = 9; ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)',
      'UPDATE p SET v = 9 WHERE id BETWEEN 10 AND 19',
      'was attached as a partition',
    ],
    ['p', 'DROP TABLE p1', 'DELETE FROM p WHERE id < 10', 'was detached or dropped'],
    [
      'e',
      `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`,
      `ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`,
      'a value of an enum was renamed',
    ],
    [
      'e',
      'ALTER TYPE felt ADD ATTRIBUTE since date',
      'ALTER TYPE felt ADD ATTRIBUTE since date',
      'a composite type added',
    ],
    ['p', 'ALTER TABLE p DETACH PARTITION p2', 'DELETE FROM p WHERE id BETWEEN 10 AND 19', 'was detached or dropped'],
    [
      'p',
      'ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)',
      'INSERT INTO p VALUES (11, 9, 6), (12, 9, 7)',
      'was attached as a partition',
    ],
    [
      't',
      'ALTER TABLE t ADD s serial',
      'ALTER TABLE t ADD s serial; UPDATE t SET s = 4 - id',
      'column s was added and the table written anew',
    ],
    [
      't',
      'ALTER TABLE t ADD i int GENERATED ALWAYS AS IDENTITY',
      'ALTER TABLE t ADD i int GENERATED BY DEFAULT AS IDENTITY; UPDATE t SET i = CASE WHEN id > 3 THEN 4 ELSE 4 - id END',
      'column i was added and the table written anew',
    ],
  ];
  for (const [at, [table, here, there, why]] of steps.entries()) {
    // Told by the row where the server announces its table anew, else by the next look at the catalogue.
    await source.query(`${here}; INSERT INTO ${table} (id) VALUES (${20 + at})`);
    await halted(route, 'TL-4109', why);
    await target.query(there);
    expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
    await route.state('running', 20_000);
    await route.caughtUp();
    expect(await contents(target, ['p', 't', 'e', 'f'])).toEqual(await contents(source, ['p', 't', 'e', 'f']));
  }
});

test('ignore: what both sides have goes on, and what is left out is said', async () => {
  const { source, target } = await pair(
    `CREATE TABLE t (id int PRIMARY KEY, v varchar(3), w int DEFAULT 3, n numeric(4,2)); CREATE TABLE u (id int PRIMARY KEY, v int)`,
  );
  await target.query('ALTER TABLE t ALTER v TYPE text');
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nschemaChanges: ignore' });
  await using route = file.run();
  await route.state('running');
  await source.query(`ALTER TABLE t ADD x int DEFAULT 9, DROP w, ALTER v TYPE varchar(20)`);
  await source.query(`INSERT INTO t VALUES (1, 'longer', 1, 5)`);
  await route.caughtUp();
  expect(await target.query('SELECT * FROM t')).toEqual([{ id: 1, v: 'longer', w: 3, n: '1.00' }]);
  await until('the status', async () => String((await file.status()).ignored) === 'public.t.x');
  expect((await file.tidelock('stop', 'here-to-there')).code).toBe(0);
  await route.state('stopped');
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  await route.state('running');
  await source.query('INSERT INTO t VALUES (2, NULL, 1, 5)');
  await route.caughtUp();
  expect((await target.query('SELECT count(*)::int AS n FROM t'))[0]?.n).toBe(2);
  await source.query('ALTER TABLE u RENAME v TO w');
  await source.query('INSERT INTO u VALUES (1, 1)');
  await halted(route, 'TL-4110', 'column v');
});

test('ignore: a type that the target does not hold halts', async () => {
  const { source, target } = await pair(`CREATE TABLE t (id int PRIMARY KEY, v varchar(3))`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nschemaChanges: ignore' });
  await using route = file.run();
  await route.state('running');
  await source.query(`ALTER TABLE t ALTER v TYPE varchar(20)`);
  await source.query(`INSERT INTO t VALUES (1, 'a')`);
  await halted(route, 'TL-2104', 'public.t');
});

test('changes that no row tells are noticed within seconds: followed, or halted at and accepted', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, v int)');
  await source.query('INSERT INTO t VALUES (1, 1)');
  using file = new RouteFile({ source, target, route: 'tables: [public.t]\nschemaChanges: evolve' });
  await using route = file.run();
  await route.state('running');
  await source.query('ALTER TABLE t ADD w int DEFAULT 3');
  await until('the column', async () => (await named(target, 't'))[0]?.includes('"w": 3') === true);
  await source.query('ALTER TABLE t ALTER v TYPE int USING v * 2');
  await halted(route, 'TL-4109', 'column v');
  await target.query('UPDATE t SET v = v * 2');
  expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
  await route.state('running');
  await source.query('INSERT INTO t VALUES (2, 2, 2)');
  await route.caughtUp();
  await source.query('VACUUM FULL t');
  await source.query('INSERT INTO t VALUES (3, 3, 3)');
  await route.caughtUp();
  expect(await named(target, 't')).toEqual(await named(source, 't'));
  await source.query('ALTER TABLE t ALTER v TYPE int USING v * 3');
  await halted(route, 'TL-4109', 'column v');
});

test('a definition is followed where the rows around it are set aside', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, v text)');
  using file = new RouteFile({
    source,
    target,
    route: 'tables: [public.t]\nschemaChanges: evolve\napply: { onError: park }',
  });
  await using route = file.run();
  await route.state('running');
  await target.query(`ALTER TABLE t ADD CONSTRAINT refuses CHECK (v <> 'bad')`);
  await transaction(source, ['ALTER TABLE t ADD w int DEFAULT 3', `INSERT INTO t VALUES (1, 'bad', 4)`]);
  await transaction(source, [
    `INSERT INTO t VALUES (2, 'bad', 4)`,
    'ALTER TABLE t ADD x int',
    `INSERT INTO t VALUES (3, 'good', 4, 5)`,
  ]);
  await source.query(`INSERT INTO t VALUES (4, 'good', 4, 6)`);
  await route.caughtUp();
  expect(await target.query('SELECT * FROM t')).toEqual([{ id: 4, v: 'good', w: 4, x: 6 }]);
});

test('transforms: added cells are followed by; rows that are reshaped halt, and go on when the target has the column', async () => {
  const { source, target } = await pair('CREATE TABLE looked (id int PRIMARY KEY, code text)');
  await source.query(`CREATE TABLE routed (id int PRIMARY KEY, region text); CREATE TABLE parts (id int PRIMARY KEY, home text);
    CREATE TABLE quarters (id int PRIMARY KEY, q1 int, q2 int); ALTER TABLE routed REPLICA IDENTITY FULL; ALTER TABLE quarters REPLICA IDENTITY FULL`);
  await target.query(`ALTER TABLE looked ADD country text; CREATE TABLE eu (id int PRIMARY KEY, region text); CREATE TABLE us (LIKE eu INCLUDING ALL);
    CREATE TABLE addresses (id int, kind text, home text, PRIMARY KEY (id, kind)); CREATE TABLE unpivoted (id int, quarter text, value int, PRIMARY KEY (id, quarter))`);
  using file = new RouteFile({
    source,
    target,
    route: `schemaChanges: evolve
tables:
  - name: public.looked
    transforms: [{ lookup: { file: ./countries.csv, key: code, column: code, set: { country: name } } }]
  - name: public.routed
    transforms: [{ route: { rules: [{ when: "region = 'EU'", to: public.eu }, { when: "region = 'US'", to: public.us }], otherwise: drop } }]
  - name: public.parts
    to: public.addresses
    transforms: [{ split: { key: [kind], rows: [{ to: public.addresses, set: { kind: "'home'" } }] } }]
  - name: public.quarters
    to: public.unpivoted
    transforms: [{ unpivot: { columns: [q1, q2], name: quarter, value: value } }]`,
  });
  file.write({ 'countries.csv': 'code,name\nde,Germany\n' });
  await using route = file.run();
  await route.state('running');
  await source.query(`ALTER TABLE looked ADD more int DEFAULT 4; INSERT INTO looked VALUES (1, 'de', 5)`);
  await route.caughtUp();
  expect(await target.query('SELECT id, code, country, more FROM looked')).toEqual([
    { id: 1, code: 'de', country: 'Germany', more: 5 },
  ]);
  const reshaped: readonly (readonly [string, string, readonly string[]])[] = [
    ['routed', `1, 'US', 7`, ['us', 'eu']],
    ['parts', `1, 'here', 7`, ['addresses']],
    ['quarters', '1, 2, 3, 7', ['unpivoted']],
  ];
  for (const [table, values, goals] of reshaped) {
    await source.query(`ALTER TABLE ${table} ADD more int; INSERT INTO ${table} VALUES (${values})`);
    await halted(route, 'TL-4109', 'transforms');
    for (const goal of goals) await target.query(`ALTER TABLE ${goal} ADD more int`);
    expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
    await route.state('running');
    await route.caughtUp();
    expect([table, await target.query(`SELECT DISTINCT more FROM ${goals[0]}`)]).toEqual([table, [{ more: 7 }]]);
  }
});
