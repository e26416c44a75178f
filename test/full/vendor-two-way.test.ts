import { expect, test } from 'vitest';
import { startMysql } from '../support/mysql.ts';
import { startPostgres } from '../support/postgres.ts';
import { type RouteEnd, RouteFile, type RunningRoute } from '../support/route.ts';

const postgresTables = `CREATE SCHEMA shop;
  CREATE TABLE shop.item (id int PRIMARY KEY, n numeric(10,2), s text, b boolean, x bytea, at timestamp(6));
  CREATE TABLE shop.note (id int PRIMARY KEY, s text)`;
const mysqlTables = `CREATE DATABASE shop;
  CREATE TABLE shop.item (id int PRIMARY KEY, n decimal(10,2), s longtext COLLATE utf8mb4_bin, b tinyint(1), x longblob, at datetime(6));
  CREATE TABLE shop.note (id int PRIMARY KEY, s longtext COLLATE utf8mb4_bin)`;

function tablesOf(end: RouteEnd): string {
  return 'vendor' in end ? mysqlTables : postgresTables;
}

function bytes(end: RouteEnd, hex: string): string {
  return 'vendor' in end ? `x'${hex}'` : `'\\x${hex}'`;
}

/** Each row in one text that both vendors write alike. */
async function contents(end: RouteEnd): Promise<readonly string[]> {
  const [hex, at, no] =
    'vendor' in end
      ? ['LOWER(HEX(x))', "DATE_FORMAT(at, '%Y-%m-%d %H:%i:%s.%f')", 'CAST(b AS CHAR)']
      : ["encode(x, 'hex')", "to_char(at, 'YYYY-MM-DD HH24:MI:SS.US')", 'b::int::text'];
  const items = await end.query(`SELECT id, n, s, ${no} AS b, ${hex} AS x, ${at} AS at FROM shop.item ORDER BY id`);
  const notes = await end.query('SELECT id, s FROM shop.note ORDER BY id');
  return [...items.map((row) => ['item', row]), ...notes.map((row) => ['note', row])].map(([table, row]) =>
    [table, ...Object.values(row as Record<string, unknown>).map(String)].join(' | '),
  );
}

/** Changes of rows that the end's own application makes, with keys that are nobody else's: how many rows they are. */
async function write(end: RouteEnd, from: number): Promise<number> {
  const at = "'2024-02-29 12:00:00.123456'";
  for (let id = from; id < from + 8; id++)
    await end.query(
      `INSERT INTO shop.item VALUES (${id}, ${id}.5, 'ä ${id}', ${id % 2 === 0}, ${bytes(end, '00ff5c')}, ${at})`,
    );
  await end.query(`UPDATE shop.item SET n = n + 1, s = NULL WHERE id = ${from}`);
  await end.query(`UPDATE shop.item SET id = ${from + 90} WHERE id = ${from + 1}`);
  await end.query(`DELETE FROM shop.item WHERE id = ${from + 2}`);
  return 11;
}

/** By route, what its stream has applied since its worker began. */
async function rowsOf(file: RouteFile): Promise<Readonly<Record<string, number>>> {
  const { out } = await file.tidelock('status', '--json');
  const { routes } = JSON.parse(out) as { routes: { name: string; rows: number }[] };
  return Object.fromEntries(routes.map(({ name, rows }) => [name, rows]));
}

async function settled(file: RouteFile, routes: readonly string[]): Promise<void> {
  // Once more for each route: what came back would travel on behind what was waited for.
  for (let round = 0; round <= routes.length; round++)
    for (const route of routes) {
      const waited = await file.tidelock('wait', route, '--timeout', '30s');
      expect(waited, waited.out + waited.err).toMatchObject({ code: 0 });
    }
}

async function running(route: RunningRoute, names: readonly string[]): Promise<void> {
  for (const name of names) await route.state('running', 60_000, name);
}

test.each([
  ['postgres', 'mysql'],
  ['mariadb', 'postgres'],
] as const)(
  'between %s and %s, both ways, nothing that a route has applied is carried back: loaded, changed, truncated, over a kill',
  { timeout: 300_000 },
  async (from, to) => {
    await using postgres = await startPostgres();
    await using server = await startMysql({ vendor: from === 'postgres' ? to : from } as { vendor: 'mysql' });
    const database = await postgres.createDatabase();
    const [here, there]: readonly [RouteEnd, RouteEnd] = from === 'postgres' ? [database, server] : [server, database];
    for (const end of [here, there]) await end.query(tablesOf(end));
    const rows = Array.from({ length: 300 }, (_, at) => `(${1_000 + at}, 'loaded')`).join();
    await here.query(`INSERT INTO shop.note VALUES ${rows}`);
    using file = new RouteFile({
      ...{ source: here, target: there, name: 'both' },
      route: 'tables: ["shop.*"]\nload: { wholeUpTo: 0B }',
      back: 'tables: ["shop.*"]\nload: { mode: none }',
    });
    const routes = ['here-to-there', 'there-to-here'];
    let route = file.run();
    try {
      await running(route, routes);
      await write(here, 100);
      await write(there, 200);
      await route.kill9();
      await write(here, 300);
      await write(there, 400);
      route = file.run();
      await running(route, routes);
      await settled(file, routes);
      expect(await contents(there)).toEqual(await contents(here));
      expect((await contents(here)).length).toBe(300 + 4 * 7);

      // To the row: what is carried back, to no effect even, is counted.
      const before = await rowsOf(file);
      const [hereRows, thereRows] = [await write(here, 500), await write(there, 600)];
      await settled(file, routes);
      const after = await rowsOf(file);
      expect(routes.map((name) => (after[name] ?? 0) - (before[name] ?? 0))).toEqual([hereRows, thereRows]);
      expect(await contents(there)).toEqual(await contents(here));

      // A truncate that came back would take rows with it that were written behind it.
      for (const [end, id] of [
        [here, 1],
        [there, 2],
      ] as const) {
        await end.query('TRUNCATE shop.note');
        await end.query(`INSERT INTO shop.note VALUES (${id}, 'behind')`);
        await settled(file, routes);
        expect((await contents(here)).filter((row) => row.startsWith('note'))).toEqual([`note | ${id} | behind`]);
        expect(await contents(there)).toEqual(await contents(here));
      }

      // Whoever wrote a row last can't be told between vendors: neither begins.
      for (const command of [['compare'], ['repair', '--from', 'here', '--yes']]) {
        const refused = await file.tidelock(command[0] ?? '', 'here-to-there', ...command.slice(1));
        expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('TL-5010') });
      }
      expect(await route.stop()).toBe(0);
    } finally {
      await route[Symbol.asyncDispose]();
    }
  },
);

test('round PostgreSQL, MySQL and MariaDB each change comes to all three once, and ends before it is where it came from', {
  timeout: 300_000,
}, async () => {
  await using postgres = await startPostgres();
  await using mysql = await startMysql({ vendor: 'mysql' });
  await using mariadb = await startMysql({ vendor: 'mariadb' });
  const ends: readonly RouteEnd[] = [await postgres.createDatabase(), mysql, mariadb];
  for (const end of ends) await end.query(tablesOf(end));
  const routes = ends.map((_, at) => `way-${at}`);
  using file = new RouteFile({ source: mysql, target: mariadb });
  const nodes = ends.map(
    (end, at) => `  node-${at}: { type: ${'vendor' in end ? end.vendor : 'postgres'}, url: "${end.url()}" }\n`,
  );
  const ways = routes.map(
    (name, at) =>
      `  ${name}: { from: node-${at}, to: node-${(at + 1) % 3}, tables: ["shop.*"], forward: all, load: { mode: none } }\n`,
  );
  file.write({
    'tidelock.yaml': `version: 1\nname: ring\nnodes:\n${nodes.join('')}routes:\n${ways.join('')}`,
  });
  await using route = file.run();
  await running(route, routes);
  await settled(file, routes);
  const before = await rowsOf(file);
  for (const [at, end] of ends.entries()) await write(end, 100 * (at + 1));
  await settled(file, routes);
  const [first, ...others] = await Promise.all(ends.map(contents));
  expect(first).toHaveLength(21);
  for (const other of others) expect(other).toEqual(first);
  const after = await rowsOf(file);
  // Each route carries what its source's own application has written, and what has come there from the one before.
  expect(routes.map((name) => (after[name] ?? 0) - (before[name] ?? 0))).toEqual([22, 22, 22]);
});
