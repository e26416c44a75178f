import { expect, test } from 'vitest';
import type { CompareDocument, ComparedTable } from '../../../src/operations/compare/compare-document.ts';
import { keyDigest } from '../../../src/operations/compare/found-differences.ts';
import { dumpAndDiff } from '../../support/dump-and-diff.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { quiet, writing } from './writing.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE item (id bigint PRIMARY KEY, s text, c char(6), n numeric(12,4), f float8, t timestamptz, b bytea, turns int NOT NULL DEFAULT 0);
  CREATE TABLE pair (a text COLLATE "C", b int, v text, PRIMARY KEY (b, a));
  CREATE TABLE hot (id int PRIMARY KEY, n bigint NOT NULL);
  CREATE TABLE loose (v text, n int); ALTER TABLE loose REPLICA IDENTITY FULL;`;

const rows = 6_000;

const fill = `
  INSERT INTO item SELECT i, CASE WHEN i % 7 = 0 THEN '' WHEN i % 11 = 0 THEN NULL ELSE 'text ' || i END, 'c' || i % 100, i / 8.0, i / 3.0::float8,
    '2026-11-01Z'::timestamptz + i * interval '1 second', decode(md5(i::text), 'hex') FROM generate_series(1, ${rows}) i;
  INSERT INTO pair SELECT 'k' || i, i % 50, 'v' || i FROM generate_series(1, 3000) i;
  INSERT INTO hot SELECT i, 0 FROM generate_series(1, 40) i;
  INSERT INTO loose SELECT 'x' || i % 300, i % 10 FROM generate_series(1, 900) i;`;

test('under the hottest load each mutation of the target is found, and nothing else', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(fill);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nschemaChanges: halt' });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await using _writers = writing(source, rows, true);

  const before = await compare(file);
  expect(before.document).toMatchObject({ version: 1, route: 'here-to-there' });
  for (const table of before.document.tables) {
    expect(table).toMatchObject({ missing: 0, extra: 0, different: 0, unverified: null });
    // Rows that change all the time may be seen changing each time.
    if (!['public.hot', 'public.loose'].includes(table.name)) expect(table.undecided).toBe(0);
  }

  // As an application, or a fault, would: without the route.
  await target.query(`
    UPDATE item SET s = 'texT ' || id WHERE id = 3 * ${quiet} + 50;
    UPDATE item SET s = NULL WHERE id = 350;
    UPDATE item SET s = s || ' ' WHERE id = 400;
    UPDATE item SET n = n + 0.0001 WHERE id = 500;
    UPDATE item SET b = set_byte(b, 15, get_byte(b, 15) # 1) WHERE id = 600;
    UPDATE item SET t = t + interval '1 microsecond' WHERE id = 800;
    UPDATE item SET f = f * (1 + 2.3e-16) WHERE id = 850;
    UPDATE item a SET s = b.s FROM item b WHERE (a.id, b.id) IN ((1150, 1200), (1200, 1150));
    DELETE FROM item WHERE id IN (50, ${rows});
    INSERT INTO item (id, s) VALUES (-1, 'in front'), (${rows + 1}, 'behind');
    UPDATE pair SET v = v || ' ' WHERE (a, b) = ('k50', 0);
    DELETE FROM pair WHERE (a, b) IN (('k100', 0), ('k3000', 0), ('k999', 49));
    INSERT INTO pair VALUES ('k50a', 0, 'between');
    DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose WHERE v = 'x7');
    UPDATE loose SET n = -1 WHERE v = 'x8' AND n = 8; INSERT INTO loose SELECT 'x9', 9 FROM generate_series(1, 2)`);
  const expected = {
    'public.item': {
      missing: [50, rows],
      extra: [-1, rows + 1],
      different: [200, 350, 400, 500, 600, 800, 850, 1150, 1200],
    },
    'public.pair': {
      missing: [
        ['0', 'k100'],
        ['0', 'k3000'],
        ['49', 'k999'],
      ],
      extra: [['0', 'k50a']],
      different: [['0', 'k50']],
    },
    'public.hot': { missing: [], extra: [], different: [] },
  };
  // Rows without a key are counted: x7 once, x8 in front of and behind the change three times each, x9 twice.
  const loose = { missing: 4, extra: 5, different: 0 };
  const found = await compare(file);
  expect(found.code).toBe(1);
  const [meta] = await target.query('SELECT digest_key FROM tidelock.meta');
  const secret = String(meta?.digest_key);
  expect(secret).toMatch(/^[0-9a-f-]{36}$/);
  for (const [name, keys] of Object.entries(expected)) {
    const table = tableOf(found.document, name);
    for (const kind of ['missing', 'extra', 'different'] as const) {
      const digests = keys[kind].map((key) => keyDigest(secret, name, [key].flat().map(String)));
      expect({ name, kind, count: table[kind] }).toEqual({ name, kind, count: digests.length });
      expect(new Set(table.examples.filter((one) => one.kind === kind).map(({ digest }) => digest))).toEqual(
        new Set(digests),
      );
    }
    // Rows that change all the time may be seen changing each time.
    if (name !== 'public.hot') expect(table.undecided).toBe(0);
  }
  expect(tableOf(found.document, 'public.loose')).toMatchObject(loose);
  const columns = tableOf(found.document, 'public.item').examples.filter(({ kind }) => kind === 'different');
  expect(new Set(columns.map((one) => one.columns.join()))).toEqual(new Set(['s', 'n', 'b', 't', 'f']));
  expect(JSON.stringify(found.document)).not.toContain('texT');
});

test('what was compared without load agrees with a plain dump of both sides', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(fill);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  // Whatever a row may be changed into.
  await target.query(`
    UPDATE item SET s = CASE id % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE s || '!' END WHERE id % 97 = 0;
    DELETE FROM item WHERE id % 411 = 0;
    INSERT INTO item (id) SELECT i FROM generate_series(${rows + 10}, ${rows + 400}, 7) i;
    DELETE FROM pair WHERE b = 7;
    UPDATE hot SET n = n + 1 WHERE id = 40`);
  const { code, document } = await compare(file);
  expect(code).toBe(1);
  for (const [table, key] of [
    ['item', 'id'],
    ['pair', 'row(b, a)'],
    ['hot', 'id'],
  ] as const) {
    const { missing, extra, different } = await dumpAndDiff(source, target, { table, key });
    expect(tableOf(document, `public.${table}`)).toMatchObject({
      missing: missing.length,
      extra: extra.length,
      different: different.length,
      undecided: 0,
      unverified: null,
    });
    expect(missing.length + extra.length + different.length).toBeGreaterThan(0);
  }
});

const kept = ['all', 'undeleted', 'frozen']
  .map((name) => `CREATE TABLE "${name}" (id int PRIMARY KEY, v text);`)
  .join(' ');

test('what a route leaves out, renames and transforms is compared as the target should have it', async () => {
  const { source, target } = await servers.pair(
    `CREATE TABLE person (id int PRIMARY KEY, name text, email text, region text, note text, amount numeric(8,2));
     CREATE TABLE word (w text COLLATE "C" PRIMARY KEY, n int);
     CREATE TABLE gone (id int PRIMARY KEY, v text);
     CREATE TABLE secret (code text PRIMARY KEY, n int); ${kept}
     CREATE TABLE loose (v text, n int); ALTER TABLE loose REPLICA IDENTITY FULL; ALTER TABLE person REPLICA IDENTITY FULL;`,
    `CREATE SCHEMA crm;
     CREATE TABLE crm.people (region text, id int PRIMARY KEY, full_name text, email text, amount numeric(10,4), own text DEFAULT 'x');
     CREATE TABLE word (w text COLLATE "und-x-icu" PRIMARY KEY, n int);
     CREATE TABLE gone (id int PRIMARY KEY, v text, deleted bool NOT NULL DEFAULT false);
     CREATE TABLE secret (code text PRIMARY KEY, n int); ${kept}
     CREATE TABLE loose (v text, n int);`,
  );
  await source.query(`
    INSERT INTO person SELECT i, 'Name ' || i, 'p' || i || '@example.org', CASE WHEN i % 3 = 0 THEN 'EU' ELSE 'US' END, 'secret', i / 4.0 FROM generate_series(1, 3000) i;
    INSERT INTO word SELECT chr(65 + i % 58) || i, i FROM generate_series(1, 2000) i;
    INSERT INTO secret SELECT 'code ' || i, i FROM generate_series(1, 800) i;
    INSERT INTO "all" SELECT i, 'v' FROM generate_series(1, 20) i; INSERT INTO undeleted SELECT i, 'v' FROM generate_series(1, 20) i;
    INSERT INTO gone SELECT i, 'v' FROM generate_series(1, 20) i;
    INSERT INTO loose SELECT 'twice', 1 FROM generate_series(1, 2) UNION ALL SELECT 'x' || i, i FROM generate_series(1, 500) i`);
  using file = new RouteFile({
    source,
    target,
    route: `tables:
  - name: public.person
    to: crm.people
    where: "region = 'EU'"
    columns: { exclude: [note], rename: { name: full_name } }
    transforms:
      - mask: { columns: [email], method: hmac, key: "a key that is long enough for a test" }
  - public.word
  - public.loose
  - name: public.secret
    transforms:
      - mask: { columns: [code], method: hmac, key: "another key that is long enough for it" }
  - { name: public.gone, transforms: [softDelete: { column: deleted }] }
  - { name: public.all, transforms: [keepAll: true] }
  - { name: public.undeleted, transforms: [dropOperation: [delete, truncate]] }
  - { name: public.frozen, transforms: [dropOperation: [update]] }`,
  });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  const before = await compare(file, 'public.person', 'public.word', 'public.loose', 'public.secret');
  expect(before.document.tables.map(({ name, rows: count, unverified }) => [name, count, unverified])).toEqual([
    ['public.loose', 502, null],
    ['public.person', 1000, null],
    ['public.secret', 800, null],
    ['public.word', 2000, null],
  ]);
  expect(before.document.equal).toBe(true);

  await source.query(
    'DELETE FROM gone WHERE id = 1; DELETE FROM "all" WHERE id = 1; DELETE FROM undeleted WHERE id = 1',
  );
  await route.caughtUp();
  await target.query(`
    UPDATE gone SET deleted = true WHERE id = 2; UPDATE gone SET v = 'w' WHERE id = 3; DELETE FROM gone WHERE id = 4; INSERT INTO gone VALUES (21, 'v');
    UPDATE "all" SET v = 'w' WHERE id = 3; DELETE FROM "all" WHERE id = 4; UPDATE undeleted SET v = 'w' WHERE id = 3; DELETE FROM undeleted WHERE id = 4;
    UPDATE crm.people SET email = email || 'x' WHERE id = 300;
    UPDATE crm.people SET amount = amount + 0.0001 WHERE id = 303;
    UPDATE crm.people SET own = 'is nobody else''s' WHERE id = 306;
    DELETE FROM crm.people WHERE id = 2997;
    INSERT INTO crm.people (id, region) VALUES (301, 'EU');
    UPDATE word SET n = -1 WHERE w = 'B1'; DELETE FROM word WHERE n = 1000; INSERT INTO word VALUES ('z', 0);
    UPDATE secret SET n = -n WHERE n IN (3, 4); DELETE FROM secret WHERE n = 5; INSERT INTO secret VALUES ('not masked', 6);
    DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose WHERE v = 'twice')`);
  const { code, document } = await compare(file);
  expect(code).toBe(1);
  const counts = ({ missing, extra, different, undecided }: ComparedTable) => [missing, extra, different, undecided];
  expect(counts(tableOf(document, 'public.person'))).toEqual([1, 1, 2, 0]);
  expect(
    tableOf(document, 'public.person')
      .examples.flatMap(({ columns }) => columns)
      .sort(),
  ).toEqual(['amount', 'email']);
  expect(counts(tableOf(document, 'public.word'))).toEqual([1, 1, 1, 0]);
  expect(counts(tableOf(document, 'public.loose'))).toEqual([1, 0, 0, 0]);
  // Rows whose key is another one at the target are told apart by that.
  expect(counts(tableOf(document, 'public.secret'))).toEqual([1, 1, 2, 0]);
  // What the source has deleted stays by intent: marked, kept, or since deletes do not travel.
  for (const kept of ['gone', 'all', 'undeleted'])
    expect({ kept, ...tableOf(document, `public.${kept}`) }).toMatchObject({ rows: 19, unverified: null });
  expect(counts(tableOf(document, 'public.gone'))).toEqual([1, 1, 2, 0]);
  expect(counts(tableOf(document, 'public.all'))).toEqual([1, 0, 1, 0]);
  expect(counts(tableOf(document, 'public.undeleted'))).toEqual([1, 0, 1, 0]);
  expect(tableOf(document, 'public.frozen').unverified).toContain('update');
  const untouched = await file.tidelock('repair', 'here-to-there', 'public.gone', 'public.all', '--yes', '--json');
  expect(JSON.parse(untouched.out)).toMatchObject({
    equal: false,
    tables: [
      { repaired: 0, left: 2 },
      { repaired: 0, left: 4 },
    ],
  });

  // Tables that lack its columns are told, and the others compared.
  const values = await compare(file, '--show-values', '--where', "region = 'EU' and id < 303 -- a comment");
  expect(values.code).toBe(1);
  for (const table of values.document.tables.filter(({ name }) => name !== 'public.person'))
    expect(table).toMatchObject({ rows: 0, unverified: expect.stringContaining('TL-4507') });
  expect(values.document).toMatchObject({ partial: true });
  expect(counts(tableOf(values.document, 'public.person'))).toEqual([0, 1, 1, 0]);
  expect(tableOf(values.document, 'public.person').rows).toBe(100);
  const different = tableOf(values.document, 'public.person').examples.find(({ kind }) => kind === 'different');
  expect(different?.values).toMatchObject({ key: { id: '300' }, source: { full_name: 'Name 300' } });
  expect(different?.values?.target?.email).toBe(`${different?.values?.source?.email}x`);
  // Not where one was named that lacks them, nor where it fits none.
  for (const [tables, where, refusal] of [
    [['public.person', 'public.word'], 'id = 1', 'TL-4507'],
    [['public.*'], 'nothing = 1', 'TL-4507'],
    [['public.person'], 'pg_sleep(1) is null', 'TL-1014'],
  ] as const)
    expect(await file.tidelock('compare', 'here-to-there', ...tables, '--where', where)).toMatchObject({
      code: 2,
      err: expect.stringContaining(refusal),
    });
  // What the route does not carry is refused when it is asked for, and no job is left that fails later.
  const jobs = () => target.query('SELECT count(*)::int AS n FROM tidelock.jobs');
  const asked = await jobs();
  expect((await file.tidelock('compare', 'here-to-there', 'public.nothing')).err).toContain('TL-4153');
  const bare = await file.tidelock('compare', 'here-to-there', 'person');
  expect(bare).toMatchObject({ code: 2, err: expect.stringContaining('did you mean public.person?') });
  expect(await jobs()).toEqual(asked);
});

async function compare(
  file: RouteFile,
  ...more: readonly string[]
): Promise<{ readonly code: number; readonly document: CompareDocument }> {
  const { code, out, err } = await file.tidelock('compare', 'here-to-there', '--json', ...more);
  if (code > 1) throw new Error(`${out}\n${err}`);
  return { code, document: JSON.parse(out) as CompareDocument };
}

function tableOf({ tables }: CompareDocument, name: string): ComparedTable {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`${name} was not compared`);
  return table;
}
