import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const { pair } = twoServers();

interface Found {
  readonly code: string;
  readonly table?: string;
  readonly message: string;
}

async function findings(file: RouteFile): Promise<Found[]> {
  const { out } = await file.tidelock('check', '--json');
  return (JSON.parse(out) as { routes: { findings: Found[] }[] }).routes.flatMap(({ findings: found }) => found);
}

test('types that the server never reads are refused by name, however deep they are in a column', async () => {
  const types = [
    'pg_node_tree',
    'gtsvector',
    'pg_ndistinct',
    'pg_dependencies',
    'pg_mcv_list',
    'pg_brin_bloom_summary',
    'pg_brin_minmax_multi_summary',
    'gtsvector[]',
    'pg_catalog.pg_index',
    'pg_catalog.pg_attrdef[]',
    'public.deep',
    'public.trgm',
  ];
  const schema = `
    CREATE EXTENSION pg_trgm;
    CREATE TYPE inner_pair AS (a int, b gtsvector[]); CREATE TYPE deep AS (x inner_pair[]);
    CREATE DOMAIN trgm AS gtrgm;
    CREATE TABLE fine (id int PRIMARY KEY, v aclitem, w pg_catalog.pg_namespace, x tsvector);
    ${types.map((type, at) => `CREATE TABLE t${at} (id int PRIMARY KEY, v ${type});`).join('')}`;
  const { source, target } = await pair(schema);
  using file = new RouteFile({ source, target });
  const found = (await findings(file)).filter(({ code }) => code === 'TL-2111');
  expect(found.map(({ table }) => table).sort()).toEqual(types.map((_, at) => `public.t${at}`).sort());
  expect(found.find(({ table }) => table === 'public.t10')?.message).toContain('pg_catalog.gtsvector');
  {
    await using route = file.run();
    expect((await route.state('failed')).reason?.message).toContain('TL-2111');
  }
  using without = new RouteFile({
    source,
    target,
    route: `tables: [${types.map((_, at) => `{ name: public.t${at}, columns: { exclude: [v] } }`).join(', ')}, public.fine]`,
  });
  await source.query(`INSERT INTO t0 VALUES (1); INSERT INTO fine VALUES (1, '=r/postgres', NULL, 'a')`);
  await using route = without.run();
  await route.state('running');
  await source.query(`INSERT INTO t1 VALUES (2); UPDATE fine SET w = (SELECT n FROM pg_namespace n LIMIT 1)`);
  await route.caughtUp();
  const tables = ['t0', 't1', 'fine'];
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
});

/** Name, definition at the source, at the target, column type; what tells the difference. */
const misfits: readonly (readonly [string, string, string, string, string])[] = [
  [
    'a field that rounds',
    'CREATE TYPE x AS (a text, b numeric)',
    'CREATE TYPE x AS (a text, b numeric(8,2))',
    'x',
    'x.b numeric',
  ],
  ['a field more', 'CREATE TYPE x AS (a text)', 'CREATE TYPE x AS (a text, b int)', 'x[]', 'x (a, b)'],
  ['fields in another order', 'CREATE TYPE x AS (a int, b int)', 'CREATE TYPE x AS (b int, a int)', 'x', 'x (b, a)'],
  ['a label less', `CREATE TYPE x AS ENUM ('a', 'b')`, `CREATE TYPE x AS ENUM ('a')`, 'x', `'b'`],
  ['elements of a narrower domain', 'CREATE DOMAIN x AS numeric', 'CREATE DOMAIN x AS numeric(5,2)', 'x[]', 'numeric'],
  [
    'bounds that round',
    'CREATE DOMAIN y AS timestamp; CREATE TYPE x AS RANGE (subtype = y)',
    'CREATE DOMAIN y AS timestamp(0); CREATE TYPE x AS RANGE (subtype = y)',
    'x',
    'timestamp',
  ],
  ['a domain over another type', 'CREATE DOMAIN x AS int[]', 'CREATE DOMAIN x AS int4range', 'x', '_int4'],
];

test('types of one name that are made of other parts are refused: the server would round or cut without an error', async () => {
  const schema = (side: 1 | 2): string =>
    misfits
      .map((m, at) => {
        const own = (text: string): string => text.replaceAll(/\b([xy])\b/g, `$1${at}`);
        return `${own(m[side])}; CREATE TABLE t${at} (id int PRIMARY KEY, v ${own(m[3])});`;
      })
      .join('');
  const { source, target } = await pair(schema(1), schema(2));
  using file = new RouteFile({ source, target });
  const found = (await findings(file)).filter(({ code }) => code === 'TL-2104');
  const told = Object.fromEntries(found.map(({ table, message }) => [table, message]));
  for (const [at, [what, , , , part]] of misfits.entries())
    expect(told[`public.t${at}`], what).toContain(part.replaceAll(/\bx\b/g, `x${at}`));
  await using route = file.run();
  expect((await route.state('failed')).reason?.message).toContain('TL-2104');
});

test('array types whose names differ between the nodes are one type where their elements are', async () => {
  const types = `CREATE TYPE mood AS ENUM ('a', 'b')`;
  // The array's name is taken: it becomes another.
  const { source, target } = await pair(
    `${types}; CREATE TABLE t (id int PRIMARY KEY, v mood[])`,
    `CREATE TYPE _mood AS (a int); ${types}; CREATE TABLE t (id int PRIMARY KEY, v mood[])`,
  );
  const arrays = `SELECT typarray::regtype::oid::regtype, (SELECT typname FROM pg_type a WHERE a.oid = t.typarray) AS name FROM pg_type t WHERE typname = 'mood'`;
  expect((await source.query(arrays))[0]?.name).not.toEqual((await target.query(arrays))[0]?.name);
  await source.query(`INSERT INTO t VALUES (1, '{a,b}')`);
  using file = new RouteFile({ source, target, route: 'tables: [public.t]' });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO t VALUES (2, '[3:4]={b,NULL}')`);
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));
});

test('casts that users have made between text and a type do not touch what is carried', async () => {
  const schema = `
    CREATE TYPE pair AS (a text, b int);
    CREATE FUNCTION show(pair) RETURNS text LANGUAGE sql AS $$ SELECT 'all the same' $$;
    CREATE FUNCTION make(text) RETURNS pair LANGUAGE sql AS $$ SELECT ROW('made of text', 0)::public.pair $$;
    CREATE FUNCTION ints(text) RETURNS int[] LANGUAGE sql AS $$ SELECT '{0}'::int[] $$;
    CREATE CAST (pair AS text) WITH FUNCTION show(pair);
    CREATE CAST (text AS pair) WITH FUNCTION make(text);
    CREATE CAST (text AS int[]) WITH FUNCTION ints(text);
    CREATE TABLE keyed (id int PRIMARY KEY, v pair, n int[], code int UNIQUE);
    CREATE TABLE loose (v pair, n int[]); ALTER TABLE loose REPLICA IDENTITY FULL;`;
  const { source, target } = await pair(schema);
  await source.query(`INSERT INTO keyed VALUES (1, ('x', 1), '{1}', 1)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO keyed VALUES (2, ('y', 2), '{2,NULL}', 2), (3, NULL, NULL, 3)`);
  await source.query(`UPDATE keyed SET v = ('z', 3), n = '[0:1]={3,4}' WHERE id > 1`);
  await source.query(
    `INSERT INTO loose VALUES (('a', 1), '{1}'), (('b', 2), '{2}'), (NULL, NULL), (ROW(NULL, NULL), '{}')`,
  );
  await source.query(`DELETE FROM loose WHERE (v).b = 2; UPDATE loose SET n = '{9}' WHERE v IS NULL AND n IS NULL`);
  // A swap that only the source can do in one statement: rows stand aside and come back as they were.
  await source.query(`ALTER TABLE keyed DROP CONSTRAINT keyed_code_key, ADD UNIQUE (code) DEFERRABLE`);
  await source.query(`UPDATE keyed SET code = 4 - code`);
  await route.caughtUp();
  expect(await contents(target, ['keyed', 'loose'])).toEqual(await contents(source, ['keyed', 'loose']));
});

test('a name that the target does not know, or knows twice, halts with its table and without the value', async () => {
  const { source, target } = await pair('CREATE TABLE t (id int PRIMARY KEY, c regclass, p regproc)');
  await source.query(`CREATE TABLE only_here (id int)`);
  using file = new RouteFile({ source, target, route: 'tables: [public.t]' });
  {
    await source.query(`INSERT INTO t VALUES (1, 'only_here', NULL)`);
    await using route = file.run();
    const { reason } = await route.state('failed');
    expect(reason).toMatchObject({
      code: 'TL-2303',
      message: expect.stringMatching(/public\.t as of [0-9A-F/]+ .* c /),
    });
    expect(route.log).not.toContain('only_here');
    await target.query(`CREATE TABLE only_here (id int)`);
    await file.tidelock('start', 'here-to-there');
    await route.state('running');
    expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));
    // abs has many signatures: its name alone says not which.
    await source.query(`INSERT INTO t VALUES (2, NULL, 'abs(int)'::regprocedure::oid)`);
    expect((await route.state('failed')).reason).toMatchObject({
      code: 'TL-2203',
      message: expect.stringContaining('public.t'),
    });
  }
  expect(await rows(target)).toBe(1);
});

async function rows(database: TestDatabase): Promise<number> {
  return (await database.query('SELECT FROM t')).length;
}

test('an identity column that is GENERATED ALWAYS follows where the source sets it to its default', async () => {
  const schema = `
    CREATE TABLE keyed (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, twice int GENERATED ALWAYS AS (id * 2) STORED);
    CREATE TABLE other (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, big text, v int DEFAULT 7);
    ALTER TABLE other ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE loose (n int GENERATED ALWAYS AS IDENTITY, v text); ALTER TABLE loose REPLICA IDENTITY FULL;
    CREATE TABLE mixed (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v int);`;
  const { source, target } = await pair(schema);
  await target.query(
    `ALTER TABLE mixed ALTER id SET GENERATED ALWAYS; ALTER TABLE other ADD COLUMN own text DEFAULT 'own'`,
  );
  await source.query(`INSERT INTO keyed (v) VALUES ('a'), ('b')`);
  await source.query(`INSERT INTO mixed (v) VALUES (1), (2), (3)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`UPDATE keyed SET id = DEFAULT, v = 'c' WHERE id = 1`);
  await source.query(`INSERT INTO other (id, big) SELECT i, repeat(md5(i::text), 200) FROM generate_series(1, 3) i`);
  await target.query(`UPDATE other SET own = 'changed' WHERE id = 2`).catch(() => {});
  await source.query(`UPDATE other SET n = DEFAULT WHERE id = 2`);
  await source.query(`UPDATE other SET n = DEFAULT, id = 9, big = 'small' WHERE id = 3`);
  await source.query(`INSERT INTO loose (v) VALUES ('x'), ('x'), ('y')`);
  await source.query(`UPDATE loose SET n = DEFAULT WHERE v = 'x'`);
  await source.query(`UPDATE mixed SET id = id + 10; UPDATE mixed SET id = id - 9, v = 0 WHERE id = 11`);
  await route.caughtUp();
  const tables = ['keyed', 'loose', 'mixed'];
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  const other = 'SELECT id, n, big, v FROM other ORDER BY id';
  expect(await target.query(other)).toEqual(await source.query(other));
  expect(await target.query('SELECT DISTINCT own IS NOT NULL AS kept FROM other')).toEqual([{ kept: true }]);
});
