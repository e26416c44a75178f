import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CompareDocument } from '../../../src/operations/compare/compare-document.ts';
import type { RepairDocument, UndoneDocument } from '../../../src/operations/repair/repair-document.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
import { isThorough } from '../../support/thorough.ts';
import { until } from '../../support/until.ts';
import { writerRestMs } from '../../support/writer-rest.ts';

const sumOf = (counts: readonly number[] = []): number => counts.reduce((sum, one) => sum + one, 0);

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

/** Rows of `busy`; `key` is a value of its column of bytes. */
function busyRows(key: (n: number) => string): string {
  const rows = Array.from(
    { length: 3_000 },
    (_, n) => `(${n % 7}, '${['a', 'B', 'ä', 'Z', 'é'][n % 5]}${n}', ${key(n)}, ${n}.5, ${n})`,
  );
  return rows.join(', ');
}

describe.each(mysqlVendors)('%s and PostgreSQL', (vendor) => {
  let mysql: MysqlServer;
  beforeAll(async () => {
    mysql = await startMysql({ vendor });
  });
  afterAll(() => mysql[Symbol.asyncDispose]());

  /** Its rows as the server shows them under settings of its own. */
  const shown = (database: TestDatabase, query: string): Promise<Record<string, unknown>[]> =>
    database.query(`SELECT row_to_json(t)::text AS row FROM (${query}) t`);

  /** Changes rows and keys while the tables are loaded beside the stream, and kills the worker once it has loaded some. */
  async function changesWhileLoading(
    route: RunningRoute,
    run: (statement: string) => Promise<unknown>,
    chunks: () => Promise<number>,
  ): Promise<void> {
    await route.state('loading');
    await until('a chunk', async () => (await chunks()) > 0);
    for (let at = 0; at < 60; at++) {
      if (at === 30) process.kill(await route.workerPid(), 'SIGKILL');
      // From one end of the key's order to the other, there and back, and another case of it; some come and some go.
      const near = `v BETWEEN ${at * 40} AND ${at * 40 + 3}`;
      await run(`UPDATE busy SET a = 6 - a, n = n + 0.25 WHERE ${near}`);
      await run(
        `UPDATE busy SET b = ${at % 3 === 0 ? 'UPPER(b)' : "CONCAT('m', b)"} WHERE v BETWEEN ${2_990 - at * 40} AND ${2_992 - at * 40}`,
      );
      await run(`DELETE FROM busy WHERE v = ${at * 37 + 9}`);
      await run(
        `INSERT INTO busy (a, b, k, n, v) SELECT a, CONCAT('new', b), k, 0, v + 100000 FROM busy WHERE v = ${at * 41 + 5}`,
      );
    }
    await route.state('running', 30_000);
    await route.caughtUp(20_000);
  }

  interface RetriedLater {
    readonly parked: readonly unknown[];
    /** Of what is parked, at the target: while there is something, nothing is called caught up. */
    count(): Promise<number>;
    there(): Promise<unknown>;
    readonly before: unknown;
    mend(): Promise<unknown>;
    readonly after: unknown;
  }

  /** What is set aside waits until the target's columns have a place for it: tried before, by this worker and another, it stays. */
  async function retriedLater(
    file: RouteFile,
    route: RunningRoute,
    { parked, count, there, before, mend, after }: RetriedLater,
  ): Promise<void> {
    await until('the last of them', async () => (await count()) === parked.length);
    expect(await there()).toEqual(before);
    const list = async (): Promise<{ readonly id: string; readonly cause: string }[]> =>
      JSON.parse((await file.tidelock('parked', 'list', 'here-to-there', '--json')).out).parked;
    const found = await list();
    expect(found).toMatchObject(parked);
    const again = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
    const failed = found.filter(({ cause }) => cause !== 'behind').map(({ id }) => ({ id }));
    expect([again.code, JSON.parse(again.out)]).toMatchObject([1, { applied: [], failed }]);
    await mend();
    // Which knows the columns as they were.
    process.kill(await route.workerPid(), 'SIGKILL');
    const done = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
    expect(done, done.err).toMatchObject({ code: 0 });
    expect(await there()).toEqual(after);
    expect(await list()).toEqual([]);
  }

  interface Spoilt {
    readonly file: RouteFile;
    /** Alters rows of the target, as nobody's route would. */
    spoil(): Promise<unknown>;
    /** Missing, extra and different rows by table. */
    readonly counts: Readonly<Record<string, readonly [number, number, number]>>;
    /** Those that are repaired, in the order of the document. */
    readonly mended: readonly string[];
    /** Changes a row that is not altered, again and again while the commands run. */
    write(n: number): Promise<unknown>;
  }

  /** Beside a writer: whatever was altered is found and nothing else, mended, taken back and mended again. */
  async function foundAndMended({ file, spoil, counts, mended, write }: Spoilt): Promise<void> {
    const run = async <T>(command: string, ...more: string[]): Promise<{ code: number; document: T }> => {
      const { code, out, err } = await file.tidelock(command, 'here-to-there', '--json', ...more);
      if (code > 1) throw new Error(`${command} ${more.join(' ')}: ${out}\n${err}`);
      return { code, document: JSON.parse(out) as T };
    };
    const found = ({ tables }: CompareDocument): Record<string, readonly number[]> =>
      Object.fromEntries(tables.map(({ name, missing, extra, different }) => [name, [missing, extra, different]]));
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        await write(n);
        await delay(writerRestMs);
      }
    })();
    try {
      const before = await run<CompareDocument>('compare');
      expect(found(before.document)).toEqual(Object.fromEntries(Object.keys(counts).map((name) => [name, [0, 0, 0]])));
      expect(before.document.tables.filter(({ unverified }) => unverified !== null)).toEqual([]);
      await spoil();
      const altered = await run<CompareDocument>('compare');
      expect(altered.code).toBe(1);
      expect(found(altered.document)).toEqual(counts);
      const planned = await run<RepairDocument>('repair', ...mended, '--dry-run');
      expect(planned.document).toMatchObject({ dryRun: true, job: null, equal: false });
      const repaired = await run<RepairDocument>('repair', ...mended, '--yes');
      expect(repaired.document.tables).toMatchObject(
        mended.map((name) => ({ name, repaired: sumOf(counts[name]), left: 0, refused: {} })),
      );
      const rows = mended.reduce((sum, name) => sum + sumOf(counts[name]), 0);
      const undone = await run<UndoneDocument>('repair', '--undo', repaired.document.job ?? '', '--yes');
      expect(undone.document).toMatchObject({ rows, changed: 0, refused: {} });
      expect(found((await run<CompareDocument>('compare', ...mended)).document)).toEqual(
        Object.fromEntries(mended.map((name) => [name, counts[name]])),
      );
      await run<RepairDocument>('repair', '--last', '--yes');
      const after = await run<CompareDocument>('compare', ...mended);
      expect(found(after.document)).toEqual(Object.fromEntries(mended.map((name) => [name, [0, 0, 0]])));
    } finally {
      isOver = true;
      await writing;
    }
  }

  // In `npm test` each vendor in one of the two directions, and both directions.
  if (isThorough || vendor === 'mysql')
    test('what a MySQL server holds is loaded beside the stream, followed over kills, and halts where a value has no form', {
      timeout: 180_000,
    }, async () => {
      await mysql.query(`CREATE DATABASE shop;
      CREATE TABLE shop.item (id bigint unsigned, site varchar(9) COLLATE utf8mb4_bin, sold tinyint(1), price decimal(10,2), weight double, name varchar(20),
        picture blob, made datetime(6), seen timestamp(3) NULL, kind enum('a','b''c'), tags set('x','y'), bits bit(3), y year, doc ${vendor === 'mysql' ? 'json' : 'longtext'},
        twice decimal(12,2) AS (price * 2) STORED, PRIMARY KEY (id, site));
      CREATE TABLE shop.loose (n int, t varchar(9)); CREATE TABLE shop.years (n int, y year); INSERT INTO shop.years VALUES (1, 0), (2, 1999);
      CREATE TABLE shop.busy (a int, b varchar(40) COLLATE utf8mb4_unicode_ci, k varbinary(8), n decimal(9,2), v int, PRIMARY KEY (a, b, k), KEY (v));
      INSERT INTO shop.busy VALUES ${busyRows((n) => `x'00${(n * 7919).toString(16).padStart(8, '0')}'`)};
      INSERT INTO shop.item (id, site, sold, price, weight, name, picture, made, seen, kind, tags, bits, y, doc) VALUES
        (18446744073709551615, 'n', 1, 1.50, 1e20, 'ä🏠', x'00ff5c', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.123', 'b''c', 'x,y', b'101', 2024, '{"b": [1, 2.50], "aa": null}');
      INSERT INTO shop.item (id, site) VALUES (2, 'n'), (3, 'n');
      INSERT INTO shop.loose VALUES (1, 'x'), (1, 'x'), (NULL, NULL)`);
      const database = await postgres.createDatabase();
      await database.query(`CREATE SCHEMA shop; CREATE TYPE shop.kind AS ENUM ('a', 'b''c', 'd');
      CREATE TABLE shop.item (id numeric(20), site text, sold boolean, price numeric(10,2), weight float8, name varchar(20), picture bytea, made timestamp(6), seen timestamptz(3),
        kind shop.kind, tags text, bits bit(3), y int, doc ${vendor === 'mysql' ? 'jsonb' : 'json'}, twice numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (id, site));
      CREATE TABLE shop.loose (n int, t text); CREATE TABLE shop.years (n int, y int); CREATE TABLE shop.busy (a int, b text, k bytea, n numeric(9,2), v int, PRIMARY KEY (b, k, a))`);
      using file = new RouteFile({
        source: mysql,
        target: database,
        route: 'tables: ["shop.*"]\nconvert: { zeroDate: toNull }\nload: { wholeUpTo: 0B, limits: { rows: 5000 } }',
      });
      const checked = await file.tidelock('check');
      expect(checked, checked.out + checked.err).toMatchObject({ code: 0 });
      const items =
        'SELECT id, site, sold, price, weight, name, picture, made, seen, kind, tags, bits, y, doc, twice FROM shop.item ORDER BY id DESC, site';
      const whole = {
        ...{
          id: 18446744073709551615n,
          site: 'n',
          sold: true,
          price: 1.5,
          weight: 1e20,
          name: 'ä🏠',
          picture: '\\x00ff5c',
        },
        ...{
          made: '2024-02-29T12:00:00.5',
          seen: '2024-02-29T12:00:00.123+00:00',
          kind: "b'c",
          tags: 'x,y',
          bits: '101',
        },
        ...{ y: 2024, doc: { b: [1, 2.5], aa: null }, twice: 3 },
      };
      const read = async (): Promise<unknown[]> =>
        (await shown(database, items)).map(({ row }) =>
          JSON.parse(String(row).replace('"id":18446744073709551615', '"id":"max"')),
        );
      await using route = file.run();
      {
        const connection = await mysql.connect();
        await connection.query('USE shop');
        const chunks = "SELECT FROM tidelock.loads WHERE source = 'shop.busy' AND rows > 0";
        await changesWhileLoading(
          route,
          (statement) => connection.query(statement),
          async () => (await database.query(chunks)).length,
        );
        await connection.end();
        const there = await mysql.query('SELECT a, b, LOWER(HEX(k)) AS k, n, v FROM shop.busy ORDER BY v, a, BINARY b');
        expect(
          await database.query(
            `SELECT a::text, b, encode(k, 'hex') AS k, n::text, v::text FROM shop.busy ORDER BY shop.busy.v, shop.busy.a, b COLLATE "C"`,
          ),
        ).toEqual(there);
        expect(there.length).toBeGreaterThan(2_900);
        // Loaded as a person asks for it, with a value that the source has not.
        await database.query(
          "UPDATE shop.busy SET n = -1 WHERE a < 2; INSERT INTO shop.busy VALUES (1, 'own', '\\x00', 1, -1)",
        );
        const asked = await file.tidelock('load', 'here-to-there', 'shop.busy', '--existing', 'merge', '--json');
        expect(asked, asked.err).toMatchObject({ code: 0 });
        expect(await database.query('SELECT v FROM shop.busy WHERE n = -1 OR v = -1')).toEqual([{ v: -1 }]);
        const anew = await file.tidelock(
          'load',
          'here-to-there',
          'shop.busy',
          '--existing',
          'replace',
          '--yes',
          '--json',
        );
        expect(anew, anew.err).toMatchObject({ code: 0 });
        expect(await database.query('SELECT count(*)::int AS n, min(v) AS v FROM shop.busy')).toEqual([
          { n: there.length, v: 0 },
        ]);
        // A part of it by its key: rows outside of it are left as they are.
        await database.query(`UPDATE shop.busy SET n = -1 WHERE a = 3 AND v > 1000; DELETE FROM shop.busy WHERE a = 5;
          INSERT INTO shop.busy VALUES (3, 'own', '\\x00', 1, -1), (4, 'own', '\\x00', 1, -1)`);
        const part = ['shop.busy', '--existing', 'replace', '--where', 'a % 4 = 3 or a = 5', '--yes', '--json'];
        const again = await file.tidelock('load', 'here-to-there', ...part);
        expect(again, again.err).toMatchObject({ code: 0 });
        expect(await database.query('SELECT a FROM shop.busy WHERE v = -1 OR n = -1')).toEqual([{ a: 4 }]);
        await database.query('DELETE FROM shop.busy WHERE v = -1');
        // The source holds texts for equal that are told apart here.
        const otherwise = await file.tidelock('load', 'here-to-there', 'shop.busy', '--where', "b = 'x'", '--json');
        expect(otherwise.err).toContain('TL-4166');
        expect(await database.query('SELECT count(*)::int AS n FROM shop.busy')).toEqual([{ n: there.length }]);
      }
      {
        const connection = await mysql.connect();
        await foundAndMended({
          file,
          // The source has no id below 0.
          spoil: () =>
            database.query(`UPDATE shop.item SET price = price + 0.01, picture = '\\x00ff5d' WHERE id > 100; DELETE FROM shop.item WHERE id = 3;
            INSERT INTO shop.item (id, site) VALUES (-1, 'n'), (3, 'N');
            UPDATE shop.busy SET n = n + 1 WHERE v IN (1500, 1501); DELETE FROM shop.busy WHERE v = 1502; INSERT INTO shop.busy (a, b, k) VALUES (3, 'Ä', '\\x00');
            DELETE FROM shop.loose WHERE ctid IN (SELECT ctid FROM shop.loose WHERE n = 1 LIMIT 1); INSERT INTO shop.loose VALUES (NULL, '')`),
          counts: { 'shop.item': [1, 2, 1], 'shop.busy': [1, 1, 2], 'shop.loose': [1, 1, 0], 'shop.years': [0, 0, 0] },
          mended: ['shop.busy', 'shop.item', 'shop.loose'],
          write: (n) =>
            connection.query(
              `UPDATE shop.busy SET n = n + 1, b = IF(LEFT(b, 1) = 'w', SUBSTR(b, 2), CONCAT('w', b)) WHERE v = ${2_000 + (n % 3)}`,
            ),
        });
        await connection.end();
      }
      {
        const [first, second] = await read();
        expect(first).toEqual({ ...whole, id: 'max' });
        expect(second).toMatchObject({ id: 3, price: null, doc: null, twice: null });
        expect(await database.query('SELECT n, t FROM shop.loose ORDER BY n')).toEqual([
          { n: 1, t: 'x' },
          { n: 1, t: 'x' },
          { n: null, t: null },
        ]);
        await mysql.query(`UPDATE shop.item SET name = 'neu', price = 2.25, picture = NULL WHERE id > 100; UPDATE shop.item SET site = 'm' WHERE id = 2; DELETE FROM shop.item WHERE id = 3;
        DELETE FROM shop.loose WHERE n = 1 LIMIT 1; INSERT INTO shop.loose VALUES (2, ''); SET SESSION sql_mode = 'ALLOW_INVALID_DATES'; INSERT INTO shop.item (id, site, made) VALUES (4, 'z', '0000-00-00'), (5, 'z', '2023-02-31 10:00:00')`);
        await route.caughtUp();
      }
      process.kill(await route.workerPid(), 'SIGKILL');
      await mysql.query(`INSERT INTO shop.item (id, site, sold) VALUES (6, 'k', 0); TRUNCATE shop.loose`);
      await route.caughtUp();
      expect(await read()).toMatchObject([
        { id: 'max', name: 'neu', price: 2.25, picture: null, twice: 4.5 },
        { id: 6, sold: false },
        { id: 5, made: null },
        { id: 4, made: null },
        { id: 2, site: 'm' },
      ]);
      expect(await database.query('SELECT FROM shop.loose')).toEqual([]);
      await mysql.query(
        "INSERT INTO shop.item (id, site) VALUES (7, 'before'); INSERT INTO shop.item (id, site, sold) VALUES (8, 'k', 2)",
      );
      const { reason } = await route.state('failed');
      expect(reason).toMatchObject({
        code: 'TL-4602',
        message: expect.stringMatching(/shop\.item\.sold at .*: the number is beyond what the target holds/),
      });
      // All before it is there.
      expect(await database.query("SELECT id::int FROM shop.item WHERE site = 'before'")).toEqual([{ id: 7 }]);
      const halted = await file.tidelock('compare', 'here-to-there', 'shop.item', '--json');
      expect(JSON.parse(halted.out).tables, halted.err).toMatchObject([
        { missing: 0, extra: 0, different: 0, undecided: 1, unverified: null },
      ]);
      const { id = '' } = (reason as unknown as { transaction?: { id: string } }).transaction ?? {};
      const skipped = await file.tidelock('skip', 'here-to-there', '--transaction', id, '--reason', 'it was 2');
      expect(skipped, skipped.err).toMatchObject({ code: 0 });
      await mysql.query(
        "INSERT INTO shop.item (id, site) VALUES (9, 'free'); UPDATE shop.item SET name = 'behind' WHERE id = 8",
      );
      await retriedLater(file, route, {
        parked: [{ cause: 'skip', reason: 'it was 2' }, { cause: 'behind' }],
        count: async () => (await database.query('SELECT FROM tidelock.parked')).length,
        there: () => database.query('SELECT id::int, sold, name FROM shop.item WHERE id IN (8, 9) ORDER BY id'),
        before: [{ id: 9, sold: null, name: null }],
        mend: () => database.query('ALTER TABLE shop.item ALTER sold TYPE smallint USING sold::int'),
        after: [
          { id: 8, sold: 2, name: 'behind' },
          { id: 9, sold: null, name: null },
        ],
      });
    });

  if (isThorough || vendor === 'mariadb')
    test('what PostgreSQL holds is loaded beside the stream, followed over a kill, and halts where a value has no form', {
      timeout: 180_000,
    }, async () => {
      const database = await postgres.createDatabase();
      await database.query(`CREATE SCHEMA back; CREATE TYPE back.kind AS ENUM ('a', 'b');
      CREATE TABLE back.t (id int PRIMARY KEY, b boolean, d numeric, f float4, s varchar(20), c char(5), x bytea, at timestamp, ts timestamptz, u uuid, j json, a int[], i interval, k back.kind, day date);
      ALTER TABLE back.t ALTER s SET STORAGE EXTERNAL;
      CREATE TABLE back.busy (a int, b text, k uuid, n numeric(9,2), v int, big text, PRIMARY KEY (a, b, k)); ALTER TABLE back.busy ALTER big SET STORAGE EXTERNAL; CREATE INDEX ON back.busy (v);
      INSERT INTO back.busy (a, b, k, n, v) VALUES ${busyRows((n) => `'${(n * 7919).toString(16).padStart(8, '0')}-0000-0000-0000-000000000000'`)};
      UPDATE back.busy SET big = repeat('x' || v, 900) WHERE v % 20 = 0;
      CREATE TABLE back.places (id int PRIMARY KEY, place int NOT NULL UNIQUE DEFERRABLE, note text); INSERT INTO back.places VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');
      CREATE TABLE back.ranks (nr int NOT NULL, who varchar(9)); ALTER TABLE back.ranks REPLICA IDENTITY FULL; INSERT INTO back.ranks VALUES (1, 'a'), (2, 'b'), (3, 'c');
      CREATE TABLE back.loose (v int, f float8); ALTER TABLE back.loose REPLICA IDENTITY FULL; INSERT INTO back.loose VALUES (1, 'NaN'), (1, 'infinity'), (1, NULL), (2, 1.5);
      INSERT INTO back.t VALUES (1, true, 1.50, 1e10, 'ä', 'ab', '\\x00ff', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.123+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        '{"b":1, "b":2}', '{1,NULL,3}', '1 day 02:03:04', 'b', '2024-01-01'); INSERT INTO back.t (id, f) VALUES (2, 'NaN'), (3, 3.4028235e38)`);
      await mysql.query(`CREATE DATABASE back; CREATE TABLE back.t (id int PRIMARY KEY, b tinyint(1), d decimal(20,4), f float, s varchar(20) COLLATE utf8mb4_bin, c char(5) COLLATE ${vendor === 'mysql' ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin'}, x longblob,
      at datetime(6), ts timestamp(6) NULL, u binary(16), j longtext, a longtext, i varchar(50), k enum('b','a'), day date);
      CREATE TABLE back.busy (a int, b varchar(60) CHARACTER SET utf8mb4 COLLATE ${vendor === 'mysql' ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin'}, k binary(16), n decimal(9,2), v int, big longtext, PRIMARY KEY (k, a, b));
      CREATE TABLE back.places (id int PRIMARY KEY, place int NOT NULL UNIQUE, note longtext);
      CREATE TABLE back.ranks (nr int PRIMARY KEY, who varchar(9) COLLATE utf8mb4_bin, own int DEFAULT 7);
      CREATE TABLE back.loose (v int, f double)`);
      using file = new RouteFile({
        source: database,
        target: mysql,
        route:
          'tables: ["back.*"]\nconvert: { special: toNull }\ncollisions: { tables: { back.ranks: { resolve: source } } }\nload: { wholeUpTo: 0B, limits: { rows: 5000 } }\napply: { onError: park }',
      });
      const checked = await file.tidelock('check');
      expect(checked, checked.out + checked.err).toMatchObject({ code: 0 });
      await using route = file.run();
      const chunks = "SELECT 1 AS found FROM tidelock.loads WHERE source = 'back.busy' AND row_count > 0";
      await changesWhileLoading(
        route,
        (statement) => database.query(statement.replace(/(UPDATE|INTO|FROM) busy/g, '$1 back.busy')),
        async () => (await mysql.query(chunks)).length,
      );
      const busy = await mysql.query(
        'SELECT a, b, LOWER(HEX(k)) AS k, n, v, SHA2(big, 256) AS big FROM back.busy ORDER BY v, a, BINARY b',
      );
      expect(
        await database.query(
          `SELECT a::text, b, replace(k::text, '-', '') AS k, n::text, v::text, encode(sha256(big::bytea), 'hex') AS big FROM back.busy t ORDER BY t.v, t.a, b COLLATE "C"`,
        ),
      ).toEqual(busy);
      expect(busy.length).toBeGreaterThan(2_900);
      {
        await mysql.query(
          "USE back; DELETE FROM busy WHERE a = 3; INSERT INTO busy (a, b, k, v) VALUES (3, 'own', x'00000000000000000000000000000000', -1), (4, 'own', x'00000000000000000000000000000000', -1)",
        );
        const where = "a in (3, 5) and k <> 'ffffffff-0000-0000-0000-000000000000'";
        const part = ['back.busy', '--existing', 'replace', '--where', where, '--yes', '--json'];
        const again = await file.tidelock('load', 'here-to-there', ...part);
        expect(again, again.err).toMatchObject({ code: 0 });
        expect(await mysql.query('SELECT a FROM back.busy WHERE v = -1')).toEqual([{ a: '4' }]);
        await mysql.query('DELETE FROM back.busy WHERE v = -1');
        expect(await mysql.query('SELECT COUNT(*) AS n FROM back.busy')).toEqual([{ n: String(busy.length) }]);
      }
      const rows = (): Promise<Record<string, string | null>[]> =>
        mysql.query(
          'SELECT id, b, d, f * 1e0 AS f, s, c, HEX(x) AS x, at, ts, HEX(u) AS u, j, a, i, k, day FROM back.t ORDER BY id',
        );
      const client = await database.client();
      await foundAndMended({
        file,
        spoil: () =>
          mysql.query(`USE back; UPDATE t SET x = CONCAT(x, x'00'), ts = ts + INTERVAL 1 MICROSECOND, u = x'00000000000000000000000000000000' WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t (id, b) VALUES (-7, 1);
          UPDATE busy SET n = n + 1 WHERE v IN (1500, 1501); DELETE FROM busy WHERE v = 1502; INSERT INTO busy (a, b, k) VALUES (3, 'a ', x'00000000000000000000000000000000');
          DELETE FROM loose WHERE v = 1 LIMIT 2; INSERT INTO loose VALUES (2, 1.25)`),
        // Of the rows without a key three have become alike, and two of these go.
        counts: {
          ...{ 'back.t': [1, 1, 1], 'back.busy': [1, 1, 2], 'back.loose': [2, 1, 0] },
          ...{ 'back.places': [0, 0, 0], 'back.ranks': [0, 0, 0] },
        },
        mended: ['back.busy', 'back.loose', 'back.t'],
        write: (n) =>
          client.query(
            `UPDATE back.busy SET n = n + 1, b = CASE WHEN b LIKE 'w%' THEN substr(b, 2) ELSE 'w' || b END, big = CASE WHEN v % 2 = 0 THEN big END WHERE v = ${2_000 + (n % 3)}`,
          ),
      });
      await client.end();
      const [one, two, three] = await rows();
      expect(one).toEqual({
        ...{
          id: '1',
          b: '1',
          d: '1.5000',
          f: '10000000000',
          s: 'ä',
          c: 'ab',
          x: '00FF',
          at: '2024-02-29 12:00:00.500000',
        },
        ...{
          ts: '2024-02-29 10:00:00.123000',
          u: 'A0EEBC999C0B4EF8BB6D6BB9BD380A11',
          j: '{"b":1, "b":2}',
          a: '[1, null, 3]',
        },
        ...{ i: '1 day 02:03:04', k: 'b', day: '2024-01-01' },
      });
      expect(two).toMatchObject({ id: '2', f: null });
      expect(Math.fround(Number(three?.f))).toBe(Math.fround(3.4028235e38));
      await database.query(
        `UPDATE back.t SET d = 2.25, a = '{{1,2},{3,4}}' WHERE id = 1; UPDATE back.t SET id = 20 WHERE id = 2; DELETE FROM back.t WHERE id = 3; INSERT INTO back.t (id, b) VALUES (4, false);
         DELETE FROM back.loose WHERE f = 'NaN'; UPDATE back.loose SET f = 7 WHERE f = 'infinity'`,
      );
      await route.caughtUp();
      const loose = await mysql.query('SELECT v, f FROM back.loose ORDER BY v, f');
      expect(loose.map(({ v, f }) => [v, f].map(String))).toEqual([
        ['1', 'null'],
        ['1', '7'],
        ['2', '1.5'],
      ]);
      expect(await rows()).toMatchObject([
        { id: '1', d: '2.2500', a: '[[1, 2], [3, 4]]', s: 'ä', u: 'A0EEBC999C0B4EF8BB6D6BB9BD380A11' },
        { id: '4', b: '0' },
        { id: '20' },
      ]);
      // A key that the source checks at the end of a statement, and one that it has not: rows take each other's values, and have them beside each other meanwhile.
      await database.query(
        `UPDATE back.places SET place = 4 - place; BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO back.places VALUES (4, 1, 'd'); UPDATE back.places SET place = place % 3 + 2 WHERE id < 4; COMMIT;
         BEGIN; INSERT INTO back.ranks VALUES (1, 'new'); UPDATE back.ranks SET who = 'old' WHERE who = 'a'; UPDATE back.ranks SET who = 'newer' WHERE who = 'new'; DELETE FROM back.ranks WHERE who = 'old'; COMMIT`,
      );
      await route.caughtUp();
      const places = 'SELECT id, place, note FROM back.places ORDER BY id';
      expect((await mysql.query(places)).map(({ id, place, note }) => [Number(id), Number(place), note])).toEqual(
        (await database.query(places)).map(({ id, place, note }) => [id, place, note]),
      );
      const ranks = async (): Promise<unknown[]> =>
        (await mysql.query('SELECT nr, who, own FROM back.ranks ORDER BY nr')).map(({ nr, who, own }) =>
          [nr, who, own].map(String),
        );
      const others = [
        ['2', 'b', '7'],
        ['3', 'c', '7'],
      ];
      expect(await ranks()).toEqual([['1', 'newer', '7'], ...others]);
      // Of two that stay the target has room for one: the route says that it is the source's last.
      await database.query("INSERT INTO back.ranks VALUES (1, 'second')");
      await route.caughtUp();
      expect(await ranks()).toEqual([['1', 'second', '7'], ...others]);
      // What the target refuses is set aside as what has no form is, with what comes later of the same keys.
      await mysql.query("ALTER TABLE back.busy ADD CONSTRAINT refuses CHECK (b <> 'bad')");
      const uuid = "'00000000-0000-0000-0000-000000000000'";
      await database.query("INSERT INTO back.t (id, at, k) VALUES (5, 'infinity', 'a')");
      const count = async (): Promise<number> => (await mysql.query('SELECT 1 FROM tidelock.parked')).length;
      await until('it is set aside', async () => (await count()) === 1);
      // The route is beyond it, and the target has no such row.
      const compared = await file.tidelock('compare', 'here-to-there', 'back.t', '--json');
      expect(JSON.parse(compared.out).tables, compared.err).toMatchObject([
        { rows: 4, missing: 1, extra: 0, different: 0, undecided: 0, unverified: null },
      ]);
      await database.query(`INSERT INTO back.busy (a, b, k, v) VALUES (1, 'bad', ${uuid}, 900001)`);
      await database.query("UPDATE back.t SET s = 'behind' WHERE id = 5");
      await database.query('INSERT INTO back.t (id) VALUES (7)');
      await database.query(`INSERT INTO back.busy (a, b, k, v) VALUES (1, 'good', ${uuid}, 900002)`);
      await database.query('UPDATE back.busy SET n = 1 WHERE v = 900001');
      const good = { id: '900002', at: null, s: 'good', n: null };
      await retriedLater(file, route, {
        parked: [
          { cause: 'error', code: 'TL-4602', message: expect.stringContaining('back.t.at') },
          { cause: 'error', code: 'TL-2203' },
          ...[{ cause: 'behind' }, { cause: 'behind' }],
        ],
        count,
        there: () =>
          mysql.query(
            'SELECT id, at, BINARY s AS s, NULL AS n FROM back.t WHERE id BETWEEN 5 AND 7 UNION ALL SELECT v, NULL, BINARY b, n FROM back.busy WHERE v > 900000 ORDER BY id',
          ),
        before: [{ id: '7', at: null, s: null, n: null }, good],
        mend: () =>
          mysql.query('ALTER TABLE back.t MODIFY at varchar(40); ALTER TABLE back.busy DROP CONSTRAINT refuses'),
        after: [
          { id: '5', at: 'infinity', s: 'behind', n: null },
          { id: '7', at: null, s: null, n: null },
          { id: '900001', at: null, s: 'bad', n: '1.00' },
          good,
        ],
      });
    });

  test('what can not be carried is found before the route starts, and with a remedy', async () => {
    const database = await postgres.createDatabase();
    await database.query(
      'CREATE SCHEMA odd; CREATE TABLE odd.t (id text PRIMARY KEY, at timestamp, r int4range, f float8)',
    );
    await mysql.query(
      'CREATE DATABASE odd; CREATE TABLE odd.t (id varchar(5) PRIMARY KEY, at timestamp(6) NULL, r blob, f decimal(20,5))',
    );
    using file = new RouteFile({
      source: database,
      target: mysql,
      route: 'tables: [odd.t]\nconvert: { length: truncate }',
    });
    const { code, out } = await file.tidelock('check', '--json');
    expect(code).toBe(1);
    const found = JSON.stringify(JSON.parse(out));
    expect(found).toContain('column odd.t.id is text at the source and varchar(5)');
    expect(found).toContain('it is in the key, and a conversion could make one of two keys');
    expect(found).toContain('convert: { zone: UTC }');
    expect(found).toContain('the key column odd.t.id may hold texts for equal there');
    expect(found).toContain('odd.t.r is int4range');
    expect(found).toContain('odd.t.f is float8');
    expect(found.match(/TL-4601/g)?.length).toBeGreaterThanOrEqual(4);
    await database.query(`CREATE COLLATION odd.folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE odd.f (k text COLLATE odd.folding PRIMARY KEY)`);
    await mysql.query('CREATE TABLE odd.f (k varchar(5) PRIMARY KEY)');
    using back = new RouteFile({ source: mysql, target: database, route: 'tables: [odd.f]', name: 'odd-back' });
    const folding = await back.tidelock('check', '--json');
    expect(folding.out).toContain('the key column odd.f.k may hold texts for equal there');
  });

  test('tables are made of those of the other vendor, there and back; what is made is known again', {
    timeout: 180_000,
  }, async () => {
    const [database, back] = [await postgres.createDatabase(), await postgres.createDatabase()];
    await database.query(`CREATE SCHEMA made; CREATE TYPE made.mood AS ENUM ('glad', 'it''s sad');
      CREATE TABLE made.parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text NOT NULL UNIQUE, region varchar(20) NOT NULL DEFAULT 'EU', UNIQUE (region, code));
      CREATE TABLE made.child (n int, parent bigint NOT NULL REFERENCES made.parent${vendor === 'mysql' ? ' ON DELETE CASCADE' : ''}, code text REFERENCES made.parent (code), price numeric(10,2) DEFAULT 1.50 NOT NULL CHECK (price >= 0),
        twice numeric(12,2) GENERATED ALWAYS AS (price * 2) STORED, sold boolean DEFAULT true, at timestamptz DEFAULT now(), day date DEFAULT CURRENT_DATE, doc jsonb DEFAULT '{"a": 1}', key uuid DEFAULT gen_random_uuid(),
        bytes bytea DEFAULT '\\x00ff', mood made.mood DEFAULT 'it''s sad', list int[], note text DEFAULT 'a \\ b''c', bits bit(3) DEFAULT B'101', f float8 DEFAULT -1.5, kind varchar(9) CHECK (kind IN ('a', 'b') OR sold), PRIMARY KEY (parent, n));
      CREATE INDEX child_note ON made.child (note); CREATE INDEX child_price ON made.child (price DESC, day); CREATE INDEX child_loud ON made.child (lower(kind)); CREATE INDEX child_part ON made.child (day) WHERE sold;
      COMMENT ON TABLE made.child IS 'it''s a child'; COMMENT ON COLUMN made.child.note IS 'a note';
      CREATE VIEW made.sold AS SELECT * FROM made.child WHERE sold;
      INSERT INTO made.parent (code) VALUES ('x'), ('X'); INSERT INTO made.child (n, parent, code, kind) VALUES (1, 1, 'x', 'a'), (2, 2, 'X', NULL)`);
    const schema = async (file: RouteFile, ...words: string[]) => {
      const { code, out, err } = await file.tidelock('schema', 'here-to-there', '--json', ...words);
      expect(err).toBe('');
      return {
        code,
        document: JSON.parse(out) as {
          statements: unknown[];
          findings: unknown[];
          left: { kind: string; name: string; text: string | null }[];
        },
      };
    };
    using there = new RouteFile({
      source: database,
      target: mysql,
      route: 'tables: ["made.*"]',
      name: `there-${vendor}`,
    });
    const first = await schema(there, '--apply', 'all');
    expect(first.document).toMatchObject({ statements: [], findings: [] });
    expect(first.code).toBe(0);
    const left = first.document.left.map(({ kind, name }) => `${kind} ${name}`);
    expect(left).toContain('index child_part of made.child');
    expect(left.some((one) => one.startsWith('view'))).toBe(true);
    expect(left.filter((one) => one.startsWith('default') || one.startsWith('check'))).toEqual([]);
    {
      await using route = there.run();
      await route.state('running');
    }
    // Taken and not used: the rows do not tell.
    await database.query("SELECT setval(pg_get_serial_sequence('made.parent', 'id'), 40)");
    const carried = await there.tidelock('sequences', 'here-to-there', '--json');
    expect(JSON.parse(carried.out)).toMatchObject({
      sequences: [{ column: 'made.parent.id', outcome: 'carried', value: '40' }],
    });
    const shownRow = await mysql.query(
      'SELECT n, parent, price, twice, sold, CAST(note AS char) AS note, mood, HEX(bytes) AS bytes, kind FROM made.child ORDER BY n',
    );
    expect(shownRow[0]).toMatchObject({
      n: '1',
      price: '1.50',
      twice: '3.00',
      sold: '1',
      note: "a \\ b'c",
      mood: "it's sad",
      bytes: '00FF',
      kind: 'a',
    });
    await mysql.query(
      'INSERT INTO made.parent (code) VALUES ("new"); INSERT INTO made.child (n, parent) VALUES (9, 1)',
    );
    expect(await mysql.query("SELECT id FROM made.parent WHERE code = 'new'")).toEqual([{ id: '41' }]);
    const byDefault =
      'SELECT price, sold, day = CURRENT_DATE AS today, note, mood, bits + 0 AS bits, f FROM made.child WHERE n = 9';
    expect(await mysql.query(byDefault)).toEqual([
      { price: '1.50', sold: '1', today: '1', note: "a \\ b'c", mood: "it's sad", bits: '5', f: '-1.5' },
    ]);

    using again = new RouteFile({ source: mysql, target: back, route: 'tables: ["made.*"]', name: 'back' });
    const second = await schema(again, '--apply', 'all');
    expect(second.document).toMatchObject({ statements: [], findings: [] });
    await using route = again.run();
    await route.state('running');
    await mysql.query("INSERT INTO made.parent (code) VALUES ('later')");
    await route.caughtUp();
    const rows =
      'SELECT n, parent::int, price::text, twice::text, note, mood::text, kind, bits::text FROM made.child ORDER BY n';
    expect((await back.query(rows)).slice(0, 2)).toEqual(await database.query(rows));
    // Numbers go on where the source's would.
    expect(await again.tidelock('sequences', 'here-to-there')).toMatchObject({ code: 0 });
    const [{ id } = {}] = await mysql.query("SELECT id FROM made.parent WHERE code = 'later'");
    await back.query("INSERT INTO made.parent (code, region) VALUES ('own', 'EU')");
    expect(await back.query("SELECT id::int FROM made.parent WHERE code = 'own'")).toEqual([{ id: Number(id) + 1 }]);
  });
});
