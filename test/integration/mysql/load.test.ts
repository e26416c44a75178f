import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MysqlReader } from '../../../connectors/mysql/source/mysql-reader.ts';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import { AwaitedWatermarks } from '../../../connectors/sql/awaited-watermarks.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { rowsOf as rowsOfSet } from '../../../src/core/row-set.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import type { MysqlVendor } from '../../support/mysql-binaries.ts';
import { RouteFile } from '../../support/route.ts';
import { randomNumbers, seed } from '../../support/seed.ts';
import { isThorough } from '../../support/thorough.ts';
import { until } from '../../support/until.ts';
import { writerRestMs } from '../../support/writer-rest.ts';
import { mysqlRoute } from './binlog-reading.ts';

const servers = new Map<MysqlVendor, MysqlServer>();
beforeAll(async () => {
  for (const vendor of ['mysql', 'mariadb'] as const) servers.set(vendor, await startMysql({ vendor }));
}, 120_000);
afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

let databases = 0;

/** Keys of several columns, of bytes, and of texts that are equal in another case; one table without any. */
const schema = `
  CREATE TABLE item (a int, b varchar(40) COLLATE utf8mb4_unicode_ci, v int NOT NULL, at datetime(3) NULL, big blob, PRIMARY KEY (a, b), KEY (v));
  CREATE TABLE bin (k varbinary(8) PRIMARY KEY, n decimal(20,3));
  CREATE TABLE loose (x int)`;

const shown = {
  item: 'SELECT a, b, v, at, HEX(big) AS big FROM item ORDER BY a, HEX(b)',
  bin: 'SELECT HEX(k) AS k, n FROM bin ORDER BY HEX(k)',
  loose: 'SELECT x FROM loose ORDER BY x',
};

function rowsOf(count: number): string {
  const values = (n: number): string =>
    `(${n % 7}, 'Key ${n}', ${n}, ${n % 3 === 0 ? 'NULL' : "'2024-02-29 12:00:00.123'"}, ${n % 50 === 0 ? `REPEAT(x'00ff', ${n % 900})` : 'NULL'})`;
  const statements = [];
  for (let from = 0; from < count; from += 1_000) {
    const numbers = Array.from({ length: Math.min(1_000, count - from) }, (_, at) => from + at);
    statements.push(`INSERT INTO item VALUES ${numbers.map(values).join(', ')}`);
    const bytes = numbers.map((n) => `(x'${(n * 2654435761).toString(16).padStart(12, '0').slice(-12)}', ${n}.5)`);
    statements.push(`INSERT IGNORE INTO bin VALUES ${bytes.join(', ')}`);
  }
  return `${statements.join('; ')}; INSERT INTO loose VALUES (1), (1), (2)`;
}

describe.each([
  ['mysql', 'mariadb'],
  ['mariadb', 'mysql'],
] as const)('from %s to %s', (from, to) => {
  async function tables(rows: number) {
    const [source, target] = [servers.get(from), servers.get(to)] as [MysqlServer, MysqlServer];
    const d = `load${++databases}`;
    for (const server of [source, target]) await server.query(`CREATE DATABASE ${d}; USE ${d}; ${schema}`);
    if (rows > 0) await source.query(`USE ${d}; ${rowsOf(rows)}`);
    const contents = async (server: MysqlServer) => {
      const found: Record<string, unknown> = {};
      for (const [name, query] of Object.entries(shown))
        found[name] = await server.query(query.replace(' FROM ', ` FROM ${d}.`));
      return found;
    };
    const same = async (): Promise<void> => expect(await contents(target)).toEqual(await contents(source));
    return { source, target, d, same };
  }

  /** Changes of every kind, of keys too, until told to stop. Gives how many statements there were. */
  function busy(server: MysqlServer, d: string, rows: number): AsyncDisposable & { stop(): Promise<number> } {
    let isOver = false;
    const random = randomNumbers(seed);
    const below = (count: number): number => Math.floor(random() * count);
    const working = (async () => {
      const connection = await server.connect();
      let statements = 0;
      try {
        await connection.query(`USE ${d}`);
        while (!isOver) {
          const some = `v BETWEEN ${below(rows)} AND ${below(rows)} LIMIT 5`;
          const at = below(rows);
          const near = `v BETWEEN ${at} AND ${at + 4}`;
          const statement = [
            `UPDATE IGNORE item SET b = CONCAT('moved ', v), a = v % 5 WHERE ${near}`,
            `UPDATE item SET b = UPPER(b) WHERE ${near}`,
            `UPDATE item SET v = v + 1, big = x'01' WHERE ${near}`,
            `DELETE FROM item WHERE ${near}`,
            `INSERT IGNORE INTO item VALUES (${at % 7}, 'new ${at}', ${at}, NULL, x'00'), (${at % 7}, 'key ${at}', ${at}, NULL, NULL)`,
            `BEGIN; DELETE FROM bin WHERE n > ${at} ORDER BY n LIMIT 3; INSERT IGNORE INTO bin VALUES (x'${at.toString(16).padStart(4, '0')}', 1); ROLLBACK`,
            `BEGIN; DELETE FROM bin WHERE n > ${at} ORDER BY n LIMIT 3; INSERT IGNORE INTO bin VALUES (x'${at.toString(16).padStart(4, '0')}', 1); UPDATE IGNORE bin SET k = CONCAT(x'ff', LEFT(k, 5)) WHERE n < ${at} ORDER BY n DESC LIMIT 2; COMMIT`,
            `DELETE FROM item WHERE ${some}`,
          ][below(8)];
          await connection.query(String(statement));
          statements++;
          await setTimeout(writerRestMs);
        }
      } finally {
        await connection.end();
      }
      return statements;
    })();
    const stop = (): Promise<number> => {
      isOver = true;
      return working;
    };
    return {
      stop,
      async [Symbol.asyncDispose]() {
        await stop().catch(() => {});
      },
    };
  }

  // In `npm test` each of the two in one direction: what they show is read and written alike by both vendors.
  if (isThorough || from === 'mysql')
    test('tables are loaded beside the stream while rows come, go and change their keys, over a kill: none is missing or there twice', {
      timeout: 150_000,
    }, async () => {
      const rows = 6_000;
      const { source, target, d, same } = await tables(rows);
      using file = new RouteFile({
        source,
        target,
        route: `tables: ["${d}.*"]\nload: { wholeUpTo: 0B, limits: { rows: 3000 } }`,
      });
      await using work = busy(source, d, rows);
      {
        await using route = file.run();
        await route.state('loading', 60_000);
        const begun = "SELECT source FROM tidelock.loads WHERE source LIKE '%.item' AND row_count > 0 AND done = 0";
        await until('a chunk', async () => (await target.query(begun)).length === 1, 60_000);
        await route.kill9();
      }
      await using route = file.run();
      await route.state('running', 60_000);
      expect(await work.stop()).toBeGreaterThan(50);
      await route.caughtUp(30_000);
      await same();
      expect(await target.query('SELECT MIN(done) AS done, COUNT(*) AS n FROM tidelock.loads')).toEqual([
        { done: '1', n: '2' },
      ]);
      expect(await route.stop()).toBe(0);
      const dropped = await file.tidelock('drop', 'here-to-there', '--yes');
      expect(dropped).toMatchObject({ code: 0, err: expect.stringContaining('nothing that is kept for this route') });
    });

  if (isThorough || from === 'mariadb')
    test('a table of a running route is loaded anew, and one that appears is loaded: refused, merged, replaced', {
      timeout: 120_000,
    }, async () => {
      const rows = 1_500;
      const { source, target, d, same } = await tables(rows);
      using file = new RouteFile({ source, target, route: `tables: ["${d}.*"]\nnewTables: load` });
      await using route = file.run();
      await route.state('running', 60_000);
      await same();
      const load = (...more: string[]) =>
        route.unhalted(file.tidelock('load', 'here-to-there', `${d}.item`, '--json', ...more));
      expect((await load()).err).toContain('TL-2301');
      expect((await file.tidelock('load', 'here-to-there', `${d}.loose`, '--existing', 'merge')).err).toContain(
        'TL-4160',
      );
      // A row that the source has not, one that has another value, and some that are missing.
      await target.query(
        `USE ${d}; DELETE FROM item WHERE v BETWEEN 100 AND 200; UPDATE item SET big = 'x' WHERE v = 300; INSERT INTO item VALUES (1, 'own', -2, NULL, NULL)`,
      );
      expect(JSON.parse((await load('--existing', 'merge')).out)).toMatchObject({
        tables: [{ name: `${d}.item`, rows }],
      });
      expect(await target.query(`SELECT v FROM ${d}.item WHERE b = 'own'`)).toEqual([{ v: '-2' }]);
      await target.query(`DELETE FROM ${d}.item WHERE b = 'own'`);
      await same();
      await target.query(`INSERT INTO ${d}.item VALUES (1, 'own', -2, NULL, NULL)`);
      {
        await using work = busy(source, d, rows);
        expect(await load('--existing', 'replace', '--yes')).toMatchObject({ code: 0 });
        await work.stop();
      }
      await route.unhalted(route.caughtUp(30_000));
      await same();

      // A part of it by its key: rows outside of it are left as they are, and those of it that the source has not go.
      const part = (existing: string, where: string) => load('--existing', existing, '--where', where, '--yes');
      await target.query(`USE ${d}; DELETE FROM item WHERE a = 3; UPDATE item SET v = -3 WHERE a = 5`);
      expect(await part('merge', 'a = 3 or a = 5')).toMatchObject({ code: 0 });
      await same();
      await target.query(`INSERT INTO ${d}.item VALUES (5, 'own', -2, NULL, NULL), (6, 'own', -2, NULL, NULL)`);
      {
        await using work = busy(source, d, rows);
        expect(await part('replace', 'a % 2 = 1')).toMatchObject({ code: 0 });
        await work.stop();
      }
      await route.unhalted(route.caughtUp(30_000));
      expect(await target.query(`SELECT a FROM ${d}.item WHERE b = 'own'`)).toEqual([{ a: '6' }]);
      await target.query(`DELETE FROM ${d}.item WHERE b = 'own'`);
      await same();
      // Its text is equal to others there which are told apart here; the other column is no part of the key.
      for (const where of ["b = 'x'", 'v = 1'])
        expect(await load('--existing', 'merge', '--where', where)).toMatchObject({
          code: 2,
          err: expect.stringMatching(/TL-4166|TL-4510/),
        });
      expect((await load('--where', 'a = 2')).err).toContain('TL-2301');

      // One that appears, with rows that come before and behind its beginning.
      const late = `CREATE TABLE ${d}.late (k varbinary(4) PRIMARY KEY, v int)`;
      await target.query(late);
      await source.query(late);
      for (let from = 0; from < 200; from += 20) {
        const values = Array.from(
          { length: 20 },
          (_, at) => `(x'${(from + at).toString(16).padStart(4, '0')}', ${at})`,
        );
        await source.query(`INSERT INTO ${d}.late VALUES ${values.join(', ')}; UPDATE ${d}.late SET v = v + 1`);
        await source.query(`DELETE FROM ${d}.late WHERE v = 4`);
      }
      const loaded = `SELECT 1 AS found FROM tidelock.loads WHERE source = '${d}.late' AND done = 1`;
      await until('the new table', async () => (await target.query(loaded)).length === 1, 60_000);
      await route.unhalted(route.caughtUp(30_000));
      const rowsOfLate = `SELECT HEX(k) AS k, v FROM ${d}.late ORDER BY k`;
      expect(await target.query(rowsOfLate)).toEqual(await source.query(rowsOfLate));
      expect(await route.stop()).toBe(0);
      expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
    });
});

/** Types of keys, and a value of each for a number, as SQL writes it: neighbours in one order are far from each other in another. */
const keys: Readonly<Record<string, (n: number) => string>> = {
  int: (n) => `${((n * 7919) % 1009) - 500}`,
  'bigint unsigned': (n) => `${18446744073709551615n - BigInt(n * n)}`,
  'decimal(30,5)': (n) => `${n % 2 === 0 ? '-' : ''}${(n * 7919) % 101}123456789012345678.${n}`,
  double: (n) => `${(n - 60) * 1.1}e${(n % 7) - 3}`,
  'bit(12)': (n) => `${(n * 31) % 4096}`,
  year: (n) => `${1901 + n}`,
  date: (n) => `'20${String(n % 100).padStart(2, '0')}-0${1 + (n % 9)}-11'`,
  'time(2)': (n) => `'${n % 2 === 0 ? '-' : ''}${n * 6}:00:0${n % 10}.25'`,
  'datetime(3)': (n) => `'2024-01-${1 + (n % 28)} 00:00:${n % 60}.${n}'`,
  'timestamp(6) NULL': (n) => `'2024-03-31 0${n % 4}:00:00.${n}'`,
  'char(9) CHARACTER SET latin1': (n) => `'${['a', 'B', 'ä', 'Z', 'é'][n % 5]}${n}'`,
  'varchar(20) COLLATE utf8mb4_unicode_ci': (n) => `'${["a''", 'B', 'ä', 'Z\\\\', ' ß', '😀'][n % 6]}${n}'`,
  'varchar(20) COLLATE utf8mb4_bin': (n) => `'${['a', 'B', 'ä', 'Z', '_'][n % 5]}${n}'`,
  'binary(4)': (n) => `x'${((n * 40503) % 65536).toString(16).padStart(4, '0')}00'`,
  'varbinary(5)': (n) => `x'${((n * 40503) % 65536).toString(16).padStart(4, '0')}'`,
};

test.for(['mysql', 'mariadb'] as const)(
  'on %s ranges in the order of a key hold each row once, whatever its type, and exact keys find it',
  { timeout: 110_000 },
  async (vendor) => {
    const server = servers.get(vendor) as MysqlServer;
    const d = `keys${++databases}`;
    await server.query(`CREATE DATABASE ${d}`);
    const [host] = server.node.connection().hosts;
    if (host === undefined) throw new Error('no host');
    const route = mysqlRoute(server, d);
    const watermarks = new AwaitedWatermarks();
    const instance = await mysqlSource({ route, logger: silentLogger }).instance();
    const reader = new MysqlReader(route, () => ({ watermarks, server: { host, instance } }));
    const signal = AbortSignal.timeout(100_000);
    const all = { ...keys, ...(vendor === 'mariadb' && { uuid: (n: number) => `MD5(${n})` }) };
    for (const [at, [type, value]] of Object.entries(all).entries()) {
      const table = { schema: d, name: `t${at}` };
      const rows = Array.from({ length: 60 }, (_, n) => `(${n % 3}, ${value(n)}, ${n})`);
      await server.query(
        `CREATE TABLE ${d}.t${at} (a int, k ${type.replace(' NULL', '')}, v int, PRIMARY KEY (a, k)); SET sql_mode = ''; INSERT IGNORE INTO ${d}.t${at} VALUES ${rows.join(', ')}`,
      );
      const key = await reader.key(table);
      if (key === null) throw new Error(`${type} is no key`);
      const request = { table, key, columns: ['v', 'k', 'a'], low: '', maxBytes: 1_000_000 };
      const found: unknown[] = [];
      const read: (readonly string[])[] = [];
      for (let after: readonly string[] | null = null; ; ) {
        const range = { kind: 'after' as const, key: after, rows: 17 };
        const { text, cells, rows, last, ended } = await reader.read({ ...request, range }, signal);
        const set = { table: { columns: request.columns } as never, rows: cells ?? { text, count: rows } };
        found.push(...rowsOfSet(set).map(([v]) => v));
        // Bytes are no text.
        expect(cells !== undefined, type).toBe(/^(?:var)?binary/.test(type));
        if (last !== null) read.push(last);
        after = last;
        if (ended) break;
      }
      const stored = await server.query(`SELECT v FROM ${d}.t${at} ORDER BY a, k`);
      expect(found, type).toEqual(stored.map(({ v }) => v));
      expect(found.length, type).toBeGreaterThan(20);
      const exact = await reader.read({ ...request, range: { kind: 'keys', keys: read } }, signal);
      expect(exact.rows, type).toBe(read.length);
    }
    for (const [at, type] of ['float', "enum('b', 'a')"].entries()) {
      await server.query(`CREATE TABLE ${d}.n${at} (k ${type} PRIMARY KEY)`);
      expect(await reader.key({ schema: d, name: `n${at}` })).toBeNull();
    }
    const table = { schema: d, name: 't0' };
    const range = { kind: 'after' as const, key: null, rows: 1 };
    const any = { table, key: { columns: ['a', 'k'] }, columns: ['v'], low: '', maxBytes: 1_000, range };
    if (vendor === 'mysql') {
      await server.query('SET GLOBAL binlog_order_commits = OFF');
      await expect(reader.read(any, signal)).rejects.toMatchObject({ code: 'TL-3314' });
      await server.query('SET GLOBAL binlog_order_commits = ON');
    }
    expect((await reader.read(any, signal)).rows).toBe(1);
    // Half of a surrogate pair is a character to MariaDB, and no UTF-8.
    if (vendor === 'mariadb') {
      const cut = { schema: d, name: 'cut' };
      await server.query(
        `CREATE TABLE ${d}.cut (a int PRIMARY KEY, v varchar(9), b blob); INSERT INTO ${d}.cut VALUES (1, 'ä', ''), (2, _utf8mb4 x'eda080', '')`,
      );
      await reader.key(cut);
      const some = { ...any, table: cut, key: { columns: ['a'] }, range: { ...range, rows: 5 } };
      for (const columns of [
        ['a', 'v'],
        ['b', 'v', 'a'],
      ])
        await expect(reader.read({ ...some, columns }, signal)).rejects.toMatchObject({
          code: 'TL-3307',
          place: { table: `${d}.cut`, column: 'v' },
        });
    }
    await reader.close();
    // Behind an address another server may answer by now.
    const elsewhere = new MysqlReader(route, () => ({ watermarks, server: { host, instance: 'another' } }));
    await elsewhere.key(table);
    await expect(elsewhere.read(any, signal)).rejects.toThrow('another server than the one that the stream reads');
    await elsewhere.close();
  },
);
