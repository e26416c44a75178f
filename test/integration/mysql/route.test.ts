import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { RouteFile } from '../../support/route.ts';

/** From, to: each vendor to itself, and between the two. */
const pairs = [
  ['mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['mysql', 'mariadb'],
] as const;

let databases = 0;

describe.each(pairs)('from %s to %s', (from, to) => {
  let source: MysqlServer;
  let target: MysqlServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([startMysql({ vendor: from }), startMysql({ vendor: to })]);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  });

  /** The same tables at both sides. */
  async function tables(definitions: string): Promise<string> {
    const name = `r${++databases}`;
    for (const server of [source, target])
      await server.query(`CREATE DATABASE ${name}; USE ${name}; ${definitions.replaceAll('DB', name)}`);
    return name;
  }

  const both = async (query: string) => Promise.all([source.query(query), target.query(query)]);

  test('rows that were there are loaded, what changes follows, over a kill and a halt at a new definition', async () => {
    const d = await tables(
      `CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, n decimal(10,3) NULL, v varchar(40), b varbinary(9), at datetime(3) NULL, twice decimal(12,3) AS (n * 2) STORED);
       CREATE TABLE nokey (a int, b varchar(9))`,
    );
    await source.query(
      `INSERT INTO ${d}.t (n, v, b, at) VALUES (1.5, 'ü''ß\\\\', x'00ff27', '2024-02-29 12:00:00.123'), (NULL, '', NULL, NULL); INSERT INTO ${d}.nokey VALUES (1, 'x'), (1, 'x')`,
    );
    using file = new RouteFile({ source, target, route: `tables: ["${d}.*"]` });
    const checked = await file.tidelock('check');
    expect(checked, checked.out + checked.err).toMatchObject({ code: 0 });
    const same = async (): Promise<void> => {
      for (const table of ['t', 'nokey']) {
        const [here, there] = await both(`SELECT * FROM ${d}.${table} ORDER BY 1, 2`);
        expect(there).toEqual(here);
      }
    };
    {
      await using route = file.run();
      await route.state('running');
      await same();
      await source.query(
        `UPDATE ${d}.t SET v = CONCAT(v, '!') WHERE id = 1; INSERT INTO ${d}.t (v) VALUES ('three'); DELETE FROM ${d}.t WHERE id = 2; DELETE FROM ${d}.nokey LIMIT 1`,
      );
      await route.caughtUp();
      await same();
      await source.query(
        `BEGIN; INSERT INTO ${d}.t (v) VALUES ('four'); TRUNCATE ${d}.nokey; INSERT INTO ${d}.nokey VALUES (7, 'y')`,
      );
      await route.caughtUp();
      await same();
      await route.kill9();
    }
    await source.query(`UPDATE ${d}.t SET n = 2.25; INSERT INTO ${d}.nokey VALUES (8, 'z')`);
    await using route = file.run();
    await route.state('running');
    await route.caughtUp();
    await same();
    await source.query(`ALTER TABLE ${d}.t ADD COLUMN more int`);
    await source.query(`INSERT INTO ${d}.t (v, more) VALUES ('five', 5)`);
    await route.reason('TL-4105');
    await target.query(`ALTER TABLE ${d}.t ADD COLUMN more int`);
    expect(await file.tidelock('start', 'here-to-there', '--accept-schema-change')).toMatchObject({ code: 0 });
    await route.caughtUp();
    await same();
    expect(await route.stop()).toBe(0);
  });
});
