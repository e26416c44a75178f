import { beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const servers = twoServers();
const { pair } = servers;

beforeAll(async () => {
  await servers.there.database('postgres').query('CREATE ROLE applier LOGIN');
});

async function same(source: TestDatabase, target: TestDatabase, tables: readonly string[]): Promise<void> {
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
}

interface Found {
  readonly level: string;
  readonly code: string;
  readonly table?: string;
  readonly message: string;
  readonly remedy: string;
  readonly statement?: string;
}

async function findings(file: RouteFile): Promise<Found[]> {
  const { out } = await file.tidelock('check', '--json');
  return (JSON.parse(out) as { routes: { findings: Found[] }[] }).routes.flatMap(({ findings: found }) => found);
}

test('tables without a key: an index, identical rows, no columns, nothing but a default', async () => {
  const schema = `
    CREATE TABLE indexed (a int NOT NULL, b text NOT NULL, c numeric, d text);
    CREATE UNIQUE INDEX indexed_key ON indexed (b, a) INCLUDE (d);
    ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key;
    CREATE TABLE same (v int, j json, x xml, p point, t text); ALTER TABLE same REPLICA IDENTITY FULL;
    CREATE TABLE nothing (); ALTER TABLE nothing REPLICA IDENTITY FULL;
    CREATE TABLE made (n int); ALTER TABLE made REPLICA IDENTITY FULL;
    CREATE TABLE one (v text); ALTER TABLE one REPLICA IDENTITY FULL;`;
  const { source, target } = await pair(schema, schema.replace('made (n int)', 'made (n int DEFAULT 7)'));
  const fill = `
    INSERT INTO indexed SELECT i, 'b' || i, i, 'd' FROM generate_series(1, 20) i;
    INSERT INTO same SELECT 1, '{"a": 1}', '<a/>', '(1,NaN)', repeat('x', 3000) FROM generate_series(1, 6);
    INSERT INTO same SELECT FROM generate_series(1, 3);
    INSERT INTO nothing SELECT FROM generate_series(1, 5); INSERT INTO made SELECT FROM generate_series(1, 5);
    INSERT INTO one VALUES ('\\.'), ('\\N'), (''), (NULL), ('\\.');`;
  await source.query(fill);
  using file = new RouteFile({
    source,
    target,
    route: 'tables: ["public.*", { name: public.made, columns: { exclude: [n] } }]',
  });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  const tables = ['indexed', 'same', 'nothing', 'one'];
  await same(source, target, tables);
  await source.query(fill.replace('INSERT INTO indexed SELECT i,', 'INSERT INTO indexed SELECT -i,'));
  await source.query(`UPDATE indexed SET b = b || a, c = c + 1 WHERE a % 3 = 0; DELETE FROM indexed WHERE a > 15`);
  await source.query(`UPDATE same SET v = 2 WHERE ctid IN (SELECT ctid FROM same WHERE v = 1 LIMIT 4)`);
  await source.query(`DELETE FROM same WHERE ctid = (SELECT ctid FROM same WHERE v IS NULL LIMIT 1)`);
  await source.query(`UPDATE same SET j = NULL, t = 'short' WHERE ctid = (SELECT max(ctid) FROM same WHERE v = 1)`);
  for (const table of ['nothing', 'made', 'one'])
    await source.query(`DELETE FROM ${table} WHERE ctid IN (SELECT ctid FROM ${table} LIMIT 3)`);
  await source.query(`UPDATE one SET v = v || '!' WHERE v <> ''`);
  await route.unhalted(route.caughtUp());
  await same(source, target, tables);
  // Where no column travels it is the number of rows that does.
  expect(await contents(target, ['made'])).toEqual({ made: Array.from({ length: 7 }, () => '(7)') });
});

test('1,600 columns, also without a key: the old row and the new one are more than a statement may list', async () => {
  const columns = Array.from({ length: 1_600 }, (_, i) => `c${i} int`).join(', ');
  const { source, target } = await pair(
    `CREATE TABLE wide (${columns}); ALTER TABLE wide REPLICA IDENTITY FULL; CREATE TABLE keyed (${columns}, PRIMARY KEY (c0, c1599))`,
  );
  const fill = (table: string, from: number): string =>
    `INSERT INTO ${table} (c0, c7, c1599) SELECT i, 7, -i FROM generate_series(${from}, ${from + 4}) i`;
  for (const table of ['wide', 'keyed']) await source.query(fill(table, 1));
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  for (const table of ['wide', 'keyed']) {
    await source.query(fill(table, 10));
    await source.query(`UPDATE ${table} SET c1598 = c0, c1599 = c1599 - 100 WHERE c0 % 2 = 0`);
    await source.query(`DELETE FROM ${table} WHERE c0 % 3 = 0`);
  }
  await source.query(`ALTER TABLE keyed REPLICA IDENTITY FULL`);
  await route.unhalted(route.caughtUp());
  await same(source, target, ['wide', 'keyed']);
});

const longName = 'ü'.repeat(31);

test('quoted, mixed-case, non-ASCII and longest names of schemas, tables, columns, types and indexes', async () => {
  const names = [
    'Mixed Case',
    'we"ird',
    'do.t',
    "quo'te",
    'back\\slash',
    'select',
    'ÄÖÜ 表 𝄞',
    longName,
    `${'x'.repeat(63)}`,
    ' lead',
    '*',
    '$1',
    '{table}',
    '%s %I',
    '-- c',
    'new\nline',
    'tab\t',
    'u&',
  ];
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const columns = names.map((name) => `${quote(name)} text`).join(', ');
  const schemas = ['public', 'Schema "A".b', longName];
  const tables = schemas.flatMap((schema) => names.map((name) => `${quote(schema)}.${quote(name)}`));
  const [first, ...rest] = schemas.slice(1);
  const schema = `
    CREATE SCHEMA ${quote(first ?? '')}; ${rest.map((name) => `CREATE SCHEMA ${quote(name)};`).join('')}
    CREATE TYPE ${quote(longName)}.${quote('Ty"pe.x')} AS ENUM ('a', 'b''"');
    CREATE TABLE "a b" (${columns}, k ${quote(longName)}.${quote('Ty"pe.x')}, ks ${quote(longName)}.${quote('Ty"pe.x')}[], PRIMARY KEY (k, ${quote(names[1] ?? '')}));
    ${tables.map((table, at) => `CREATE TABLE ${table} (${quote(names[at % names.length] ?? '')} int PRIMARY KEY, "V" text);`).join('\n')}
    ALTER TABLE ${tables[0]} ADD CONSTRAINT ${quote(`${longName}c`)} UNIQUE ("V") DEFERRABLE`;
  const { source, target } = await pair(schema);
  for (const table of tables) await source.query(`INSERT INTO ${table} VALUES (1, 'loaded')`);
  await source.query(`INSERT INTO "a b" (k, ${quote(names[1] ?? '')}, ks) VALUES ('b''"', 'x', '{a,NULL}')`);
  using file = new RouteFile({ source, target, route: 'tables: ["*.*"]' });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  for (const table of tables)
    await source.query(
      `INSERT INTO ${table} VALUES (2, 'new'); UPDATE ${table} SET "V" = 'changed' WHERE "V" = 'loaded'`,
    );
  await source.query(`UPDATE "a b" SET ${names.map((name) => `${quote(name)} = 'v'`).join(', ')}`);
  await source.query(`TRUNCATE ${tables[4]}, ${tables[30]}`);
  await route.unhalted(route.caughtUp());
  await same(source, target, [...tables, '"a b"']);
  await route.stop();
  // Named one by one, as a configuration has to quote them.
  expect(file.folder).not.toBe('');
  const inYaml = tables.slice(0, 20).map((table) => `  - ${JSON.stringify(table)}`);
  using named = new RouteFile({ source, target, route: `load: { mode: none }\ntables:\n${inYaml.join('\n')}` });
  expect((await findings(named)).filter(({ level }) => level === 'error')).toEqual([]);
});

test('values that are stored apart and did not change: in keys, in indexes, in whole old rows, next to what changes', async () => {
  const schema = `
    CREATE TABLE plain (id int PRIMARY KEY, big text, n int);
    CREATE TABLE bigkey (k text PRIMARY KEY, big text, n int);
    CREATE TABLE pairkey (k text NOT NULL, id int NOT NULL, big bytea, n int, note text, PRIMARY KEY (id, k));
    CREATE TABLE indexed (k text NOT NULL, n int); CREATE UNIQUE INDEX indexed_key ON indexed (k);
    ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key;
    CREATE TABLE whole (big text, n int, other text); ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE wholekey (id int PRIMARY KEY, big text, n int); ALTER TABLE wholekey REPLICA IDENTITY FULL;
    ${['plain.big', 'bigkey.big', 'pairkey.big', 'whole.big', 'wholekey.big']
      .map((column) => `ALTER TABLE ${column.replace('.', ' ALTER ')} SET STORAGE EXTERNAL;`)
      .join('')}
    ${['bigkey', 'pairkey', 'indexed'].map((t) => `ALTER TABLE ${t} ALTER k SET STORAGE EXTERNAL; ALTER TABLE ${t} SET (toast_tuple_target = 128);`).join('')}`;
  const { source, target } = await pair(schema);
  const long = (seed: string): string => `repeat(md5((${seed})::text), 500)`;
  // Stored apart, and still short enough for an index.
  const key = (seed: string): string => `repeat(md5((${seed})::text), 60)`;
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  const client = await source.client();
  await client.query(`
    INSERT INTO plain SELECT i, ${long('i')}, 0 FROM generate_series(1, 10) i;
    INSERT INTO bigkey SELECT ${key('i')}, ${long('i')}, 0 FROM generate_series(1, 10) i;
    INSERT INTO pairkey SELECT ${key('i')}, i, decode(${long('i')}, 'hex'), 0, 'note' FROM generate_series(1, 10) i;
    INSERT INTO indexed SELECT ${key('i')}, i FROM generate_series(1, 10) i;
    INSERT INTO whole SELECT ${long('i % 3')}, i % 3, ${long('i')} FROM generate_series(1, 10) i;
    INSERT INTO wholekey SELECT i, ${long('i')}, 0 FROM generate_series(1, 10) i`);
  const apart = await client.query(`SELECT count(*)::int AS n FROM indexed WHERE pg_column_size(k) > 1500`);
  expect(apart.rows[0]).toEqual({ n: 10 });
  for (const table of ['plain', 'bigkey', 'pairkey', 'indexed', 'whole', 'wholekey']) {
    await client.query(`UPDATE ${table} SET n = n + 1`);
    await client.query(`BEGIN; UPDATE ${table} SET n = n + 1; UPDATE ${table} SET n = n * 10 WHERE n % 2 = 0; COMMIT`);
  }
  // The key changes and the rest is not sent; the key is not sent and the rest changes; both, over several steps.
  await client.query(
    `BEGIN; UPDATE plain SET id = id + 100 WHERE id < 4; UPDATE plain SET n = 5 WHERE id = 101; COMMIT`,
  );
  await client.query(`UPDATE bigkey SET k = k || 'x' WHERE k < '8'; UPDATE bigkey SET big = 'short' WHERE k > 'c'`);
  await client.query(`BEGIN; UPDATE pairkey SET id = id + 100 WHERE id < 4; UPDATE pairkey SET note = 'n2' WHERE id > 100;
    UPDATE pairkey SET k = 'short' WHERE id = 5; UPDATE pairkey SET n = 9 WHERE id = 5; DELETE FROM pairkey WHERE id = 102; COMMIT`);
  await client.query(
    `UPDATE indexed SET k = 'small' WHERE n = (SELECT min(n) FROM indexed); DELETE FROM indexed WHERE n % 3 = 0`,
  );
  await client.query(
    `UPDATE whole SET other = 'x' WHERE ctid = (SELECT min(ctid) FROM whole); DELETE FROM whole WHERE n = 2`,
  );
  await client.query(
    `BEGIN; DELETE FROM wholekey WHERE id = 1; INSERT INTO wholekey VALUES (1, ${long('77')}, 0); UPDATE wholekey SET n = 1 WHERE id = 1; COMMIT`,
  );
  await client.end();
  await route.unhalted(route.caughtUp());
  await same(source, target, ['plain', 'bigkey', 'pairkey', 'indexed', 'whole', 'wholekey']);
});

test('several tables are emptied at once, with their sequences where the source restarts them', async () => {
  const schema = `
    CREATE TABLE a (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text);
    CREATE TABLE b (id serial PRIMARY KEY, a int REFERENCES a, v text);
    CREATE TABLE "C c" (id int PRIMARY KEY, b int REFERENCES b);
    CREATE TABLE apart (id int PRIMARY KEY, v text);`;
  const { source, target } = await pair(schema);
  for (const table of ['a', 'b', '"C c"', 'apart']) await target.query(`ALTER TABLE ${table} OWNER TO applier`);
  await target.query(`GRANT CREATE ON DATABASE ${target.name} TO applier; CREATE TABLE outside (b int REFERENCES b)`);
  await source.query(`INSERT INTO a (v) SELECT 'v' FROM generate_series(1, 9); INSERT INTO b (a) SELECT id FROM a`);
  using file = new RouteFile({ source, target, targetUser: 'applier' });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO "C c" SELECT id, id FROM b; INSERT INTO apart VALUES (1, 'stays')`);
  await source.query(`BEGIN; DELETE FROM "C c" WHERE id = 1; TRUNCATE "C c"; INSERT INTO "C c" VALUES (5, 5); COMMIT`);
  await route.caughtUp();
  await same(source, target, ['a', 'b', '"C c"', 'apart']);
  // What points here from outside of the route keeps the target's table from being emptied: nothing is emptied by CASCADE.
  await source.query(`TRUNCATE a, b, "C c" RESTART IDENTITY`);
  expect((await route.state('failed')).reason).toMatchObject({
    code: 'TL-2203',
    message: expect.stringContaining('public.a'),
  });
  await target.query('DROP TABLE outside');
  await target.query(`SELECT setval('a_id_seq', 77), setval('b_id_seq', 78)`);
  await file.tidelock('start', 'here-to-there');
  await source.query(`INSERT INTO a (v) VALUES ('first'); INSERT INTO b (a) VALUES (1)`);
  await route.caughtUp();
  await same(source, target, ['a', 'b', '"C c"', 'apart']);
  expect(await target.query('SELECT last_value::int AS v, is_called FROM b_id_seq')).toEqual([
    { v: 1, is_called: false },
  ]);
});

test('a child of a table is a table of its own, with columns of its own', async () => {
  const schema = `
    CREATE TABLE parent (id int PRIMARY KEY, v text);
    CREATE TABLE child (extra int, PRIMARY KEY (id)) INHERITS (parent);
    CREATE TABLE grand (more text, PRIMARY KEY (id)) INHERITS (child);
    CREATE TABLE outside (PRIMARY KEY (id)) INHERITS (parent);`;
  const { source, target } = await pair(schema);
  const fill = (from: number): string => `
    INSERT INTO parent SELECT i, 'p' FROM generate_series(${from}, ${from + 2}) i;
    INSERT INTO child SELECT i, 'c', i FROM generate_series(${from}, ${from + 2}) i;
    INSERT INTO grand SELECT i, 'g', i, 'm' FROM generate_series(${from}, ${from + 2}) i;
    INSERT INTO outside SELECT i, 'o' FROM generate_series(${from}, ${from + 2}) i;`;
  await source.query(fill(1));
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nexclude: [public.outside]' });
  await using route = file.run();
  await route.state('running');
  const tables = ['ONLY parent', 'ONLY child', 'grand'];
  await same(source, target, tables);
  await source.query(fill(11));
  // Through the parent all of them change.
  await source.query(
    `UPDATE parent SET v = v || '!' WHERE id % 2 = 0; DELETE FROM child WHERE id = 11; UPDATE parent SET id = id + 50 WHERE id = 1`,
  );
  await route.caughtUp();
  await same(source, target, tables);
  await source.query('TRUNCATE ONLY parent; TRUNCATE child');
  await source.query(fill(21));
  await route.caughtUp();
  await same(source, target, tables);
  expect(await target.query('SELECT FROM outside')).toEqual([]);
});

test('generated columns, stored and virtual, are computed by the target', async () => {
  const virtual = Number(servers.here.version) >= 18 && Number(servers.there.version) >= 18 ? 'VIRTUAL' : 'STORED';
  const schema = `CREATE TABLE t (a int GENERATED ALWAYS AS (c + 1) STORED, id int PRIMARY KEY, b text GENERATED ALWAYS AS (v || '!') ${virtual}, c int, v text)`;
  const { source, target } = await pair(schema);
  await source.query(`INSERT INTO t (id, c, v) SELECT i, i, 'v' || i FROM generate_series(1, 9) i`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(
    `INSERT INTO t (id, c, v) VALUES (10, NULL, NULL); UPDATE t SET c = c * 2, id = id + 20 WHERE id < 5`,
  );
  await source.query(`DELETE FROM t WHERE b = 'v6!'`);
  await source.query('ALTER TABLE t REPLICA IDENTITY FULL');
  await route.caughtUp();
  await same(source, target, ['t']);
});

test('a table whose old rows cannot be told apart by what is published is refused with the statement that helps', async () => {
  const { source, target } = await pair(`
    CREATE TABLE none (v int);
    CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
    CREATE TABLE madekey (a int, b int GENERATED ALWAYS AS (a * 2) STORED, PRIMARY KEY (a, b));
    CREATE TABLE whole (id int PRIMARY KEY, b int GENERATED ALWAYS AS (id * 2) STORED); ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE late (id int, UNIQUE (id) DEFERRABLE);
    CREATE TABLE fine (v json); ALTER TABLE fine REPLICA IDENTITY FULL;`);
  using file = new RouteFile({ source, target });
  const found = (await findings(file)).filter(({ code }) => code === 'source.replicaIdentity');
  const refused = ['late', 'madekey', 'none', 'nothing', ...(Number(servers.here.version) >= 18 ? ['whole'] : [])];
  expect(found.map(({ table }) => table).sort()).toEqual(refused.map((name) => `public.${name}`));
  for (const { statement, level } of found) {
    expect(level).toBe('error');
    if (statement !== undefined) await source.query(statement);
  }
  const left = (await findings(file)).filter(({ code }) => code === 'source.replicaIdentity').map(({ table }) => table);
  expect(left).toEqual(Number(servers.here.version) >= 18 ? ['public.madekey'] : []);
  await using route = file.run();
  if (left.length > 0) expect((await route.state('failed')).reason?.code).toBe('TL-4106');
});

test('rows are carried up to maxRowBytes, loaded and streamed, and one byte more halts with the table', async () => {
  const maxBytes = 200_000;
  const schema = `
    CREATE TABLE t (id int PRIMARY KEY, v text, b bytea); CREATE TABLE whole (v text, n int); ALTER TABLE whole REPLICA IDENTITY FULL;`;
  // The id is one byte; each backslash is two in a copy and in a list of values.
  const text = (bytes: number): string => `repeat(E'\\\\', ${bytes - 1})`;
  const bytea = (bytes: number): string => `decode(repeat('ab', ${(bytes - 3) / 2}), 'hex')`;
  const route = `tables: ["public.*"]\napply: { maxRowBytes: ${maxBytes}B }`;
  {
    const { source, target } = await pair(schema);
    await source.query(
      `INSERT INTO t VALUES (1, ${text(maxBytes)}); INSERT INTO t VALUES (2, NULL, ${bytea(maxBytes - 1)})`,
    );
    using file = new RouteFile({ source, target, route });
    await using running = file.run();
    await running.unhalted(running.state('running'));
    await source.query(
      `INSERT INTO t VALUES (3, ${text(maxBytes)}); INSERT INTO t VALUES (4, NULL, ${bytea(maxBytes - 1)})`,
    );
    await source.query(`INSERT INTO t SELECT i, ${text(maxBytes)} FROM generate_series(5, 9) i`);
    // Both rows of an update with the whole old row are as large.
    await source.query(
      `INSERT INTO whole VALUES (${text(maxBytes)}, 1); UPDATE whole SET n = 2; UPDATE whole SET v = translate(v, E'\\\\', '"')`,
    );
    await running.unhalted(running.caughtUp());
    await same(source, target, ['t', 'whole']);
    await source.query(`UPDATE whole SET v = v || 'x'`);
    const { reason } = await running.halts();
    expect(reason).toMatchObject({
      code: 'TL-3201',
      message: expect.stringMatching(/public\.whole .* has 200001 bytes, apply\.maxRowBytes is 200000/),
    });
    expect(await target.query('SELECT length(v) AS n FROM whole')).toEqual([{ n: maxBytes - 1 }]);
  }
  for (const value of [`1, ${text(maxBytes + 1)}`, `2, NULL, ${bytea(maxBytes + 1)}`, `3, ${text(maxBytes * 3)}`]) {
    const { source, target } = await pair(schema);
    await source.query(`INSERT INTO t VALUES (${value})`);
    using file = new RouteFile({ source, target, route });
    await using running = file.run();
    expect((await running.state('failed')).reason).toMatchObject({
      code: 'TL-3201',
      message: expect.stringContaining('public.t '),
    });
    expect(await target.query('SELECT FROM t')).toEqual([]);
  }
});

test('what a glob matches and nothing can carry is named in the check and in the log, and the rest runs', async () => {
  const { source, target } = await pair(
    `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
     CREATE VIEW seen AS SELECT * FROM t; CREATE MATERIALIZED VIEW kept AS SELECT * FROM t;
     CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE FOREIGN TABLE far (id int) SERVER s;
     CREATE SEQUENCE counter; CREATE TYPE shape AS (a int); CREATE INDEX ON t (v)`,
    'CREATE TABLE t (id int PRIMARY KEY, v text)',
  );
  const session = await source.client();
  await session.query('CREATE TEMPORARY TABLE passing (id int)');
  using file = new RouteFile({ source, target, route: 'tables: ["*.*"]' });
  const found = (await findings(file)).filter(({ code }) => code === 'source.notCarried');
  const labels = found.map(({ table }) => table?.replace(/^pg_temp_[0-9]+/, 'temp')).sort();
  expect(labels).toEqual(['public.far', 'public.fast', 'public.kept', 'public.seen', 'temp.passing']);
  expect(found.every(({ level }) => level === 'warning')).toBe(true);
  expect(found.find(({ table }) => table === 'public.fast')?.statement).toBe('ALTER TABLE "public"."fast" SET LOGGED;');
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO t VALUES (1, 'x'); INSERT INTO fast VALUES (1); REFRESH MATERIALIZED VIEW kept`);
  await session.query('INSERT INTO passing VALUES (1)');
  await session.end();
  await route.caughtUp();
  await same(source, target, ['t']);
  const warning = route.log.split('\n').find((line) => line.includes('source.notCarried')) ?? '';
  for (const name of ['far', 'fast', 'kept', 'seen', 'passing']) expect(warning).toContain(`.${name}"`);
  await route.stop();
  // By name it is an error: somebody counts on it.
  using named = new RouteFile({ source, target, route: 'tables: [public.t, public.fast]' });
  await using refused = named.run();
  expect((await refused.state('failed')).reason?.message).toContain('public.fast');
});

test('columns with collations of their own: rows are told apart by their bytes, keys by their column', async () => {
  const schema = `
    CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE DOMAIN word AS text COLLATE "POSIX";
    CREATE TABLE loose (a text COLLATE nocase, w word COLLATE "C", d word); ALTER TABLE loose REPLICA IDENTITY FULL;
    CREATE TABLE keyed (k word COLLATE "C" PRIMARY KEY, v text);
    CREATE TABLE nocase (k text COLLATE nocase PRIMARY KEY, w word UNIQUE);`;
  const { source, target } = await pair(schema);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO loose VALUES ('abc', 'x', 'y'), ('ABC', 'x', 'y'), ('Abc', 'x', 'y')`);
  await source.query(`INSERT INTO keyed VALUES ('a', 1), ('A', 2); INSERT INTO nocase VALUES ('a', 'u'), ('b', 'v')`);
  await source.query(
    `DELETE FROM loose WHERE a COLLATE "C" = 'ABC'; UPDATE loose SET w = 'z' WHERE a COLLATE "C" = 'Abc'`,
  );
  await source.query(
    `UPDATE keyed SET v = 3 WHERE k = 'A'; UPDATE keyed SET k = 'c' WHERE k = 'a'; UPDATE nocase SET k = 'B' WHERE k = 'b'`,
  );
  await source.query(
    `BEGIN; DELETE FROM nocase WHERE k = 'A'; INSERT INTO nocase VALUES ('A', 'w'); UPDATE nocase SET w = 'x' WHERE k = 'b'; COMMIT`,
  );
  await route.caughtUp();
  await same(source, target, ['loose', 'keyed', 'nocase']);
});
