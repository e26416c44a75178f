import { expect, test } from 'vitest';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const servers = twoServers();

const schema = 'CREATE TABLE sale (site text, id int, v int, PRIMARY KEY (site, id))';

/** By route: what it says of the table, besides its name. */
type Shares = Readonly<Record<string, string>>;

async function fanIn() {
  const { source: east, target } = await servers.pair(schema);
  const west = await servers.here.createDatabase();
  await west.query(schema);
  const file = new RouteFile({ source: east, target });
  const configure = (shares: Shares): void =>
    file.write({
      'tidelock.yaml': `version: 1
name: fan
nodes:
  east: { type: postgres, url: "${east.url()}" }
  west: { type: postgres, url: "${west.url()}" }
  all: { type: postgres, url: "${target.url()}" }
routes:
${Object.entries(shares)
  .map(([site, share]) => {
    const from = site === 'east' ? 'east' : 'west';
    return `  ${site}: { from: ${from}, to: all, tables: [{ name: public.sale${share} }] }`;
  })
  .join('\n')}
`,
    });
  const done = async (...args: string[]) => {
    const outcome = await file.tidelock(...args);
    expect(outcome, outcome.err).toMatchObject({ code: 0 });
    return outcome;
  };
  const both = async () => {
    for (const route of ['east', 'west']) await done('wait', route, '--timeout', '20s');
    return await target.query('SELECT site, id, v FROM sale ORDER BY site, id');
  };
  return { east, west, target, file, configure, done, both };
}

const apart: Shares = { east: `, owns: "site = 'east'"`, west: `, owns: "site in ('west', 'north')"` };

test('routes that share a target table load, change, truncate, compare and repair their own rows only', {
  timeout: 120_000,
}, async () => {
  const { east, west, target, file, configure, done, both } = await fanIn();
  using _ = file;
  configure(apart);
  await east.query(`INSERT INTO sale SELECT 'east', g, g FROM generate_series(1, 300) g`);
  await west.query(`INSERT INTO sale SELECT 'west', g, -g FROM generate_series(1, 200) g`);
  await using run = file.run();
  for (const route of ['east', 'west']) await run.state('running', 40_000, route);
  await east.query(`UPDATE sale SET v = 0 WHERE id = 1; DELETE FROM sale WHERE id = 2`);
  await west.query(`UPDATE sale SET site = 'north' WHERE id = 1`);
  const rows = await both();
  expect(rows).toHaveLength(499);
  expect(rows).toEqual(
    expect.arrayContaining([
      { site: 'east', id: 1, v: 0 },
      { site: 'north', id: 1, v: -1 },
      { site: 'west', id: 2, v: -2 },
    ]),
  );

  // What nobody's route says of the west's rows stays whatever becomes of the east's.
  await target.query(`UPDATE sale SET v = 7 WHERE site = 'west' AND id = 5`);
  await target.query(`UPDATE sale SET v = 8 WHERE site = 'east' AND id = 5`);
  await target.query(`DELETE FROM sale WHERE site = 'east' AND id = 6`);
  await target.query(`INSERT INTO sale VALUES ('east', 1000, 1)`);
  const compared = await file.tidelock('compare', 'east', '--json');
  expect(JSON.parse(compared.out).tables).toMatchObject([{ rows: 299, missing: 1, extra: 1, different: 1 }]);
  await done('repair', 'east', '--yes');
  await done('compare', 'east');
  expect(await target.query(`SELECT v FROM sale WHERE site = 'west' AND id = 5`)).toEqual([{ v: 7 }]);

  await target.query(`INSERT INTO sale VALUES ('east', 1000, 1)`);
  expect((await file.tidelock('load', 'east', 'public.sale')).err).toContain('TL-2301');
  await done('load', 'east', 'public.sale', '--existing', 'replace', '--yes');
  await done('compare', 'east');
  expect(await target.query(`SELECT v FROM sale WHERE site = 'west' AND id = 5`)).toEqual([{ v: 7 }]);

  await east.query('TRUNCATE sale');
  expect(await both()).toHaveLength(200);

  // Mapped anew over the rows that are there, it has the share that it had.
  configure({ ...apart, east: `${apart.east}, transforms: [{ set: { v: "v + 1" } }]` });
  await done('apply', 'east', '--yes', '--keep-rows', 'public.sale');
  const registered = await target.query('SELECT owns IS NOT NULL AS shared FROM tidelock.tables');
  expect(registered).toEqual([{ shared: true }, { shared: true }]);

  // A row that is not the route's own.
  await east.query(`INSERT INTO sale VALUES ('west', 9999, 1)`);
  await run.reason('TL-4511', 20_000);
  expect(await target.query('SELECT FROM sale WHERE id = 9999')).toEqual([]);
  await run.stop();

  // Which of them would be first is no matter: the two are registered.
  configure({ ...apart, meets: `, owns: "site <> 'west'"`, all: '', unkeyed: ', owns: "v = 1"' });
  const checked = await file.tidelock('check', '--json');
  expect(checked.code).toBe(1);
  for (const code of ['TL-4014', 'TL-4004', 'TL-4510']) expect(checked.out).toContain(code);
  await using refused = file.run();
  for (const code of ['TL-4014', 'TL-4004', 'TL-4510']) await refused.reason(code, 40_000);
});
