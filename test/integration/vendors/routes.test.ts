import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

describe.each(mysqlVendors)('%s and PostgreSQL', (vendor) => {
  let mysql: MysqlServer;
  beforeAll(async () => {
    mysql = await startMysql({ vendor });
  });
  afterAll(() => mysql[Symbol.asyncDispose]());

  /** Its rows as the server shows them under settings of its own. */
  const shown = (database: TestDatabase, query: string): Promise<Record<string, unknown>[]> =>
    database.query(`SELECT row_to_json(t)::text AS row FROM (${query}) t`);

  test('what a MySQL server holds is loaded, followed over a kill, and halts where a value has no form', {
    timeout: 60_000,
  }, async () => {
    await mysql.query(`CREATE DATABASE shop;
      CREATE TABLE shop.item (id bigint unsigned, site varchar(9) COLLATE utf8mb4_bin, sold tinyint(1), price decimal(10,2), weight double, name varchar(20),
        picture blob, made datetime(6), seen timestamp(3) NULL, kind enum('a','b''c'), tags set('x','y'), bits bit(3), y year, doc ${vendor === 'mysql' ? 'json' : 'longtext'},
        twice decimal(12,2) AS (price * 2) STORED, PRIMARY KEY (id, site));
      CREATE TABLE shop.loose (n int, t varchar(9));
      INSERT INTO shop.item (id, site, sold, price, weight, name, picture, made, seen, kind, tags, bits, y, doc) VALUES
        (18446744073709551615, 'n', 1, 1.50, 1e20, 'ä🏠', x'00ff5c', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.123', 'b''c', 'x,y', b'101', 2024, '{"b": [1, 2.50], "aa": null}');
      INSERT INTO shop.item (id, site) VALUES (2, 'n'), (3, 'n');
      INSERT INTO shop.loose VALUES (1, 'x'), (1, 'x'), (NULL, NULL)`);
    const database = await postgres.createDatabase();
    await database.query(`CREATE SCHEMA shop; CREATE TYPE shop.kind AS ENUM ('a', 'b''c', 'd');
      CREATE TABLE shop.item (id numeric(20), site text, sold boolean, price numeric(10,2), weight float8, name varchar(20), picture bytea, made timestamp(6), seen timestamptz(3),
        kind shop.kind, tags text, bits bit(3), y int, doc ${vendor === 'mysql' ? 'jsonb' : 'json'}, twice numeric GENERATED ALWAYS AS (price * 2) STORED, PRIMARY KEY (id, site));
      CREATE TABLE shop.loose (n int, t text)`);
    using file = new RouteFile({
      source: mysql,
      target: database,
      route: 'tables: ["shop.*"]\nconvert: { zeroDate: toNull }',
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
    await route.state('running');
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
    expect((await route.state('failed')).reason).toMatchObject({
      code: 'TL-4602',
      message: expect.stringMatching(/shop\.item\.sold at .*: the number is beyond what the target holds/),
    });
    // All before it is there.
    expect(await database.query("SELECT id::int FROM shop.item WHERE site = 'before'")).toEqual([{ id: 7 }]);
  });

  test('what PostgreSQL holds is loaded, followed, and halts where a value has no form', {
    timeout: 60_000,
  }, async () => {
    const database = await postgres.createDatabase();
    await database.query(`CREATE SCHEMA back; CREATE TYPE back.kind AS ENUM ('a', 'b');
      CREATE TABLE back.t (id int PRIMARY KEY, b boolean, d numeric, f float4, s varchar(20), c char(5), x bytea, at timestamp, ts timestamptz, u uuid, j json, a int[], i interval, k back.kind, day date);
      ALTER TABLE back.t ALTER s SET STORAGE EXTERNAL;
      INSERT INTO back.t VALUES (1, true, 1.50, 1e10, 'ä', 'ab', '\\x00ff', '2024-02-29 12:00:00.5', '2024-02-29 12:00:00.123+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
        '{"b":1, "b":2}', '{1,NULL,3}', '1 day 02:03:04', 'b', '2024-01-01'); INSERT INTO back.t (id, f) VALUES (2, 'NaN'), (3, 3.4028235e38)`);
    await mysql.query(`CREATE DATABASE back; CREATE TABLE back.t (id int PRIMARY KEY, b tinyint(1), d decimal(20,4), f float, s varchar(20) COLLATE utf8mb4_bin, c char(5), x longblob,
      at datetime(6), ts timestamp(6) NULL, u binary(16), j longtext, a longtext, i varchar(50), k enum('b','a'), day date)`);
    using file = new RouteFile({
      source: database,
      target: mysql,
      route: 'tables: ["back.*"]\nconvert: { special: toNull }',
    });
    const checked = await file.tidelock('check');
    expect(checked, checked.out + checked.err).toMatchObject({ code: 0 });
    await using route = file.run();
    await route.state('running', 10_000);
    const rows = (): Promise<Record<string, string | null>[]> =>
      mysql.query(
        'SELECT id, b, d, f * 1e0 AS f, s, c, HEX(x) AS x, at, ts, HEX(u) AS u, j, a, i, k, day FROM back.t ORDER BY id',
      );
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
      `UPDATE back.t SET d = 2.25, a = '{{1,2},{3,4}}' WHERE id = 1; UPDATE back.t SET id = 20 WHERE id = 2; DELETE FROM back.t WHERE id = 3; INSERT INTO back.t (id, b) VALUES (4, false)`,
    );
    await route.caughtUp();
    expect(await rows()).toMatchObject([
      { id: '1', d: '2.2500', a: '[[1, 2], [3, 4]]', s: 'ä', u: 'A0EEBC999C0B4EF8BB6D6BB9BD380A11' },
      { id: '4', b: '0' },
      { id: '20' },
    ]);
    await database.query("INSERT INTO back.t (id, at) VALUES (5, 'infinity')");
    expect((await route.state('failed')).reason).toMatchObject({
      code: 'TL-4602',
      message: expect.stringContaining('back.t.at'),
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
    expect(found).toContain('the key column odd.t.id holds texts for equal there');
    expect(found).toContain('odd.t.r is int4range');
    expect(found).toContain('odd.t.f is float8');
    expect(found.match(/TL-4601/g)?.length).toBeGreaterThanOrEqual(4);
  });
});
