import { expect, test } from 'vitest';
import { startMysql } from '../support/mysql.ts';
import { startPostgres } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';

const sale = (text: string): string => `sale (site varchar(9) ${text}, id int, v int, PRIMARY KEY (site, id))`;

function rows(count: number, row: (n: number) => string): string {
  return Array.from({ length: count }, (_, at) => row(at + 1)).join();
}

/** A route for each of two tables that go into one, with its share. */
const routes = (source: string, target: string): string => `version: 1
name: fan
nodes:
  here: ${source}
  all: ${target}
routes:
  east: { from: here, to: all, tables: [{ name: east.sale, to: shared.sale, key: [site, id], owns: "site = 'east'" }] }
  west: { from: here, to: all, tables: [{ name: west.sale, to: shared.sale, key: [site, id], owns: "site in ('west', 'north')" }] }
`;

test.each([
  ['mysql', 'postgres', ''],
  ['mariadb', 'postgres', ''],
  ['postgres', 'mysql', 'COLLATE utf8mb4_0900_bin'],
  ['postgres', 'mariadb', 'COLLATE utf8mb4_nopad_bin'],
] as const)(
  'from %s to %s routes that share a target table load, change, truncate, compare and repair their own rows only',
  { timeout: 600_000 },
  async (from, to, collation) => {
    const vendor = from === 'postgres' ? to : from;
    await using mysql = await startMysql({ vendor: vendor === 'mariadb' ? 'mariadb' : 'mysql' });
    await using postgres = await startPostgres();
    const database = await postgres.createDatabase();
    const [source, target] = from === 'postgres' ? [database, mysql] : [mysql, database];
    const folder = (end: typeof source): string => (end === mysql ? 'DATABASE' : 'SCHEMA');
    for (const [name, count, sign] of [
      ['east', 300, ''],
      ['west', 200, '-'],
    ] as const) {
      await source.query(`CREATE ${folder(source)} ${name}; CREATE TABLE ${name}.${sale('')};
        INSERT INTO ${name}.sale VALUES ${rows(count, (n) => `('${name}', ${n}, ${sign}${n})`)}`);
    }
    await target.query(`CREATE ${folder(target)} shared; CREATE TABLE shared.${sale(collation)}`);
    using file = new RouteFile({ source, target });
    const node = (type: string, end: typeof source): string => `{ type: ${type}, url: "${end.url()}" }`;
    file.write({ 'tidelock.yaml': routes(node(from, source), node(to, target)) });
    const done = async (...args: string[]): Promise<void> => {
      const outcome = await file.tidelock(...args);
      expect(outcome, outcome.out + outcome.err).toMatchObject({ code: 0 });
    };
    const found = async (condition: string): Promise<string[]> => {
      const there = await target.query(`SELECT site, id, v FROM shared.sale WHERE ${condition} ORDER BY site, id`);
      return there.map(({ site, id, v }) => `${site} ${id} ${v}`);
    };
    const both = async (): Promise<string[]> => {
      for (const route of ['east', 'west']) await done('wait', route, '--timeout', '20s');
      return await found('1 = 1');
    };
    await using run = file.run();
    for (const route of ['east', 'west']) await run.state('running', 60_000, route);
    await source.query('UPDATE east.sale SET v = 0 WHERE id = 1; DELETE FROM east.sale WHERE id = 2');
    await source.query("UPDATE west.sale SET site = 'north' WHERE id = 1");
    const sales = await both();
    expect(sales).toHaveLength(499);
    expect(sales).toEqual(expect.arrayContaining(['east 1 0', 'north 1 -1', 'west 2 -2']));

    // What nobody's route says of the west's rows stays whatever becomes of the east's.
    await target.query(`UPDATE shared.sale SET v = 7 WHERE site = 'west' AND id = 5; UPDATE shared.sale SET v = 8 WHERE site = 'east' AND id = 5;
      DELETE FROM shared.sale WHERE site = 'east' AND id = 6; INSERT INTO shared.sale VALUES ('east', 1000, 1)`);
    const compared = await file.tidelock('compare', 'east', '--json');
    expect(JSON.parse(compared.out).tables, compared.err).toMatchObject([
      { rows: 299, missing: 1, extra: 1, different: 1 },
    ]);
    await done('repair', 'east', '--yes');
    await done('compare', 'east');
    expect(await found("site = 'west' AND id = 5")).toEqual(['west 5 7']);
    await target.query("INSERT INTO shared.sale VALUES ('east', 1000, 1)");
    expect((await file.tidelock('load', 'east', 'east.sale')).err).toContain('TL-2301');
    await done('load', 'east', 'east.sale', '--existing', 'replace', '--yes');
    await done('compare', 'east');
    expect(await found("site = 'west' AND id = 5")).toEqual(['west 5 7']);
    await source.query('TRUNCATE east.sale');
    expect(await both()).toHaveLength(200);

    // A row that is not the route's own.
    await source.query("INSERT INTO east.sale VALUES ('west', 9999, 1)");
    await run.reason('TL-4511', 30_000);
    expect(await found('id = 9999')).toEqual([]);
    await run.stop();
  },
);
