import { expect, test } from 'vitest';
import { startMysql } from '../support/mysql.ts';
import { RouteFile } from '../support/route.ts';

/** By route: what it says of the table, besides its name. */
type Shares = Readonly<Record<string, string>>;

/** The log has whole rows, so that the route has to be told by what its rows are named. */
const key = ', key: [site, id]';
const apart: Shares = { east: `${key}, owns: "site = 'east'"`, west: `${key}, owns: "site in ('west', 'north')"` };

test.each([
  ['mysql', 'utf8mb4_0900_bin'],
  ['mariadb', 'utf8mb4_nopad_bin'],
] as const)(
  'routes that share a target table of %s load, change, truncate, compare and repair their own rows only',
  { timeout: 600_000 },
  async (vendor, collation) => {
    const [here, there] = await Promise.all([startMysql({ vendor }), startMysql({ vendor })]);
    await using _here = here;
    await using _there = there;
    // At the sources a text in another case is another one only where that is asked for.
    const table = (database: string, text: string): string =>
      `CREATE DATABASE ${database}; CREATE TABLE ${database}.sale (site varchar(9) ${text}, id int, v int, PRIMARY KEY (site, id));`;
    await here.query(
      `${table('east', '')} ${table('west', '')} INSERT INTO east.sale VALUES ${rows(300, (n) => `('east', ${n}, ${n})`)};
       INSERT INTO west.sale VALUES ${rows(200, (n) => `('west', ${n}, -${n})`)}`,
    );
    await there.query(table('shared', `COLLATE ${collation}`));
    using file = new RouteFile({ source: here, target: there });
    const configure = (shares: Shares): void =>
      file.write({
        'tidelock.yaml': `version: 1
name: fan
nodes:
  here: { type: ${vendor}, url: "${here.url()}" }
  all: { type: ${vendor}, url: "${there.url()}" }
routes:
${Object.entries(shares)
  .map(([site, share]) => {
    const from = site === 'east' ? 'east' : 'west';
    return `  ${site}: { from: here, to: all, tables: [{ name: ${from}.sale, to: shared.sale${share} }] }`;
  })
  .join('\n')}
`,
      });
    const done = async (...args: string[]): Promise<void> => {
      const outcome = await file.tidelock(...args);
      expect(outcome, outcome.err).toMatchObject({ code: 0 });
    };
    const found = async (condition: string): Promise<unknown[]> => {
      const sql = `SELECT site, id, v FROM shared.sale WHERE ${condition} ORDER BY site, id`;
      return await there.query(sql);
    };
    const both = async (): Promise<unknown[]> => {
      for (const route of ['east', 'west']) await done('wait', route, '--timeout', '20s');
      return await found('true');
    };
    configure(apart);
    {
      await using run = file.run();
      for (const route of ['east', 'west']) await run.state('running', 60_000, route);
      await here.query(`UPDATE east.sale SET v = 0 WHERE id = 1; DELETE FROM east.sale WHERE id = 2`);
      await here.query(`UPDATE west.sale SET site = 'north' WHERE id = 1`);
      const sales = await both();
      expect(sales).toHaveLength(499);
      expect(sales).toEqual(
        expect.arrayContaining([
          { site: 'east', id: '1', v: '0' },
          { site: 'north', id: '1', v: '-1' },
          { site: 'west', id: '2', v: '-2' },
        ]),
      );

      // What nobody's route says of the west's rows stays whatever becomes of the east's.
      await there.query(
        `UPDATE shared.sale SET v = 7 WHERE site = 'west' AND id = 5; UPDATE shared.sale SET v = 8 WHERE site = 'east' AND id = 5;
         DELETE FROM shared.sale WHERE site = 'east' AND id = 6; INSERT INTO shared.sale VALUES ('east', 1000, 1)`,
      );
      const compared = await file.tidelock('compare', 'east', '--json');
      expect(JSON.parse(compared.out).tables).toMatchObject([{ rows: 299, missing: 1, extra: 1, different: 1 }]);
      await done('repair', 'east', '--yes');
      await done('compare', 'east');
      expect(await found("site = 'west' AND id = 5")).toMatchObject([{ v: '7' }]);

      await there.query(`INSERT INTO shared.sale VALUES ('east', 1000, 1)`);
      expect((await file.tidelock('load', 'east', 'east.sale')).err).toContain('TL-2301');
      await done('load', 'east', 'east.sale', '--existing', 'replace', '--yes');
      await done('compare', 'east');
      expect(await found("site = 'west' AND id = 5")).toMatchObject([{ v: '7' }]);

      await here.query('TRUNCATE east.sale');
      expect(await both()).toHaveLength(200);

      // Mapped anew over the rows that are there, it has the share that it had.
      configure({ ...apart, east: `${apart.east}, transforms: [{ set: { v: "v + 1" } }]` });
      await done('apply', 'east', '--yes', '--keep-rows', 'east.sale');
      expect(await there.query('SELECT target, owns FROM tidelock.shares ORDER BY source')).toEqual([
        { target: 'shared.sale', owns: "site = 'east'" },
        { target: 'shared.sale', owns: "site in ('west', 'north')" },
      ]);

      // A row that is not the route's own.
      await here.query(`INSERT INTO east.sale VALUES ('west', 9999, 1)`);
      await run.reason('TL-4511', 30_000);
      expect(await found('id = 9999')).toEqual([]);
      await run.stop();
    }
    // Which of them would be first is no matter: the two are registered.
    configure({ ...apart, meets: `${key}, owns: "site <> 'west'"`, all: '', unkeyed: `, owns: "site = 'x'"` });
    const checked = await file.tidelock('check', '--json');
    expect(checked.code).toBe(1);
    for (const code of ['TL-4014', 'TL-4004', 'TL-4510']) expect(checked.out).toContain(code);
    {
      await using refused = file.run();
      for (const code of ['TL-4014', 'TL-4004', 'TL-4510']) await refused.reason(code, 60_000);
      await refused.stop();
    }
    // Where the server holds texts equal that the route tells apart, a row of one share could have the key of one of another.
    await there.query(`ALTER TABLE shared.sale MODIFY site varchar(9) COLLATE utf8mb4_bin`);
    configure({ east: apart.east ?? '' });
    const padded = await file.tidelock('check', '--json');
    expect(padded.out).toContain('TL-4510');
    for (const route of ['east', 'west', 'meets', 'all', 'unkeyed']) {
      configure({ [route]: apart[route] ?? '' });
      await file.tidelock('drop', route, '--yes');
    }
    expect(await there.query("SHOW TABLES FROM tidelock LIKE 'routes'").catch(() => [])).toEqual([]);
  },
);

function rows(count: number, row: (n: number) => string): string {
  return Array.from({ length: count }, (_, at) => row(at + 1)).join();
}
