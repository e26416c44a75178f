import { beforeAll, expect, test } from 'vitest';
import '../../../src/expression/load-parser.ts';
import { readTableKeys } from '../../../connectors/postgres/target/parking/table-keys.ts';
import { readTargetTables } from '../../../connectors/postgres/target/target-table.ts';
import { configuredExpression } from '../../../src/config/configured-expression.ts';
import { tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { ChangeDecoder, encodeChanges } from '../../../src/core/change-codec.ts';
import type { BegunLoad } from '../../../src/core/load.ts';
import type { Loader } from '../../../src/core/target.ts';
import { TableMapper } from '../../../src/pipeline/table-mapper.ts';
import { softDelete } from '../../../transforms/soft-delete.ts';
import { contents } from '../../support/compare.ts';
import { versions } from '../../support/postgres-binaries.ts';
import { twoServers } from '../../support/two-servers.ts';
import { cut, type StageOptions, stage } from './harness.ts';

const servers = twoServers();

beforeAll(async () => {
  await servers.there.database('postgres').query('CREATE ROLE applier LOGIN');
});

const signal = new AbortController().signal;
const smallParts = { groupTimeMs: 0, lanes: 1, onError: 'halt' as const, maxRowBytes: 1e8, memoryBytes: 1e8 };
const id = { name: 'id', type: 'pg_catalog.int4', modifier: -1, key: true };

/** Applies what the statements did, all in one call, and compares. Returns the replays. */
async function applied(options: StageOptions, tables: readonly string[], statements: readonly string[]) {
  await using on = await stage(servers.here, servers.there, options);
  const consumer = await on.consumer();
  for (const statement of statements) await on.source.query(statement);
  const parts = await on.capture();
  await consumer.apply(options.route?.apply ? cut(parts, options.route.apply.groupRows) : parts, signal);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
  return consumer.counts();
}

async function refused(options: StageOptions, statements: readonly string[], more = 'SELECT') {
  await using on = await stage(servers.here, servers.there, options);
  const consumer = await on.consumer();
  for (const statement of statements) await on.source.query(statement);
  const position = await on.position();
  const error = await consumer.apply(await on.capture(), signal).catch((caught: unknown) => caught);
  return { error, moved: (await on.position()) !== position, rows: await on.target.query(more) };
}

test("a domain's own precision counts: narrower is refused, the same is carried", async () => {
  const domain = (scale: number): string => `CREATE DOMAIN price AS numeric(10,${scale}); CREATE DOMAIN cost AS price;`;
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v cost)';
  const { error, rows } = await refused(
    { sourceSchema: `CREATE TABLE t (id int PRIMARY KEY, v numeric)`, targetSchema: domain(2) + table },
    ['INSERT INTO t VALUES (1, 1.239)'],
    'SELECT FROM t',
  );
  expect(error).toMatchObject({ code: 'TL-2104' });
  expect(rows).toEqual([]);
  const narrower = { sourceSchema: domain(3) + table, targetSchema: domain(2) + table };
  expect((await refused(narrower, ['INSERT INTO t VALUES (1, 1.239)'])).error).toMatchObject({ code: 'TL-2104' });
  await applied({ schema: domain(3) + table }, ['t'], ['INSERT INTO t VALUES (1, 1.239)', 'UPDATE t SET v = 9.999']);
});

test('keys of a type that is not of the server itself are compared by their own equality', async () => {
  const schema = `CREATE EXTENSION citext; CREATE TABLE t (name citext PRIMARY KEY, v int)`;
  const counts = await applied(
    { schema },
    ['t'],
    [
      `INSERT INTO t SELECT 'Name' || i, i FROM generate_series(1, 20) i`,
      `UPDATE t SET v = v + 1`,
      `UPDATE t SET name = upper(name::text) WHERE v > 10`,
      `DELETE FROM t WHERE name = 'nAME5'`,
      `BEGIN; DELETE FROM t WHERE name = 'name7'; INSERT INTO t VALUES ('NAMe7', 7); UPDATE t SET v = 8 WHERE name = 'name7'; COMMIT`,
    ],
  );
  expect(counts.replays).toBe(0);
});

test('many new rows of which one is there already: only that one is a collision, and the session goes on', async () => {
  const schema = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE loose (v text)';
  const statements = [
    `INSERT INTO loose SELECT 'row ' || i FROM generate_series(1, 200) i`,
    `BEGIN; INSERT INTO t SELECT i, 'row ' || i FROM generate_series(1, 200) i; UPDATE t SET v = 'last' WHERE id = 200; COMMIT`,
    `INSERT INTO t SELECT i, 'row ' || i FROM generate_series(201, 400) i`,
  ];
  const targetSchema = `${schema}; INSERT INTO t VALUES (77, 'of another')`;
  const collisions = { forTable: () => 'source' as const, checksOldValues: () => false };
  const counts = await applied(
    { sourceSchema: schema, targetSchema, route: { collisions } },
    ['t', 'loose'],
    [...statements, 'ALTER TABLE loose REPLICA IDENTITY FULL', `DELETE FROM loose WHERE v = 'row 5'`],
  );
  expect(counts.collisions).toBe(1);
  const { error, rows } = await refused({ sourceSchema: schema, targetSchema }, statements, 'SELECT FROM t');
  expect(error).toMatchObject({ code: 'TL-2201' });
  expect(rows).toHaveLength(1);
});

test("a user's table may be named as the one that holds the checkpoints", async () => {
  const schema =
    'CREATE TABLE checkpoints (id int PRIMARY KEY, place int UNIQUE); INSERT INTO checkpoints VALUES (1, 1), (2, 2);';
  const swap =
    'BEGIN; UPDATE checkpoints SET place = 0 WHERE id = 1; UPDATE checkpoints SET place = 1 WHERE id = 2; UPDATE checkpoints SET place = 2 WHERE id = 1; COMMIT';
  const counts = await applied({ schema }, ['checkpoints'], [swap]);
  expect(counts.replays).toBeGreaterThan(0);
  const targetSchema = `${schema} INSERT INTO checkpoints VALUES (3, 3)`;
  const { error } = await refused({ sourceSchema: schema, targetSchema }, ['INSERT INTO checkpoints VALUES (3, 3)']);
  expect(error).toMatchObject({ code: 'TL-2201' });
});

test('rows of inheritance children at the target are not the rows of the table', async () => {
  const targetSchema = `CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (1, 'theirs'), (2, 'theirs')`;
  await using on = await stage(servers.here, servers.there, {
    schema: 'CREATE TABLE t (id int PRIMARY KEY, v text);',
    targetSchema,
  });
  const consumer = await on.consumer();
  for (const statement of [
    `INSERT INTO t VALUES (1, 'a'), (2, 'b')`,
    `UPDATE t SET v = 'c' WHERE id = 1`,
    `DELETE FROM t WHERE id = 2`,
    `TRUNCATE t`,
  ])
    await on.source.query(statement);
  await consumer.apply(await on.capture(), signal);
  expect(await contents(on.target, ['ONLY t', 'child'])).toEqual({ 'ONLY t': [], child: ['(1,theirs)', '(2,theirs)'] });
});

test('a truncate that the target refuses halts with its table', async () => {
  const { error, moved } = await refused(
    {
      schema: 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);',
      targetSchema: 'CREATE TABLE pointing (t int REFERENCES t); INSERT INTO pointing VALUES (1)',
    },
    ['TRUNCATE t'],
  );
  expect(error).toMatchObject({
    code: 'TL-2203',
    message: expect.stringMatching(/truncate of public\.t at [0-9A-F]+\//),
  });
  expect(moved).toBe(false);
});

test('a truncate of tables that others write, too, deletes what came from here, children first and with what they point to', async () => {
  const rule = wholeTable;
  const where = configuredExpression(`id < 100 and note <> '\\xff'`);
  const mapper = new TableMapper(
    'r',
    tableSelection(
      'r',
      [
        { ...rule, name: 'public.parent' },
        { ...rule, name: 'public.t', where },
        { ...rule, name: 'public.other' },
      ],
      [],
    ),
  );
  const tables = `CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY);
    CREATE TABLE t (id int, parent int REFERENCES parent, above int, note bytea, PRIMARY KEY (id), FOREIGN KEY (above) REFERENCES t)`;
  await using on = await stage(servers.here, servers.there, {
    sourceSchema: `${tables}; ALTER TABLE t REPLICA IDENTITY FULL;`,
    targetSchema: tables.concat(` PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (25); CREATE TABLE t2 PARTITION OF t DEFAULT;
      INSERT INTO t (id, note) VALUES (1000, NULL), (99, '\\xff');`),
    targetUser: 'applier',
    share: (share) => mapper.share(share),
  });
  const consumer = await on.consumer();
  for (const statement of [
    `INSERT INTO parent VALUES (1), (2); INSERT INTO other VALUES (1)`,
    `INSERT INTO t SELECT i, 1 + i % 2, nullif(i - 1, 0), '\\x01' FROM generate_series(1, 50) i`,
    `BEGIN; UPDATE t SET above = 50 WHERE id = 1; INSERT INTO t VALUES (60, 1, 50); TRUNCATE parent, t, other; INSERT INTO parent VALUES (3); INSERT INTO t VALUES (1, 3, 1, '\\x02'); COMMIT`,
  ])
    await on.source.query(statement);
  const parts = (await on.capture()).map((part) => mapper.map(part));
  await consumer.apply(parts, signal);
  expect(await contents(on.target, ['parent', 't', 'other'])).toEqual({
    parent: ['(3)'],
    t: ['(1,3,1,"\\\\x02")', '(1000,,,)', '(99,,,"\\\\xff")'],
    other: [],
  });
  expect(consumer.counts().replays).toBe(0);
  // Stored and read again, as a parked transaction is.
  const changes = parts.flatMap((part) => part.changes.filter(({ kind }) => kind === 'truncate'));
  expect(new ChangeDecoder().decode(encodeChanges(changes))).toEqual(changes);
});

test('rows of a share that point to each other go together, however many they are', async () => {
  const where = configuredExpression('id > 0');
  const mapper = new TableMapper('r', tableSelection('r', [{ ...wholeTable, name: 'public.t', where }], []));
  await using on = await stage(servers.here, servers.there, {
    sourceSchema: 'CREATE TABLE t (id int PRIMARY KEY, above int REFERENCES t);',
    targetSchema: `CREATE TABLE t (id int, above int);
      INSERT INTO t SELECT i, nullif(i - 1, 0) FROM generate_series(1, 210000) i; INSERT INTO t VALUES (-1), (0);
      ALTER TABLE t ADD PRIMARY KEY (id); CREATE INDEX ON t (above); ALTER TABLE t ADD FOREIGN KEY (above) REFERENCES t;`,
    targetUser: 'applier',
    share: (share) => mapper.share(share),
  });
  const consumer = await on.consumer();
  await on.source.query('TRUNCATE t');
  const parts = (await on.capture()).map((part) => mapper.map(part));
  await consumer.apply(parts, signal);
  expect(await contents(on.target, ['t'])).toEqual({ t: ['(-1,)', '(0,)'] });
});

test('a value too large for an index of the target halts with its table and without the value', async () => {
  const { error } = await refused(
    { schema: 'CREATE TABLE t (id int PRIMARY KEY, v text);', targetSchema: 'CREATE INDEX ON t (v)' },
    [`INSERT INTO t SELECT 1, string_agg(md5(i::text), '') FROM generate_series(1, 1000) i`],
  );
  expect(error).toMatchObject({ code: 'TL-2203', message: expect.stringContaining('public.t') });
});

test('what a deferred trigger of the target says at commit is not told, and nothing that was sent behind it stays', async () => {
  const { error, moved, rows } = await refused(
    {
      schema: 'CREATE TABLE t (id int PRIMARY KEY, v text);',
      targetSchema: `
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not %', NEW.v; END $$;
        CREATE CONSTRAINT TRIGGER no AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION no()`,
      targetUser: 'applier',
      route: {
        allow: ['targetTriggers'],
        apply: { groupRows: 1, groupTimeMs: 0, lanes: 1, onError: 'halt', maxRowBytes: 1e8, memoryBytes: 1e8 },
      },
    },
    // The second is sent with the COMMIT of the first.
    [`INSERT INTO t VALUES (1, 'secret')`, `INSERT INTO t VALUES (2, 'of another group')`],
    'SELECT FROM t',
  );
  expect(moved).toBe(false);
  expect(rows).toEqual([]);
  expect(error).toMatchObject({ code: 'TL-2204' });
  expect(String((error as Error).message)).not.toContain('secret');
});

test('rules that act at the target are found before anything is written', async () => {
  await using on = await stage(servers.here, servers.there, {
    schema: 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE log (id int PRIMARY KEY);',
    targetSchema: `CREATE RULE twice AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.id);
      ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
      CREATE TABLE other (id int NOT NULL, v int PRIMARY KEY);
      CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE folding (id text PRIMARY KEY); CREATE UNIQUE INDEX ON folding (id COLLATE caseless)`,
    targetUser: 'applier',
  });
  const table = (name: string) => ({ schema: 'public', name, identity: 'default' as const, columns: [id] });
  const folding = { ...table('folding'), columns: [{ ...id, type: 'pg_catalog.text' }], kept: { mark: null } };
  expect(await on.targetEnd.preflight([table('t')])).toMatchObject([
    { code: 'TL-2108', message: expect.stringContaining('rule twice') },
  ]);
  // Rows go to the whole; what its partitions have of their own acts on them, too.
  await on.target.query(`
    CREATE TABLE whole (id int NOT NULL, place int) PARTITION BY RANGE (id); CREATE UNIQUE INDEX ON whole (id);
    CREATE TABLE middle PARTITION OF whole FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
    CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (50);
    CREATE UNLOGGED TABLE passing PARTITION OF middle FOR VALUES FROM (50) TO (100);
    CREATE TABLE far (id int) PARTITION BY RANGE (id); CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
    CREATE FOREIGN TABLE away PARTITION OF far DEFAULT SERVER elsewhere; GRANT ALL ON far TO applier;
    CREATE FUNCTION alters() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.place := 0; RETURN NEW; END $$;
    CREATE TRIGGER every BEFORE INSERT ON whole FOR EACH ROW EXECUTE FUNCTION alters();
    CREATE TRIGGER rows BEFORE INSERT ON leaf FOR EACH ROW EXECUTE FUNCTION alters();
    CREATE TRIGGER statements BEFORE INSERT ON leaf FOR EACH STATEMENT EXECUTE FUNCTION alters();
    ALTER TABLE leaf ENABLE REPLICA TRIGGER rows, ADD CONSTRAINT places UNIQUE (place) DEFERRABLE;
    CREATE TABLE child (place int REFERENCES leaf (id) ON DELETE CASCADE); ALTER TABLE child ADD CHECK (place > 0);`);
  const client = await on.target.client();
  try {
    const [read] = await readTargetTables(client, [{ schema: 'public', name: 'whole' }]);
    expect(read).toMatchObject({
      ordinaryTriggers: ['trigger every'],
      replicaTriggers: ['trigger rows'],
      hasDeferrableUnique: true,
      deferrableConstraints: ['public.places'],
      cascades: ['child_place_fkey'],
      unkept: ['public.passing'],
    });
    const keys = await readTableKeys(client, [read?.oid ?? 0]);
    expect(keys.get(read?.oid ?? 0)).toMatchObject({
      unique: expect.arrayContaining([
        expect.objectContaining({ columns: ['id'] }),
        expect.objectContaining({ columns: ['place'] }),
      ]),
      referenced: [['id']],
    });
  } finally {
    await client.end();
  }
  // So is what would hide rows of it, and rows that stay and could not be found again.
  expect(
    await on.targetEnd.preflight([
      ...[table('log'), { ...table('late'), kept: { mark: null } }, folding],
      // Whole rows are logged: one that does not stay would be found by any index there.
      { ...table('other'), identity: 'full', columns: [id, { ...id, name: 'v', key: false }], kept: { mark: null } },
      table('far'),
    ]),
  ).toMatchObject([
    { code: 'TL-2109', table: 'public.log' },
    { code: 'TL-2119', table: 'public.late' },
    { code: 'TL-2119', table: 'public.folding', message: expect.stringContaining('collation') },
    { code: 'TL-2106', table: 'public.other', message: expect.stringContaining('no unique index on exactly (id)') },
    { code: 'TL-2114', table: 'public.far', message: expect.stringContaining('public.away') },
  ]);
});

test('the replica role counts also where somebody else has set it for a user who may not', async () => {
  const own = `EXECUTE format('ALTER ROLE applier IN DATABASE %I SET session_replication_role = replica', current_database())`;
  const place = (name: string, more: string): string => `CREATE TABLE ${name} (id int PRIMARY KEY, place int ${more});`;
  await using on = await stage(servers.here, servers.there, {
    schema: place('plain', 'REFERENCES plain'),
    sourceSchema: place('late', 'UNIQUE'),
    targetSchema: `${place('late', `UNIQUE ${deferrable}`)} ${place('acted', '')} INSERT INTO late VALUES (9, 7);
      CREATE FUNCTION alters() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.place := 0; RETURN NEW; END $$;
      CREATE TRIGGER alters BEFORE INSERT ON acted FOR EACH ROW EXECUTE FUNCTION alters(); ALTER TABLE acted ENABLE REPLICA TRIGGER alters;
      DO $$ BEGIN ${own}; END $$`,
    targetUser: 'applier',
  });
  const acted = { schema: 'public', name: 'acted', identity: 'default' as const, columns: [id] };
  expect(await on.targetEnd.preflight([acted])).toMatchObject([
    { code: 'TL-2108', message: expect.stringContaining('replica role') },
  ]);
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO plain VALUES (1, 1)');
  await consumer.apply(await on.capture(), signal);
  expect(await contents(on.target, ['plain'])).toEqual({ plain: ['(1,1)'] });
  // Under that role a duplicate would be committed, since nothing rechecks it; the ordinary one can't be had.
  await on.source.query('INSERT INTO late VALUES (1, 7)');
  await expect(consumer.apply(await on.capture(), signal)).rejects.toMatchObject({
    code: 'TL-2203',
    message: expect.stringContaining('session_replication_role'),
  });
  expect(await contents(on.target, ['late'])).toEqual({ late: ['(9,7)'] });
});

test('a sequence that has gone further since it was read is left alone, also one that counts down', async () => {
  await using on = await stage(servers.here, servers.there, {
    targetSchema: `CREATE TABLE up (id serial PRIMARY KEY); CREATE TABLE down (id int PRIMARY KEY, n int);
      CREATE SEQUENCE down_n INCREMENT -2 MAXVALUE -1 MINVALUE -1000 OWNED BY down.n`,
  });
  const read = await on.targetEnd.sequences([
    { schema: 'public', name: 'up' },
    { schema: 'public', name: 'down' },
  ]);
  for (const [name, near, far, then] of [
    ['up_id_seq', 5n, 50n, ['8', '51']],
    ['down_n', -9n, -99n, ['-15', '-101']],
  ] as const) {
    const target = read.find((one) => one.name.name === name);
    if (target === undefined) throw new Error(`${name} is not there`);
    const next = async () => String((await on.target.query(`SELECT nextval('${name}') AS n`))[0]?.n);
    for (let taken = 0; taken < 7; taken++) await next();
    const move = { target, called: true, isOrderless: false };
    expect(await on.targetEnd.setSequence({ ...move, value: near })).toBe('ahead');
    expect(await next()).toBe(then[0]);
    expect(await on.targetEnd.setSequence({ ...move, value: far })).toBe('set');
    expect(await next()).toBe(then[1]);
    // Where both begin again at their ends none is in front.
    expect(await on.targetEnd.setSequence({ ...move, value: near, isOrderless: true })).toBe('set');
  }
});

test('what foreign keys would do to tables that are loaded is refused where they act for the user', async () => {
  await using on = await stage(servers.here, servers.there, {
    targetSchema: `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
      CREATE TABLE pointing (t int REFERENCES t ON DELETE CASCADE)`,
    targetUser: 'applier',
    route: { allow: ['targetTriggers'] },
  });
  const open = async () =>
    on.targetEnd.loader({ epoch: on.epoch, sourceNode: 'source', position: await on.position() });
  const table = (name: string) => ({ schema: 'public', name, identity: 'default' as const, columns: [id] });
  const begin = (name: string): BegunLoad => {
    const source = `public.${name}`;
    const guess = { key: ['id'], where: null, expectedRows: 1, expectedBytes: 1, job: null };
    return {
      load: { source, targets: [source], existing: 'merge', ...guess },
      tables: [table(name)],
      telling: [[['id']]],
      where: null,
    };
  };
  const emptied = table('t');
  for (const [load, code, place] of [
    [(loader: Loader) => loader.empty([emptied]), 'TL-2304', { table: 'public.t', other: /pointing/ }],
    [(loader: Loader) => loader.begin([begin('t')]), 'TL-2306', { constraint: /pointing_t_fkey/ }],
    // Nor has the load anything to tell its rows by.
    [(loader: Loader) => loader.begin([begin('late')]), 'TL-2305', { table: 'public.late' }],
  ] as const) {
    const loader = await open();
    await loader.sort([emptied]);
    const error = await load(loader).catch((caught: unknown) => caught);
    await loader.abort();
    expect(error).toMatchObject({ code, place: matching(place) });
  }
  const side = on.targetEnd.compareSide(signal);
  await on.target.query('REVOKE SELECT ON t FROM applier');
  const shape = { table: { schema: 'public', name: 't' }, key: ['id'], columns: [], condition: null };
  await side.tables([shape.table]).catch(() => {});
  await expect(side.rows(shape, [['1']])).rejects.toMatchObject({ code: 'TL-2310', place: { node: 'target' } });
  await side.close();
});

/** Patterns in place of texts. */
function matching(place: Readonly<Record<string, string | RegExp>>): object {
  const entries = Object.entries(place).map(([name, text]) => [name, expect.stringMatching(text)] as const);
  return expect.objectContaining(Object.fromEntries(entries));
}

test('where the source wins, an update of a row that is missing halts if the log holds not all of its columns', async () => {
  const schema = `CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;`;
  const { error, moved, rows } = await refused(
    {
      schema,
      sourceSchema: `INSERT INTO t VALUES (1, 0, repeat('x', 5000))`,
      route: { collisions: { forTable: () => 'source', checksOldValues: () => false } },
    },
    ['UPDATE t SET n = 1'],
    'SELECT FROM t',
  );
  expect(error).toMatchObject({ code: 'TL-2202', message: expect.stringContaining('public.t'), recovery: 'halt' });
  expect([moved, rows]).toEqual([false, []]);
});

const deferrable = 'DEFERRABLE INITIALLY DEFERRED';
const full = '; ALTER TABLE t REPLICA IDENTITY FULL';

/** The target has a key that the source lacks, or can defer. A transaction each. */
const borrowed: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'a row comes before the one that has its key goes',
    '',
    `(1, 'old', '')`,
    [`INSERT INTO t VALUES (1, 'new', ''); DELETE FROM t WHERE v = 'old'`],
  ],
  [
    'the same of two rows, one after the other',
    '',
    `(1, 'old', '')`,
    [
      `INSERT INTO t VALUES (1, 'a', ''); INSERT INTO t VALUES (1, 'b', ''); DELETE FROM t WHERE v = 'old'; UPDATE t SET v = 'c' WHERE v = 'a'; DELETE FROM t WHERE v = 'b'`,
    ],
  ],
  [
    'the row that had the key gets another one',
    '',
    `(1, 'old', '')`,
    [
      `INSERT INTO t VALUES (1, 'new', ''); UPDATE t SET v = 'newer' WHERE v = 'new'; UPDATE t SET id = 2 WHERE v = 'old'; UPDATE t SET v = 'newest' WHERE v = 'newer'`,
    ],
  ],
  [
    'a row changes while another one with its new key stands aside',
    `, PRIMARY KEY (id) ${deferrable}`,
    `(1, 'a', repeat('A', 5000)), (2, 'b', repeat('B', 5000))`,
    [`UPDATE t SET id = 2 WHERE v = 'a'; UPDATE t SET v = 'c' WHERE v = 'a'; UPDATE t SET id = 1 WHERE v = 'b'`],
  ],
];

test.for(borrowed)(
  'where whole rows are logged the key of the target alone tells none apart: %s',
  async ([, key, rows, transactions]) => {
    const table = (more: string): string =>
      `CREATE TABLE t (id int NOT NULL, v text, big text${more}); ALTER TABLE t ALTER big SET STORAGE EXTERNAL; INSERT INTO t VALUES ${rows};`;
    const statements = transactions.map((one) => `BEGIN; ${one}; COMMIT`);
    // All at once, and each change by itself; nothing is a collision, whatever the rule is.
    for (const [groupRows, rule] of [
      [5_000, 'halt'],
      [1, 'source'],
    ] as const) {
      const route = {
        apply: { groupRows, groupTimeMs: 0, lanes: 1, onError: 'halt' as const, maxRowBytes: 1e8, memoryBytes: 1e8 },
        collisions: { forTable: () => rule, checksOldValues: () => false },
      };
      const options = { sourceSchema: table(key) + full.slice(1), targetSchema: table(', PRIMARY KEY (id)'), route };
      expect((await applied(options, ['t'], statements)).collisions).toBe(0);
    }
  },
);

test.for(['halt', 'source'] as const)(
  'a row of somebody else that is like a new one, and stands aside for it, is a collision of the insert: %s',
  async (rule) => {
    const collisions = { forTable: () => rule, checksOldValues: () => false };
    const options = {
      sourceSchema: `CREATE TABLE t (id int NOT NULL, v text)${full}`,
      targetSchema: `CREATE TABLE t (id int PRIMARY KEY, v text, theirs text); INSERT INTO t VALUES (1, 'a', 'kept')`,
      route: { collisions },
    };
    const statement = `BEGIN; INSERT INTO t VALUES (1, 'a'), (2, 'b'); UPDATE t SET v = 'c' WHERE id = 1; COMMIT`;
    const { error, rows } = await refused(options, [statement], 'SELECT * FROM t ORDER BY id');
    if (rule === 'halt') {
      expect(error).toMatchObject({
        code: 'TL-2201',
        message: expect.stringMatching(/insert.* public\.t .*at [0-9A-F]+\/.*finds the row already there/),
      });
      expect(rows).toEqual([{ id: 1, v: 'a', theirs: 'kept' }]);
    } else {
      expect(error).toBe(undefined);
      expect(rows).toEqual([
        { id: 1, v: 'c', theirs: 'kept' },
        { id: 2, v: 'b', theirs: null },
      ]);
    }
  },
);

test('large new rows that point to each other go together where the server looks at foreign keys', async () => {
  const schema = `CREATE TABLE t (id int PRIMARY KEY, other int REFERENCES t, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;`;
  const rows = `INSERT INTO t SELECT i, CASE WHEN i < 60 THEN i + 1 END, repeat('x', CASE i % 2 WHEN 0 THEN 40000 ELSE 10 END) FROM generate_series(1, 60) i`;
  expect((await applied({ schema, targetUser: 'applier' }, ['t'], [rows])).replays).toBe(0);
});

test.for([true, false])(
  'a child before its parent, of one statement that goes in parts, needs a check that can be deferred: %s',
  async (canDefer) => {
    const route = { apply: { ...smallParts, groupRows: 10 } };
    const targetSchema = canDefer ? 'ALTER TABLE t ALTER CONSTRAINT t_parent_fkey DEFERRABLE' : '';
    await using on = await stage(servers.here, servers.there, {
      schema: 'CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t);',
      ...{ targetSchema, targetUser: 'applier', route },
    });
    const consumer = await on.consumer();
    await on.source.query('INSERT INTO t SELECT i, nullif(i + 1, 41) FROM generate_series(1, 40) i');
    const apply = consumer.apply(cut(await on.capture(), 10), signal);
    if (!canDefer) {
      const remedy = expect.stringContaining('ALTER TABLE public.t ALTER CONSTRAINT ... DEFERRABLE');
      await expect(apply).rejects.toMatchObject({ code: 'TL-2203', remedy });
      return;
    }
    await apply;
    expect(await contents(on.target, ['t'])).toEqual(await contents(on.source, ['t']));
  },
);

test('rows of one key, where the target defers its check as the source does, are told apart by all of them', async () => {
  const schema = `CREATE TABLE t (id int PRIMARY KEY ${deferrable}, v text, big text); INSERT INTO t VALUES (1, 'a', repeat('A', 9000)), (2, 'b', NULL)${full}`;
  const statements = [
    'UPDATE t SET id = 3 - id',
    `BEGIN; INSERT INTO t VALUES (1, 'new'); DELETE FROM t WHERE v = 'b'; UPDATE t SET id = 1 WHERE v = 'a'; DELETE FROM t WHERE v = 'new'; COMMIT`,
  ];
  const counts = await applied({ schema }, ['t'], statements);
  expect(counts).toMatchObject({ collisions: 0 });
  // With a row that somebody else has changed each is applied by itself.
  const targetSchema = `${schema}; UPDATE t SET v = 'theirs' WHERE id = 1; CREATE UNIQUE INDEX ON t (v)`;
  await applied({ sourceSchema: schema, targetSchema }, ['t'], [`UPDATE t SET v = 'c' WHERE id = 1`, ...statements]);
});

test('an insert replaces the row of its key that the source has deleted, and meets any other', async () => {
  const marked = softDelete({ column: 'gone', type: 'pg_catalog.text', deleted: "it's", there: null });
  const rule = { ...wholeTable, transforms: [marked] };
  const rules = [
    { ...rule, name: 'public.t' },
    { ...rule, name: 'public.swapped', key: ['id'] },
  ];
  const mapper = new TableMapper('r', tableSelection('r', rules, []));
  for (const groupRows of [1, 5_000]) {
    await using on = await stage(servers.here, servers.there, {
      sourceSchema: `CREATE TABLE t (id numeric PRIMARY KEY, v text);
        CREATE TABLE swapped (v text, id int PRIMARY KEY ${deferrable}); ALTER TABLE swapped REPLICA IDENTITY FULL;`,
      // What is in front of the primary key identifies no row of the route.
      targetSchema: `CREATE TABLE t (id numeric PRIMARY KEY, v text, gone text);
        CREATE TABLE swapped (v text NOT NULL PRIMARY KEY, id int NOT NULL UNIQUE, gone text);
        INSERT INTO t VALUES (1.0, 'was here', 'it''s'), (8, 'theirs', NULL), (9, 'theirs', 'its')`,
    });
    let consumer = await on.consumer();
    const rows = async (table: string) =>
      (await on.target.query(`SELECT x::text AS row FROM ${table} x ORDER BY id`)).map(({ row }) => row);
    const apply = async (...statements: readonly string[]) => {
      for (const statement of statements) await on.source.query(statement);
      const parts = (await on.capture()).map((part) => mapper.map(part));
      await consumer.apply(groupRows === 1 ? cut(parts, 1) : parts, signal);
    };
    await apply(
      `INSERT INTO t VALUES (1.00, 'a'), (2, 'b')`,
      `BEGIN; UPDATE t SET v = 'c' WHERE id = 2; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (2.0, 'd'); COMMIT`,
      `BEGIN; INSERT INTO t VALUES (3, 'e'); DELETE FROM t WHERE id = 3; COMMIT`,
      `BEGIN; UPDATE t SET id = 4 WHERE id = 2; INSERT INTO t VALUES (2, 'f'); DELETE FROM t WHERE id = 2; COMMIT`,
      `INSERT INTO swapped VALUES ('a', 1), ('b', 2); UPDATE swapped SET v = 'c' WHERE id = 1; INSERT INTO swapped VALUES ('a', 3)`,
    );
    expect(await rows('t')).toEqual([
      '(1.00,a,)',
      "(2,f,it's)",
      "(3,e,it's)",
      '(4,d,)',
      '(8,theirs,)',
      '(9,theirs,its)',
    ]);
    expect(await rows('swapped')).toEqual(['(c,1,)', '(b,2,)', '(a,3,)']);
    expect(consumer.counts().collisions).toBe(0);
    // Rows of others, and two that the source has under one key until its transaction ends.
    for (const statement of [
      'INSERT INTO t VALUES (8)',
      'INSERT INTO t VALUES (9)',
      'UPDATE swapped SET id = 3 - id WHERE id < 3',
    ]) {
      const before = [await rows('t'), await rows('swapped')];
      await expect(apply(statement)).rejects.toMatchObject({
        code: 'TL-2201',
        message: expect.stringContaining('finds the row already there'),
      });
      expect([await rows('t'), await rows('swapped')]).toEqual(before);
      await consumer.close();
      consumer = await on.consumer();
    }
  }
});

test('a row that nobody takes away is in the way of a new one of its key, and loses where the source wins', async () => {
  const table = 'CREATE TABLE t (id int PRIMARY KEY, v text';
  const sourceSchema = `${table})${full}`;
  const targetSchema = `${table}, own text DEFAULT 'none'); INSERT INTO t VALUES (1, 'theirs', 'kept')`;
  const statements = [`BEGIN; INSERT INTO t VALUES (1, 'new'); UPDATE t SET v = 'newer'; UPDATE t SET id = id; COMMIT`];
  const apply = {
    groupRows: 1,
    groupTimeMs: 0,
    lanes: 1,
    onError: 'halt' as const,
    maxRowBytes: 1e8,
    memoryBytes: 1e8,
  };
  const halted = await refused({ sourceSchema, targetSchema, route: { apply } }, statements, 'SELECT v, own FROM t');
  expect(halted).toMatchObject({ error: { code: 'TL-2201' }, moved: false, rows: [{ v: 'theirs', own: 'kept' }] });
  expect(String((halted.error as Error).message)).toContain('finds the row already there');
  const collisions = { forTable: () => 'source' as const, checksOldValues: () => false };
  const won = await refused(
    { sourceSchema, targetSchema, route: { apply, collisions } },
    statements,
    'SELECT v, own FROM t',
  );
  expect(won).toMatchObject({ error: undefined, rows: [{ v: 'newer', own: 'kept' }] });
  // Where it can't stand aside without what points to it: a table with a deferrable check is written as an ordinary session does.
  const withChild = `${table}, pos int UNIQUE ${deferrable}); CREATE TABLE child (t int REFERENCES t ON DELETE CASCADE);
    INSERT INTO t VALUES (1, 'theirs'); INSERT INTO child VALUES (1)`;
  const kept = await refused(
    {
      ...{ sourceSchema: `${table}, pos int)${full}`, targetSchema: withChild },
      route: { apply, collisions, allow: ['targetTriggers'] },
    },
    [`BEGIN; INSERT INTO t VALUES (1, 'new'); UPDATE t SET v = 'newer'; COMMIT`],
    'SELECT v, (SELECT count(*)::int FROM child) AS children FROM t',
  );
  expect(kept).toMatchObject({ error: undefined, rows: [{ v: 'newer', children: 1 }] });
});

const swaps: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'NULL among the unique values',
    `CREATE TABLE t (id int PRIMARY KEY, a int, b int, UNIQUE NULLS NOT DISTINCT (a, b) ?)`,
    `INSERT INTO t VALUES (1, NULL, 1), (2, 1, NULL), (3, 2, 2)`,
    [`UPDATE t SET (a, b) = (SELECT a, b FROM t s WHERE s.id = t.id % 3 + 1)`],
  ],
  [
    'keys that are padded',
    `CREATE TABLE t (id char(5) PRIMARY KEY, place int UNIQUE ?)`,
    `INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3)`,
    [`UPDATE t SET place = place % 3 + 1`],
  ],
  [
    'bytes as key',
    `CREATE TABLE t (id bytea PRIMARY KEY, place int UNIQUE ?)`,
    `INSERT INTO t VALUES ('\\x00', 1), ('\\xff', 2)`,
    [`UPDATE t SET place = 3 - place`],
  ],
  [
    'the primary key itself',
    `CREATE TABLE t (id int, v text, big text, PRIMARY KEY (id) ?)`,
    `INSERT INTO t SELECT i, 'row ' || i, string_agg(md5(j::text), '') FROM generate_series(1, 3) i, generate_series(1, 200) j GROUP BY i`,
    [`UPDATE t SET id = id % 3 + 1`],
  ],
  [
    'a rotation of many rows, over the parts of a transaction',
    `CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE ?)`,
    `INSERT INTO t SELECT i, i FROM generate_series(1, 90) i`,
    [`UPDATE t SET place = place + 1`],
  ],
];

/** PostgreSQL 14 does not have it. */
const hasNotDistinct = !versions.includes('14');

test.for(swaps.filter(([, table]) => hasNotDistinct || !table.includes('NULLS NOT DISTINCT')))(
  'unique values that only the source can defer change hands: %s',
  async ([, table, rows, statements]) => {
    const source = table.replace('?', deferrable);
    // A deferrable primary key is no replica identity.
    const full = source.includes('PRIMARY KEY (id)') ? '; ALTER TABLE t REPLICA IDENTITY FULL' : '';
    const options = { sourceSchema: source + full, targetSchema: `${table.replace('?', '')}; ${rows}` };
    // In one piece, and in pieces that are groups of their own.
    for (const groupRows of [5_000, 2]) {
      const apply = {
        groupRows,
        groupTimeMs: 0,
        lanes: 1,
        onError: 'halt' as const,
        maxRowBytes: 1e8,
        memoryBytes: 1e8,
      };
      const sourceSchema = `${options.sourceSchema}; ${rows}`;
      const counts = await applied({ ...options, sourceSchema, route: { apply } }, ['t'], statements);
      expect(counts.replays).toBeGreaterThan(0);
    }
  },
);

test('a row that stood aside without a change of its own comes back as it was', async () => {
  const table =
    'CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE ?, n int GENERATED ALWAYS AS IDENTITY, more text)';
  const rows = `; INSERT INTO t VALUES (1, 1, DEFAULT, 'x'), (2, 2, DEFAULT, NULL), (3, NULL, DEFAULT, '')`;
  const counts = await applied(
    {
      sourceSchema: table.replace('?', deferrable) + rows,
      targetSchema: table.replace('?', '') + rows,
      // Each change by itself, or the net effect would never need the place.
      route: { apply: { groupRows: 1, groupTimeMs: 0, lanes: 1, onError: 'halt', maxRowBytes: 1e8, memoryBytes: 1e8 } },
    },
    ['t'],
    [
      `BEGIN; UPDATE t SET place = 2 WHERE id = 1; UPDATE t SET place = 2 WHERE id = 3; UPDATE t SET place = id * 7 WHERE id <> 2; COMMIT`,
    ],
  );
  expect(counts.replays).toBeGreaterThan(0);
});

test('a row that stood aside is forgotten when its table is emptied', async () => {
  await applied(
    {
      sourceSchema: `CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE ${deferrable})`,
      targetSchema: 'CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE)',
    },
    ['t'],
    [
      `INSERT INTO t VALUES (1, 1), (2, 2)`,
      `BEGIN; UPDATE t SET place = 2 WHERE id = 1; UPDATE t SET place = 5 WHERE id = 1; SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE t; INSERT INTO t VALUES (2, 2); COMMIT`,
    ],
  );
});

test('a load does not let a duplicate of a deferrable constraint pass', async () => {
  await using on = await stage(servers.here, servers.there, {
    targetSchema: `CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE ${deferrable})`,
  });
  const loader = await on.targetEnd.loader({ epoch: on.epoch, sourceNode: 'source', position: await on.position() });
  const columns = ['id', 'place'].map((name) => ({ name, type: 'pg_catalog.int4', modifier: -1, key: name === 'id' }));
  const table = { schema: 'public', name: 't', identity: 'default' as const, columns };
  const batches = async function* () {
    yield [
      ['1', '7'],
      ['2', '7'],
    ];
  };
  const load = async (): Promise<void> => {
    await loader.load(table, batches());
    await loader.commit({ any: 'source' }, await on.position(), on.route.describe());
  };
  await expect(load()).rejects.toMatchObject({ message: expect.stringContaining('t_place_key') });
  await loader.abort();
  expect(await on.target.query('SELECT FROM t')).toEqual([]);
});

/** Keeps rows from coming and going, without an error. */
const keeping = `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER keep BEFORE INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION keep(); ALTER TABLE t ENABLE ALWAYS TRIGGER keep;`;

test.for([
  ['insert', `INSERT INTO t VALUES (2, 'b')`],
  ['update', `UPDATE t SET v = 'd' WHERE id = 3`],
  ['delete', 'DELETE FROM t WHERE id = 1'],
] as const)(
  'a row that a trigger of the target keeps is no collision that the source wins: %s',
  async ([kind, statement]) => {
    const table = `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a');`;
    const collisions = { forTable: () => 'source' as const, checksOldValues: () => false };
    const { error, moved } = await refused(
      {
        sourceSchema: `${table} INSERT INTO t VALUES (3, 'x')`,
        targetSchema: table + keeping,
        route: { collisions, allow: ['targetTriggers'] },
      },
      [statement],
    );
    expect(error).toMatchObject({ code: 'TL-2201', message: expect.stringContaining(`${kind} of public.t`) });
    expect((error as Error).message).toContain('was kept from it by a trigger');
    expect(moved).toBe(false);
  },
);

test('a load of which a trigger of the target keeps rows away is refused', async () => {
  const targetSchema = `CREATE TABLE t (id int PRIMARY KEY); ${keeping}`;
  await using on = await stage(servers.here, servers.there, { targetSchema, route: { allow: ['targetTriggers'] } });
  const loader = await on.targetEnd.loader({ epoch: on.epoch, sourceNode: 'source', position: await on.position() });
  const table = { schema: 'public', name: 't', identity: 'default' as const, columns: [id] };
  const batches = async function* () {
    yield [['1'], ['2']];
  };
  await expect(loader.load(table, batches())).rejects.toMatchObject({
    code: 'TL-2303',
    message: expect.stringContaining('2 rows were given and 0 have come'),
  });
  await loader.abort();
});

test('rows that stand aside are bounded by the memory of the route', async () => {
  const place = (more: string): string => `CREATE TABLE t (id int PRIMARY KEY, place int UNIQUE ${more}, note text)`;
  const { error, rows } = await refused(
    {
      sourceSchema: `${place(deferrable)}; INSERT INTO t SELECT i, i, repeat('x', 10000) FROM generate_series(1, 300) i`,
      targetSchema: `${place('')}; INSERT INTO t SELECT i, i, repeat('x', 10000) FROM generate_series(1, 300) i`,
      route: {
        apply: {
          groupRows: 5000,
          groupTimeMs: 20,
          lanes: 1,
          onError: 'halt',
          maxRowBytes: 1e6,
          memoryBytes: 8_000_000,
        },
      },
    },
    // The first half takes the values of the second.
    ['UPDATE t SET place = 301 - place'],
    'SELECT FROM t WHERE place <> id',
  );
  expect(error).toMatchObject({ code: 'TL-2206' });
  expect(rows).toEqual([]);
});
