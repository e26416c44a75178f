import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mysqlInspector } from '../../../connectors/mysql/node/mysql-inspector.ts';
import type { InitDocument } from '../../../src/cli/init/carry-out.ts';
import { main } from '../../../src/cli/tidelock.ts';
import type { Row } from '../../../src/core/cell.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import type { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { armFailpoints } from '../../../src/core/failpoint.ts';
import type { Position } from '../../../src/core/position.ts';
import type { NodeDefinition, RouteDefinition } from '../../../src/core/route.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { type MysqlVendor, mysqlVendors } from '../../support/mysql-binaries.ts';
import { randomNumbers, seed } from '../../support/seed.ts';
import { sampled } from '../../support/thorough.ts';
import { cut } from '../consumer/harness.ts';
import { type MysqlStage, type MysqlStageOptions, mysqlStage } from './stage.ts';

const servers = new Map<MysqlVendor, MysqlServer>();
let users = 0;

/** The server, for another user. */
function as({ node }: MysqlServer, user: string): NodeDefinition {
  return { ...node, name: 'target', connection: () => ({ ...node.connection(), user }) };
}

const never = new AbortController().signal;

beforeAll(async () => {
  await Promise.all(
    mysqlVendors.map(async (vendor) => {
      servers.set(vendor, await startMysql({ vendor, settings: { 'innodb-lock-wait-timeout': '1' } }));
    }),
  );
}, 120_000);
afterAll(async () => {
  for (const server of servers.values()) await server[Symbol.asyncDispose]();
});

function server(vendor: MysqlVendor): MysqlServer {
  const found = servers.get(vendor);
  if (found === undefined) throw new Error(`${vendor} was not started`);
  return found;
}

const pairs = mysqlVendors.flatMap((from) => mysqlVendors.map((to) => ({ from, to })));

// In `npm test` each vendor is the source of one and the target of the other.
describe.each(sampled(pairs, ({ from, to }) => from !== to))('from $from to $to', ({ from, to }) => {
  const stage = (options: MysqlStageOptions) => mysqlStage(server(from), server(to), options);

  test('values of every kind arrive as they were, new, changed and gone', async () => {
    await using s = await stage({
      schema: `CREATE TABLE v (id bigint unsigned PRIMARY KEY, i tinyint, u int unsigned, d decimal(30,10), f float, g double, b bit(9), y year, da date, t time(3),
        dt datetime(6), ts timestamp(2) NULL, c char(5), vc varchar(40), l1 varchar(20) CHARACTER SET latin1, tx text, bi binary(4), vb varbinary(20), bl blob,
        e enum('a','it''s','c'), s set('x','y','z'), g2 geometry) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    });
    await s.write(`SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
      INSERT INTO v VALUES (0, -128, 4294967295, 12345678901234567890.0123456789, 0.1, 1e300, b'100000001', 1901, '2020-02-29', '-838:59:59.000',
        '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01.25', 'ab ', 'it''s \\\\ a "q"', 'Köln', REPEAT('ü', 400), x'00', x'0027', x'5c2700ff', 'it''s', 'x,z', ST_GeomFromText('POINT(1 2)'));
      INSERT INTO v (id) VALUES (18446744073709551615);
      INSERT INTO v (id, da, dt, y, d, f, g, vc) VALUES (9007199254740993, '0000-00-00', '0000-00-00 00:00:00', 0, -0.0000000001, -1.5e-38, -2.5e-300, 'trailing ');
      INSERT INTO v (id, vc) VALUES (9007199254740992, '');`);
    await s.carry();
    expect((await s.rows('v')).target).toEqual((await s.rows('v')).source);
    await s.write(`SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; BEGIN;
      UPDATE v SET i = 5, vc = CONCAT(vc, '\\\\''x'), f = 3.3, bl = x'00', da = '2021-02-31', t = '00:00:00.001' WHERE id >= 9007199254740992;
      UPDATE v SET tx = NULL, b = b'1', e = 'c', s = '', g2 = NULL, ts = '2038-01-19 03:14:07.99' WHERE id = 0; COMMIT;`);
    await s.carry();
    expect((await s.rows('v')).target).toEqual((await s.rows('v')).source);
    // Each row gets what another one has, NULL among it: one statement, whose list of rows has values of every length.
    const columns = 'i u d f g b y da t dt ts c vc l1 tx bi vb bl e s g2'.split(' ');
    await s.write(`SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; UPDATE v JOIN (SELECT * FROM v) o ON o.id = CASE v.id WHEN 0 THEN 18446744073709551615
      WHEN 18446744073709551615 THEN 9007199254740993 WHEN 9007199254740993 THEN 9007199254740992 ELSE 0 END SET ${columns.map((name) => `v.${name} = o.${name}`).join(', ')}`);
    const consumer = await s.consumer();
    await consumer.apply(await s.capture(), never);
    expect((await s.rows('v')).target).toEqual((await s.rows('v')).source);
    expect(consumer.counts().replays).toBe(0);
    await consumer.close();
    await s.write('DELETE FROM v WHERE id IN (9007199254740993, 18446744073709551615)');
    await s.carry();
    const { source, target } = await s.rows('v');
    expect(target).toEqual(source);
    expect(target).toHaveLength(2);
  });

  test('any transactions end as at the source, in groups of any size, whole or in pieces', async () => {
    await using s = await stage({
      schema: `CREATE TABLE k (id int PRIMARY KEY, u int NULL UNIQUE, v varchar(30));
        CREATE TABLE ci (name varchar(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY, at datetime(3) NOT NULL, n int);
        CREATE TABLE two (a int, b varchar(10) COLLATE utf8mb4_bin, c decimal(10,2), PRIMARY KEY (b, a));
        CREATE TABLE loose (a int, b varchar(10), f float)`,
    });
    const random = randomNumbers(seed);
    const below = (count: number): number => Math.floor(random() * count);
    const names = ['a', 'A', 'b ', 'b', 'ä', 'c', 'cc', 'C', '', "o'x", '\\\\'];
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
    const quoted = (): string => `'${pick(names).replaceAll("'", "''")}'`;
    const statement = (): string => {
      const [x, y] = [below(12), below(12)];
      return pick([
        () => `INSERT IGNORE INTO k VALUES (${x}, ${y}, ${quoted()})`,
        () => `UPDATE IGNORE k SET u = ${y} WHERE id = ${x}`,
        () => `UPDATE k SET v = ${quoted()} WHERE id > ${x}`,
        () => `UPDATE IGNORE k SET id = ${y} WHERE id = ${x}`,
        () => `DELETE FROM k WHERE id = ${x}`,
        () => `UPDATE k SET u = NULL WHERE id = ${x}; UPDATE IGNORE k SET u = ${x} WHERE id = ${y}`,
        () => `REPLACE INTO ci VALUES (${quoted()}, '2020-01-01 00:00:0${x % 10}.5', ${y})`,
        () => `UPDATE IGNORE ci SET name = ${quoted()}, n = ${y} WHERE name = ${quoted()}`,
        () => `DELETE FROM ci WHERE name = ${quoted()}`,
        () => `INSERT IGNORE INTO two VALUES (${x}, ${quoted()}, ${y}.5)`,
        () => `UPDATE two SET c = c + 1 WHERE b = ${quoted()}`,
        () => `DELETE FROM two WHERE a = ${x}`,
        () => `INSERT INTO loose VALUES (${x % 3}, ${quoted()}, 0.${y})`,
        () => `UPDATE loose SET f = f + 0.1 WHERE a = ${x % 3} LIMIT 1`,
        () => `DELETE FROM loose WHERE a = ${x % 3} LIMIT 2`,
      ])();
    };
    for (let round = 0; round < 4; round++) {
      for (let transaction = 0; transaction < 12; transaction++) {
        const statements = Array.from({ length: 1 + below(12) }, statement);
        await s.write(`BEGIN; ${statements.join('; ')}; COMMIT`);
      }
      const parts = await s.capture();
      const consumer = await s.consumer();
      const given: TransactionPart[] = round % 2 === 0 ? parts : cut(parts, 1 + below(4));
      for (let at = 0; at < given.length; ) {
        const size = 1 + below(given.length);
        await consumer.apply(given.slice(at, at + size), never);
        at += size;
      }
      await consumer.close();
      for (const table of ['k', 'ci', 'two', 'loose']) {
        const { source, target } = await s.rows(table);
        expect(target, `${table} in round ${round}`).toEqual(source);
      }
    }
  });
});

describe.each(mysqlVendors)('on %s', (vendor) => {
  const stage = (options: MysqlStageOptions) => mysqlStage(server(vendor), server(vendor), options);
  test('of rows without a key the one is meant that is the same, not one that the server holds equal: 0 and -0, documents of 1 and 1.0', async () => {
    await using s = await stage({ schema: 'CREATE TABLE loose (f float, g double, j json)' });
    const rows = async (database: string) =>
      server(vendor).query(
        `SELECT CONCAT_WS(' ', CAST(f * 1e0 AS CHAR), CAST(g * 1e0 AS CHAR), CAST(j AS CHAR)) AS t FROM ${database}.loose ORDER BY 1`,
      );
    await s.write(
      "INSERT INTO loose VALUES (0, 0, '1'), (0, 0, '1.0'), ('-0', 0, '1'), (0, '-0', '1'), (0, 0, '[1, {}]'), (0, 0, '[1.0, {}]')",
    );
    await s.carry();
    const all = await rows(s.target);
    // MariaDB shows no sign of a zero.
    expect(new Set(all.map(({ t }) => t)).size).toBe(vendor === 'mysql' ? 6 : 4);
    for (const change of [
      "DELETE FROM loose WHERE CAST(j AS CHAR) = '1.0'",
      "DELETE FROM loose WHERE CAST(f * 1e0 AS CHAR) = '-0'",
      "UPDATE loose SET j = '7' WHERE CAST(g * 1e0 AS CHAR) = '-0'",
      "UPDATE loose SET j = '8' WHERE CAST(j AS CHAR) = '[1.0, {}]'",
    ]) {
      await s.write(change);
      await s.carry();
      expect(await rows(s.target), change).toEqual(await rows(s.source));
    }
  });

  const plain = 'CREATE TABLE t (id int PRIMARY KEY, u int NULL UNIQUE, v varchar(20))';
  const halts = async (s: Awaited<ReturnType<typeof stage>>): Promise<unknown> => {
    try {
      await s.carry();
    } catch (error) {
      return error;
    }
    throw new Error('it did not halt');
  };

  test('a backlog is few statements: one group, and no replay', async () => {
    await using s = await stage({ schema: plain });
    await s.write(
      `INSERT INTO t SELECT n, n, 'x' FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) SELECT n FROM c) g`,
    );
    for (let i = 0; i < 20; i++) await s.write(`UPDATE t SET v = 'y${i}', u = -u WHERE id % 20 = ${i}`);
    await s.write('DELETE FROM t WHERE id > 900');
    const consumer = await s.consumer();
    await consumer.apply(await s.capture(), never);
    expect(consumer.counts()).toMatchObject({ groups: 1, replays: 0, transactions: 22, rows: 2100 });
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
    expect(target).toHaveLength(900);
  });

  test('keys that differ in case only are one row where the collation says so', async () => {
    await using s = await stage({
      schema: 'CREATE TABLE c (k varchar(10) COLLATE utf8mb4_unicode_ci PRIMARY KEY, n int)',
    });
    await s.write("INSERT INTO c VALUES ('a', 1), ('b', 1)");
    await s.carry();
    await s.write(
      "BEGIN; UPDATE c SET k = 'A', n = 2 WHERE k = 'a'; DELETE FROM c WHERE k = 'A'; INSERT INTO c VALUES ('A ', 3); COMMIT",
    );
    const consumer = await s.consumer();
    await consumer.apply(await s.capture(), never);
    const { source, target } = await s.rows('c');
    expect(target).toEqual(source);
    expect(consumer.counts().replays).toBe(0);
  });

  test('an update that changes nothing at the target still finds its row', async () => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a')");
    await s.carry();
    await server(vendor).query(`UPDATE ${s.target}.t SET v = 'b'`);
    await s.write("UPDATE t SET v = 'b'");
    await s.carry();
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
  });

  test.each([
    ['an update', "UPDATE t SET v = 'c' WHERE id = 2", 'finds no such row', 'DELETE FROM t WHERE id = 2'],
    ['a delete', 'DELETE FROM t WHERE id = 2', 'finds no such row', 'DELETE FROM t WHERE id = 2'],
    ['an insert', "INSERT INTO t VALUES (9, 9, 'n')", 'already there', "INSERT INTO t VALUES (9, 8, 'theirs')"],
    [
      'another unique key',
      "INSERT INTO t VALUES (9, 9, 'n')",
      'same unique key',
      "INSERT INTO t VALUES (8, 9, 'theirs')",
    ],
  ])('%s that the target contradicts halts, with everything before it applied', async (_, change, found, theirs) => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')");
    await s.carry();
    await server(vendor).query(`USE ${s.target}; ${theirs}`);
    await s.write("UPDATE t SET v = 'before' WHERE id = 1");
    const last = s.capture();
    await last;
    await s.write(`${change}`);
    await s.write("UPDATE t SET v = 'after' WHERE id = 1");
    const parts = [...(await last), ...(await s.capture())];
    const consumer = await s.consumer();
    await expect(consumer.apply(parts, never)).rejects.toMatchObject({
      code: 'TL-2201',
      message: expect.stringContaining(found),
    });
    const [row] = await server(vendor).query(`SELECT v FROM ${s.target}.t WHERE id = 1`);
    expect(row?.v).toBe('before');
  });

  test('where the source wins, rows are as the source has them', async () => {
    const collisions: RouteDefinition['collisions'] = { forTable: () => 'source', checksOldValues: () => false };
    await using s = await stage({ schema: plain, route: { collisions } });
    await s.write("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')");
    await s.carry();
    await server(vendor).query(
      `USE ${s.target}; DELETE FROM t WHERE id IN (1, 2); INSERT INTO t VALUES (7, 7, 'theirs')`,
    );
    await s.write(
      "BEGIN; UPDATE t SET v = 'x' WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (7, 70, 'ours'); COMMIT",
    );
    await s.carry();
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
  });

  describe('where the source wins, and has no key where the target has one', () => {
    const collisions: RouteDefinition['collisions'] = { forTable: () => 'source', checksOldValues: () => false };
    const apply = {
      groupRows: 1,
      groupTimeMs: 20,
      onError: 'halt',
      maxRowBytes: 2 ** 28,
      memoryBytes: 2 ** 27,
      lanes: 1,
    } as const;
    /** A table for each case, with the same two rows at both sides. */
    const cases = async (count: number) => {
      const columns = 'id int NOT NULL, v varchar(9), j json';
      const tables = (more: string) =>
        Array.from({ length: count }, (_, at) => `CREATE TABLE t${at} (${columns}${more})`).join('; ');
      const schemas = { schema: tables(''), targetSchema: tables(', PRIMARY KEY (id)') };
      const s = await stage({ ...schemas, route: { collisions, apply } });
      const filled = Array.from(
        { length: count },
        (_, at) => `INSERT INTO t${at} VALUES (1, 'a', '[1]'), (2, 'b', '[2]')`,
      );
      await s.write(filled.join('; '));
      await s.carry();
      return s;
    };

    const transactionsOf = (all: readonly string[]): string =>
      all.map((changes, at) => `BEGIN; ${changes.replaceAll(/\bt\b/g, `t${at}`)}; COMMIT`).join('; ');

    test('a row whose place another one takes first gets what its own change says', async () => {
      const all = [
        "INSERT INTO t VALUES (1, 'new', '{}'); DELETE FROM t WHERE v = 'a'",
        "INSERT INTO t VALUES (1, 'new', '{}'); UPDATE t SET v = 'newer' WHERE v = 'new'; UPDATE t SET id = 3, j = '[3]' WHERE v = 'a'; UPDATE t SET j = '[]' WHERE v = 'newer'",
        // Its own change takes the place of the next one.
        "INSERT INTO t VALUES (1, 'new', NULL); UPDATE t SET id = 2 WHERE v = 'a'; UPDATE t SET id = 4 WHERE v = 'b'",
        "INSERT INTO t VALUES (1, 'new', NULL); UPDATE t SET v = 'c' WHERE v = 'a'; DELETE FROM t WHERE v = 'c'",
        "INSERT INTO t VALUES (1, 'new', NULL); DELETE FROM t; INSERT INTO t VALUES (1, 'x', NULL)",
      ];
      await using s = await cases(all.length);
      await s.write(transactionsOf(all));
      const parts = await s.capture();
      const consumer = await s.consumer();
      // Whole, and in pieces of which only the first ones know of it.
      for (const part of [...parts.slice(0, 2), ...cut(parts.slice(2), 1)]) await consumer.apply([part], never);
      for (const [at, changes] of all.entries()) {
        const { source, target } = await s.rows(`t${at}`);
        expect(target, changes).toEqual(source);
      }
    });

    test('a row whose place another one takes and that has to come back does so where all of it is at hand, and halts in pieces; one that stays halts', async () => {
      const all = [
        "INSERT INTO t VALUES (1, 'new', NULL)",
        "INSERT INTO t VALUES (1, 'new', NULL); UPDATE t SET v = 'c' WHERE v = 'a'; DELETE FROM t WHERE v = 'new'",
        "INSERT INTO t VALUES (1, 'new', NULL); UPDATE t SET id = 5 WHERE v = 'new'",
        "INSERT INTO t VALUES (1, 'new', NULL), (1, 'third', NULL); DELETE FROM t WHERE v IN ('a', 'third')",
        // Keys that go round, of which each row's own change finds another one's.
        'UPDATE t SET id = 3 - id',
      ];
      await using s = await cases(all.length);
      await s.write(transactionsOf(all));
      const parts = (await s.capture()).filter(({ rows }) => rows > 0);
      expect(parts).toHaveLength(all.length);
      for (const [at, part] of parts.entries()) {
        const halted = async (given: readonly TransactionPart[]): Promise<void> => {
          const consumer = await s.consumer();
          await expect(consumer.apply(given, never), all[at]).rejects.toMatchObject({ code: 'TL-2201' });
          await consumer.close();
          const [row] = await server(vendor).query(`SELECT v FROM ${s.target}.t${at} WHERE id = 1`);
          expect(row?.v, all[at]).toBe('a');
        };
        await halted(cut([part], 1));
        if (at === 0) {
          await halted([part]);
          continue;
        }
        const consumer = await s.consumer();
        await consumer.apply([part], never);
        await consumer.close();
        const { source, target } = await s.rows(`t${at}`);
        expect(target, all[at]).toEqual(source);
      }
    });

    test('texts that are two at the source and one at the target are not taken for one row', async () => {
      const table = (collation: string) => `CREATE TABLE t (k varchar(9) COLLATE ${collation} PRIMARY KEY, v int)`;
      const texts = { schema: table('utf8mb4_bin'), targetSchema: table('utf8mb4_unicode_ci') };
      await using s = await stage({ ...texts, route: { collisions } });
      await s.write("INSERT INTO t VALUES ('a', 1)");
      await s.carry();
      await s.write("BEGIN; INSERT INTO t VALUES ('A', 2); DELETE FROM t WHERE k = 'a'; COMMIT");
      await s.carry();
      const { source, target } = await s.rows('t');
      expect(target).toEqual(source);
      await s.write("INSERT INTO t VALUES ('a', 3)");
      expect(await halts(s)).toMatchObject({ code: 'TL-2201', message: expect.stringContaining('may have both') });
    });
  });

  test('unique values that go round in a transaction go round at the target', async () => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')");
    await s.write(
      'BEGIN; UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 3; UPDATE t SET u = 3 WHERE id = 1; COMMIT',
    );
    await s.carry();
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
  });

  test('a lost answer to COMMIT is neither a lost nor a doubled group', async () => {
    await using s = await stage({ schema: 'CREATE TABLE t (a int)' });
    await s.write('INSERT INTO t VALUES (1), (1)');
    const parts = await s.capture();
    const consumer = await s.consumer();
    armFailpoints('commit.answerLost=1:throw');
    await expect(consumer.apply(parts, never)).rejects.toMatchObject({ recovery: 'retry' });
    armFailpoints('');
    const stored = await s.checkpoint();
    expect(stored.position).toBe(parts.findLast(({ commit, rows }) => commit !== null && rows > 0)?.commit?.position);
    expect((await s.rows('t')).target).toHaveLength(2);
  });

  test.each(['marker.before', 'marker.after', 'commit.before'] as const)(
    'a connection that is lost at %s leaves nothing of the group',
    async (point) => {
      await using s = await stage({ schema: 'CREATE TABLE t (a int)' });
      await s.write('INSERT INTO t VALUES (1), (2)');
      const parts = await s.capture();
      const before = await s.checkpoint();
      const consumer = await s.consumer();
      armFailpoints(`${point}=1:throw`);
      await expect(consumer.apply(parts, never)).rejects.toMatchObject({ recovery: 'retry' });
      armFailpoints('');
      consumer.abort();
      expect(await s.checkpoint()).toEqual(before);
      const again = await s.consumer();
      await again.apply(parts, never);
      expect((await s.rows('t')).target).toHaveLength(2);
    },
  );

  test('an engine whose epoch was raised writes nothing more', async () => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a')");
    const parts = await s.capture();
    const consumer = await s.consumer();
    await server(vendor).query(`UPDATE tidelock.routes SET epoch = epoch + 1 WHERE route_key = 'test/${s.route.name}'`);
    await expect(consumer.apply(parts, never)).rejects.toMatchObject({ recovery: 'fenced' });
    consumer.abort();
    expect((await s.rows('t')).target).toEqual([]);
  });

  test('whoever takes the route over ends the open transaction of the one before', async () => {
    await using s = await stage({ schema: plain });
    await s.write("BEGIN; INSERT INTO t VALUES (1, 1, 'a'); INSERT INTO t VALUES (2, 2, 'b'); COMMIT");
    const parts = cut(await s.capture(), 1);
    const consumer = await s.consumer();
    // Its transaction holds the route's row, and goes on.
    await consumer.apply(parts.slice(0, 1), never);
    const other = await s.end.state();
    const lease = await other.acquireLease({ supervisor: 'other', host: 'there', pid: 1 }, true);
    expect(lease).toMatchObject({ granted: true, epoch: s.epoch + 1n });
    await expect(consumer.apply(parts.slice(1), never)).rejects.toMatchObject({ recovery: 'retry' });
    await expect(s.store.renewLease(null)).rejects.toThrow();
    await other.close();
    expect((await s.rows('t')).target).toEqual([]);
  });

  test('what a lock of somebody else undoes is done again, once', async () => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b')");
    await s.carry();
    await s.write("UPDATE t SET v = 'x'");
    const parts = await s.capture();
    const consumer = await s.consumer();
    const theirs = await server(vendor).connect();
    await theirs.query(`BEGIN; SELECT * FROM ${s.target}.t WHERE id = 2 FOR UPDATE`);
    const applied = consumer.apply(parts, never);
    // Their lock outlasts innodb_lock_wait_timeout, which is a second here.
    const waited = performance.now();
    await theirs.query('DO SLEEP(1.6)');
    await theirs.query('COMMIT');
    await applied;
    await theirs.end();
    expect(performance.now() - waited).toBeGreaterThan(1_500);
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
    expect(consumer.counts()).toMatchObject({ groups: 1, transactions: 1 });
  });

  test('rows and statements keep to max_allowed_packet', async () => {
    await using s = await stage({ schema: 'CREATE TABLE t (id int PRIMARY KEY, b mediumblob, v longtext)' });
    const long = `REPEAT('it''s ü', 30000)`;
    await s.write(
      `INSERT INTO t VALUES (1, REPEAT('a', 300000), ''), (2, REPEAT('b', 300000), ${long}), (3, REPEAT('c', 300000), NULL), (4, 'd', ${long}), (6, NULL, 'it''s')`,
    );
    await server(vendor).query('SET GLOBAL max_allowed_packet = 1048576');
    try {
      await s.carry();
      // Short and long values beside each other in one list.
      await s.write("UPDATE t SET b = CONCAT(b, 'x'), v = REVERSE(v)");
      await s.carry();
      const { source, target } = await s.rows('t');
      expect(target).toEqual(source);
      await s.write(`INSERT INTO t VALUES (5, REPEAT('e', 900000), NULL)`);
      expect(await halts(s)).toMatchObject({
        code: 'TL-2133',
        remedy: expect.stringContaining('SET GLOBAL max_allowed_packet'),
      });
    } finally {
      await server(vendor).query('SET GLOBAL max_allowed_packet = 16777216');
    }
  });

  test('of rows that a message takes each is sent, however they lie beside each other', async () => {
    await using s = await stage({ schema: 'CREATE TABLE t (id int PRIMARY KEY, v longtext)' });
    await s.write("INSERT INTO t VALUES (1, REPEAT('a', 250000)), (2, REPEAT('b', 900000)), (3, REPEAT('ü', 450000))");
    await s.write('UPDATE t SET v = REVERSE(v), id = id + 10');
    await s.write('UPDATE t SET id = id + 10 WHERE id < 13');
    await server(vendor).query('SET GLOBAL max_allowed_packet = 1048576');
    try {
      await s.carry();
      const { source, target } = await s.rows('t');
      expect(target).toEqual(source);
    } finally {
      await server(vendor).query('SET GLOBAL max_allowed_packet = 16777216');
    }
  });

  test.each([
    ['a NULL', 'n int NULL', 'n int NOT NULL AUTO_INCREMENT UNIQUE', '5', 'NULL'],
    ['a time that is NULL', 'n timestamp NULL', 'n timestamp NOT NULL', "'2020-01-01 00:00:00'", 'NULL'],
    ...(vendor === 'mysql'
      ? [
          [
            'a long number of a document',
            'n json',
            'n json',
            'JSON_ARRAY(1.5e0, 18446744073709551615)',
            "JSON_OBJECT('a', 1234567890123456789.123)",
          ],
        ]
      : []),
  ])('%s that the target would store as something else halts at its change', async (_, here, there, fits, unfit) => {
    const table = (column: string): string => `CREATE TABLE t (id int PRIMARY KEY, ${column})`;
    await using s = await stage({ schema: table(here as string), targetSchema: table(there as string) });
    await s.write(`INSERT INTO t VALUES (1, ${fits})`);
    await s.write(`INSERT INTO t VALUES (2, ${unfit})`);
    expect(await halts(s)).toMatchObject({ code: 'TL-2135', message: expect.stringContaining('.t.n') });
    expect((await s.rows('t')).target).toHaveLength(1);
  });

  test('what a cluster or a limit of time undoes is done again: at once, or with the next session', async () => {
    await using s = await stage({
      schema: plain,
      route: { allow: ['targetTriggers'] } as Partial<RouteDefinition>,
    });
    const undo = (errno: number): string =>
      `CREATE OR REPLACE TRIGGER ${s.target}.g BEFORE INSERT ON ${s.target}.t FOR EACH ROW BEGIN
         SET @tries = IFNULL(@tries, 0) + 1; IF @tries = 1 THEN SIGNAL SQLSTATE '40000' SET MYSQL_ERRNO = ${errno}; END IF; END`;
    const trigger = (errno: number): string =>
      vendor === 'mysql' ? undo(errno).replace('CREATE OR REPLACE', 'CREATE') : undo(errno);
    await server(vendor).query(trigger(3101));
    await s.write("INSERT INTO t VALUES (1, 1, 'a')");
    await s.carry();
    expect((await s.rows('t')).target).toHaveLength(1);
    await server(vendor).query(`DROP TRIGGER ${s.target}.g`);
    await server(vendor).query(trigger(1969));
    await s.write("INSERT INTO t VALUES (2, 2, 'b')");
    expect(await halts(s)).toMatchObject({ recovery: 'retry' });
  });

  test('a user has what the printed statements grant, and each that is missing is an error of the preflight', async () => {
    const user = `u${++users}`;
    await server(vendor).query(`CREATE USER ${user}@'%'`);
    const route = { to: as(server(vendor), user) };
    await using s = await stage({ schema: `${plain}; GRANT ALL ON \`tidelock\`.* TO ${user}@'%'`, route });
    await s.write("INSERT INTO t VALUES (1, 1, 'a')");
    const parts = await s.capture();
    const tables = parts.flatMap(({ changes }) =>
      changes.flatMap((change) => (change.kind === 'insert' ? [change.table] : [])),
    );
    await server(vendor).query(`REVOKE ALL ON \`tidelock\`.* FROM ${user}@'%'`);
    const inspector = mysqlInspector({ ...server(vendor).node, name: 'target' });
    const use = { sources: [], targets: [{ route: s.route, tables }] };
    for (let attempt = 0; attempt < 10; attempt++) {
      const { grants } = await inspector.grants(use, user);
      const [next] = grants.filter(({ held }) => !held);
      if (next === undefined) break;
      const found = await s.end.preflight(tables).catch((error: unknown) => [{ level: 'error', code: String(error) }]);
      expect(found).toContainEqual(expect.objectContaining({ level: 'error' }));
      await server(vendor).query(next.statement);
    }
    expect(await s.end.preflight(tables)).toEqual([]);
    // So are settings under which nothing could be written, or would have to last.
    await server(vendor).query('SET GLOBAL read_only = 1, GLOBAL innodb_flush_log_at_trx_commit = 2');
    const settings = await s.end.preflight(tables);
    expect(settings.map(({ code }) => code)).toEqual(['TL-2131', 'TL-2132']);
    for (const { statement = '' } of settings) await server(vendor).query(statement);
    expect(await s.end.preflight(tables)).toEqual([]);
    const consumer = await s.consumer();
    await consumer.apply(parts, never);
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
    await expect(inspector.routesLeft('test')).resolves.toContainEqual(
      expect.objectContaining({ name: s.route.name, parts: ['state'], usedBy: expect.stringContaining('here') }),
    );
  });

  test('init looks at the server, whichever scheme its address has, and writes a file that check understands', async () => {
    await server(vendor).query(
      'CREATE DATABASE surveyed; CREATE TABLE surveyed.t (id int PRIMARY KEY); CREATE TABLE surveyed.log (line text); CREATE VIEW surveyed.v AS SELECT 1 AS one',
    );
    const cwd = mkdtempSync(join(tmpdir(), 'tidelock-init-'));
    try {
      const written = { out: '', err: '' };
      const stream = (name: 'out' | 'err') =>
        ({ isTTY: false, write: (text: string) => (written[name] += text) }) as unknown as NodeJS.WriteStream;
      const url = server(vendor).url().replace(`${vendor}:`, 'mysql:');
      const given = [
        '--source',
        '${A}',
        '--target',
        '${A}',
        '--tables',
        'surveyed.*',
        '--user',
        'mover',
        '--yes',
        '--json',
      ];
      const line = { env: { A: url }, cwd, out: stream('out'), err: stream('err') };
      const code = await main(['node', 'tidelock', 'init', ...given], line);
      expect({ code, err: written.err }).toEqual({ code: 0, err: '' });
      const document = JSON.parse(written.out) as InitDocument;
      expect(document.routes).toEqual([`${vendor}-to-${vendor}-copy`]);
      expect(document.variables.map(({ example }) => example)).toContain(
        `${vendor}://mover:PASSWORD@127.0.0.1:${server(vendor).port}`,
      );
      const text = readFileSync(join(cwd, 'tidelock.yaml'), 'utf8');
      expect(text).toContain(`type: ${vendor}, url: "\${A}"`);
      expect(text).toMatch(/- "surveyed\.\*" # 2 tables, /);
      expect(text).toContain('- surveyed.v # view: not in the change queue');
      expect(document.grants.flatMap(({ grants }) => grants.map(({ statement }) => statement))).toContain(
        "GRANT SELECT ON `surveyed`.`t` TO 'mover'@'%';",
      );
    } finally {
      rmSync(cwd, { recursive: true });
      await server(vendor).query('DROP DATABASE surveyed');
    }
  });

  test('TRUNCATE takes its place among the rows', async () => {
    await using s = await stage({ schema: plain });
    await s.write("INSERT INTO t VALUES (1, 1, 'a'); TRUNCATE t; INSERT INTO t VALUES (1, 5, 'b')");
    await s.carry();
    const { source, target } = await s.rows('t');
    expect(target).toEqual(source);
    expect(target).toHaveLength(1);
  });

  test.each([
    ['a table without transactions', 'CREATE TABLE t (id int PRIMARY KEY) ENGINE = MyISAM', 'TL-2130'],
    ['a column that is narrower', 'CREATE TABLE t (id smallint PRIMARY KEY)', 'TL-2104'],
    [
      'a trigger',
      'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE log (id int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW INSERT INTO log VALUES (1)',
      'TL-2108',
    ],
    ['a column that must be filled', 'CREATE TABLE t (id int PRIMARY KEY, x int NOT NULL)', 'TL-2103'],
    ['a generated column', 'CREATE TABLE t (o int, id int GENERATED ALWAYS AS (o) STORED)', 'TL-2105'],
    ['no table', 'CREATE TABLE other (id int PRIMARY KEY)', 'TL-2101'],
  ])(
    '%s at the target halts before anything is written, and is told by the preflight',
    async (_, targetSchema, code) => {
      await using s = await stage({ schema: 'CREATE TABLE t (id int PRIMARY KEY)', targetSchema });
      await s.write('INSERT INTO t VALUES (1)');
      const parts = await s.capture();
      const consumer = await s.consumer();
      await expect(consumer.apply(parts, never)).rejects.toMatchObject({ code });
      const tables = parts.flatMap(({ changes }) =>
        changes.flatMap((change) => (change.kind === 'insert' ? [change.table] : [])),
      );
      expect(await s.end.preflight(tables)).toMatchObject([{ level: 'error', code }]);
    },
  );

  describe('transactions that are set aside', () => {
    const apply = {
      groupRows: 5_000,
      groupTimeMs: 0,
      onError: 'park' as const,
      maxRowBytes: 1e8,
      memoryBytes: 1e8,
      lanes: 1,
    };
    const schema = `CREATE TABLE p (id int PRIMARY KEY, code varchar(10) UNIQUE, note varchar(20));
      CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id));`;
    const rows = "INSERT INTO p VALUES (1, 'a', ''), (2, 'b', ''), (3, 'c', ''); INSERT INTO c VALUES (11, 1), (13, 3)";

    /** What the target refuses from now on. */
    const refuse = (s: MysqlStage) =>
      s.to.query(`ALTER TABLE ${s.target}.p ADD CONSTRAINT refuses CHECK (note <> 'bad')`);
    const mend = (s: MysqlStage) => s.to.query(`ALTER TABLE ${s.target}.p DROP CONSTRAINT refuses`);
    const ask = async (
      s: MysqlStage,
      consumer: Consumer,
      ids: number[] | null,
      action: 'retry' | 'discard' = 'retry',
      withEarlier = false,
    ) => {
      const request = await s.store.parked.ask({ action, ids, withEarlier, reason: 'a test', askedBy: 'test' });
      await consumer.carryOut(never);
      return await s.store.parked.outcome(request);
    };
    const causes = async (s: MysqlStage): Promise<string[]> => (await s.store.parked.list()).map(({ cause }) => cause);
    const equal = async (s: MysqlStage): Promise<void> => {
      for (const table of ['p', 'c']) {
        const { source, target } = await s.rows(table);
        expect(target).toEqual(source);
      }
    };

    test.each([
      ['the same row', "UPDATE p SET note = 'bad' WHERE id = 2", "UPDATE p SET code = 'z' WHERE id = 2"],
      [
        'the unique value that it gives up',
        "UPDATE p SET code = 'z', note = 'bad' WHERE id = 2",
        "INSERT INTO p VALUES (4, 'b', '')",
      ],
      [
        'the unique value that it takes, in another case',
        "INSERT INTO p VALUES (4, 'd', 'bad')",
        "DELETE FROM p WHERE id = 4; INSERT INTO p VALUES (5, 'D', '')",
      ],
      ['a child of a parent that it makes', "INSERT INTO p VALUES (4, 'd', 'bad')", 'INSERT INTO c VALUES (14, 4)'],
      [
        'the end of a parent that its child pointed to',
        "BEGIN; UPDATE p SET note = 'bad' WHERE id = 2; DELETE FROM c WHERE id = 13; COMMIT",
        'DELETE FROM p WHERE id = 3',
      ],
      ['every row', "UPDATE p SET note = 'bad' WHERE id = 2", 'SET foreign_key_checks = 0; TRUNCATE c; TRUNCATE p'],
    ])('what touches %s waits behind, and goes through in its order', async (_, first, then) => {
      await using s = await stage({ schema, route: { apply } });
      await s.write(rows);
      await s.carry();
      await refuse(s);
      const consumer = await s.consumer();
      for (const statements of [first, `UPDATE p SET note = 'free' WHERE id = 1; ${then}`]) {
        await s.write(statements);
        await consumer.apply(await s.capture(), never);
      }
      const found = await causes(s);
      expect(found[0]).toBe('error');
      expect(found.slice(1).every((cause) => cause === 'behind')).toBe(true);
      expect(found.length).toBeGreaterThan(1);
      const free = await s.to.query(`SELECT note FROM ${s.target}.p WHERE id = 1`);
      expect(free).toEqual([{ note: 'free' }]);
      expect(consumer.parked()).toMatchObject({ count: found.length });
      expect(await s.store.read()).toMatchObject({ parked: { count: found.length } });
      // Still refused: it stays, and what waits for it waits.
      const [one] = await s.store.parked.list();
      expect(await ask(s, consumer, null)).toMatchObject({
        applied: [],
        failed: [{ id: one?.id, code: 'TL-2203' }],
        waiting: expect.any(Array),
      });
      await mend(s);
      expect(await ask(s, consumer, null)).toMatchObject({ failed: [], waiting: [] });
      await equal(s);
      expect(consumer.parked()).toEqual({ count: 0, since: null });
    });

    test('what touches nothing parked is applied; a new engine knows what is parked; one of several is retried with what it waits for', async () => {
      await using s = await stage({ schema, route: { apply } });
      await s.write(rows);
      await s.carry();
      await refuse(s);
      await s.write(
        "UPDATE p SET note = 'bad' WHERE id = 2; UPDATE p SET note = 'x' WHERE id = 2; UPDATE p SET note = 'bad', code = 'cc' WHERE id = 3; INSERT INTO c VALUES (12, 1)",
      );
      await s.carry();
      await s.write("UPDATE p SET code = 'bb' WHERE id = 2; INSERT INTO c VALUES (15, 1); DELETE FROM c WHERE id = 11");
      const consumer = await s.consumer();
      await consumer.apply(await s.capture(), never);
      expect(await causes(s)).toEqual(['error', 'behind', 'error', 'behind']);
      const load = {
        source: 'x',
        targets: [`${s.target}.c`],
        existing: 'refuse',
        key: ['id'],
        expectedRows: 1,
        expectedBytes: 1,
        where: null,
        job: 1,
      } as const;
      expect(await s.end.checkLoads([{ load, tables: [], telling: [], where: null }])).toMatchObject([
        { code: 'TL-2307' },
      ]);
      expect((await s.rows('c')).target).toEqual((await s.rows('c')).source);
      await mend(s);
      const [first, second, third, last] = (await s.store.parked.list()).map(({ id }) => id);
      expect(await s.store.parked.earlier([last as number])).toEqual([first, second]);
      expect(await ask(s, consumer, [last as number])).toMatchObject({ applied: [], waiting: [last] });
      expect(await ask(s, consumer, [last as number], 'retry', true)).toMatchObject({ applied: [first, second, last] });
      expect(await ask(s, consumer, [third as number], 'discard')).toMatchObject({ discarded: [third] });
      expect(await causes(s)).toEqual([]);
      await s.write("UPDATE p SET note = 'y' WHERE id = 2");
      await consumer.apply(await s.capture(), never);
      expect(await s.to.query(`SELECT code, note FROM ${s.target}.p WHERE id > 1 ORDER BY id`)).toEqual([
        { code: 'bb', note: 'y' },
        { code: 'c', note: '' },
      ]);
    });

    test.each(['park.written', 'commit.before', 'retry.taken'] as const)(
      'lost at %s nothing is parked twice, applied twice or gone',
      async (point) => {
        await using s = await stage({ schema, route: { apply } });
        await s.write(rows);
        await s.carry();
        await refuse(s);
        await s.write("INSERT INTO p VALUES (4, 'd', 'bad')");
        const parts = await s.capture();
        const lost = await s.consumer();
        if (point !== 'retry.taken') {
          armFailpoints(`${point}=1:throw`);
          await expect(lost.apply(parts, never)).rejects.toMatchObject({ recovery: 'retry' });
          armFailpoints('');
          lost.abort();
          expect(await causes(s)).toEqual([]);
          const other = await s.consumer();
          await other.apply(parts, never);
          await other.close();
        } else await lost.apply(parts, never);
        expect(await causes(s)).toEqual(['error']);
        await mend(s);
        if (point === 'retry.taken') {
          await s.store.parked.ask({ action: 'retry', ids: null, withEarlier: false, reason: null, askedBy: 'test' });
          armFailpoints('retry.taken=1:throw');
          await expect(lost.carryOut(never)).rejects.toMatchObject({ recovery: 'retry' });
          armFailpoints('');
          lost.abort();
          expect(await causes(s)).toEqual(['error']);
        } else
          await s.store.parked.ask({ action: 'retry', ids: null, withEarlier: false, reason: null, askedBy: 'test' });
        const again = await s.consumer();
        await again.carryOut(never);
        expect(await causes(s)).toEqual([]);
        await equal(s);
      },
    );

    test('what every row would be refused with halts, and nothing is set aside', async () => {
      await using s = await stage({ schema, route: { apply } });
      await s.write(rows);
      const consumer = await s.consumer();
      await consumer.apply(await s.capture(), never);
      await s.to.query(`ALTER TABLE ${s.target}.p ADD COLUMN later int NOT NULL`);
      await s.write("INSERT INTO p VALUES (4, 'd', '')");
      const error = await consumer.apply(await s.capture(), never).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'TL-2203' });
      expect(await causes(s)).toEqual([]);
    });

    test('a transaction in many parts is set aside whole, with values of every kind', async () => {
      await using s = await stage({
        schema: `${schema} CREATE TABLE v (id int PRIMARY KEY, b varbinary(20), j json, d decimal(20,5), t longtext, f float);`,
        route: { apply: { ...apply, groupRows: 2 } },
      });
      await s.write(rows);
      await s.carry();
      await refuse(s);
      await s.write(`BEGIN; INSERT INTO v VALUES (1, x'00ff27', '{"a": 1.10}', -0.5, REPEAT('ü''', 700000), 0.1), (2, '', NULL, NULL, '', -1e30);
        INSERT INTO c VALUES (20, 1), (21, 1), (22, 2); UPDATE p SET note = 'bad' WHERE id = 2; DELETE FROM c WHERE id = 20; COMMIT`);
      const parts = cut(await s.capture(), 1);
      const first = await s.consumer();
      await expect(first.apply(parts, never)).rejects.toMatchObject({ code: targetErrors.readAgain.code });
      await first.close();
      const consumer = await s.consumer();
      await consumer.apply(parts, never);
      expect(await causes(s)).toEqual(['error']);
      expect((await s.rows('v')).target).toEqual([]);
      await mend(s);
      expect(await ask(s, consumer, null)).toMatchObject({ failed: [], waiting: [] });
      await equal(s);
      expect((await s.rows('v')).target).toEqual((await s.rows('v')).source);
    });

    test('a route that halts names the transaction, and goes on behind it once somebody skips it', async () => {
      await using s = await stage({ schema, route: { apply: { ...apply, onError: 'halt' } } });
      await s.write(rows);
      await s.carry();
      await refuse(s);
      await s.write("UPDATE p SET note = 'bad' WHERE id = 2; UPDATE p SET note = 'free' WHERE id = 1");
      const parts = await s.capture();
      const halted = await s.consumer();
      const error: TidelockError = await halted.apply(parts, never).catch((reason) => reason);
      const { transaction } = error.place as { transaction: { id: string; position: Position } };
      expect(error).toMatchObject({
        code: 'TL-2203',
        remedy: expect.stringContaining(`tidelock skip ${s.route.name} --transaction ${transaction.id}`),
      });
      await halted.close();
      const { code, message, remedy } = error;
      await s.store.parked.skip({
        transaction: transaction.id,
        position: transaction.position,
        code,
        message,
        remedy,
        reason: 'known',
        askedBy: 'test',
      });
      const from = await s.checkpoint();
      const consumer = await s.consumer();
      const at = parts.findIndex(({ commit }) => commit?.position === from.position);
      await consumer.apply(parts.slice(at + 1), never);
      expect(await s.store.parked.list()).toMatchObject([
        { cause: 'skip', reason: 'known', transaction: transaction.id },
      ]);
      expect(await s.to.query(`SELECT note FROM ${s.target}.p ORDER BY id`)).toEqual([
        { note: 'free' },
        { note: '' },
        { note: '' },
      ]);
      await mend(s);
      expect(await ask(s, consumer, null)).toMatchObject({ failed: [], waiting: [] });
      await equal(s);
    });
  });
});

test('what a cascade does at MariaDB, which logs nothing of it, it does at the target', async () => {
  await using s = await mysqlStage(server('mariadb'), server('mysql'), {
    schema: `CREATE TABLE p (id int PRIMARY KEY, v int); CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  });
  await s.write('INSERT INTO p VALUES (1, 0), (2, 0), (3, 0); INSERT INTO c VALUES (10, 1), (20, 2), (30, 3)');
  await s.write(
    'BEGIN; DELETE FROM p WHERE id = 1; INSERT INTO p VALUES (1, 5); UPDATE p SET id = 9 WHERE id = 2; COMMIT',
  );
  await s.write('INSERT INTO c VALUES (11, 1), (21, 9); DELETE FROM p WHERE id = 3');
  await s.carry();
  for (const table of ['p', 'c']) {
    const { source, target } = await s.rows(table);
    expect(target).toEqual(source);
  }
});

test('what is written at MariaDB with foreign keys switched off is neither checked nor followed by a cascade', async () => {
  await using s = await mysqlStage(server('mariadb'), server('mysql'), {
    schema: `CREATE TABLE p (id int PRIMARY KEY, v int); CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
  });
  const same = async (): Promise<void> => {
    for (const table of ['p', 'c']) {
      const { source, target } = await s.rows(table);
      expect(target).toEqual(source);
    }
  };
  await s.write('INSERT INTO p VALUES (1, 0), (2, 0), (3, 0); INSERT INTO c VALUES (10, 1), (20, 2), (30, 3)');
  await s.write(
    `BEGIN; INSERT INTO c VALUES (11, 1); SET foreign_key_checks = 0; DELETE FROM p WHERE id = 1; INSERT INTO c VALUES (99, 77); UPDATE p SET id = 8 WHERE id = 2;
     SET foreign_key_checks = 1; DELETE FROM p WHERE id = 3; COMMIT`,
  );
  await s.carry();
  await same();
  await s.write('INSERT INTO p VALUES (4, 0); INSERT INTO c VALUES (40, 4); SET foreign_key_checks = 0; TRUNCATE p');
  await s.write('INSERT INTO p VALUES (5, 0); INSERT INTO c VALUES (50, 5); DELETE FROM p WHERE id = 5');
  await s.carry();
  await same();
});

test('what is set aside of rows that were written with foreign keys switched off is retried with them switched off', async () => {
  await using s = await mysqlStage(server('mariadb'), server('mysql'), {
    schema: `CREATE TABLE p (id int PRIMARY KEY, note varchar(20)); CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)`,
    route: {
      apply: { groupRows: 5_000, groupTimeMs: 0, onError: 'park', maxRowBytes: 1e8, memoryBytes: 1e8, lanes: 1 },
    },
  });
  await s.write("INSERT INTO p VALUES (1, ''), (2, ''), (3, ''); INSERT INTO c VALUES (10, 1), (20, 2), (30, 3)");
  await s.carry();
  await s.to.query(`ALTER TABLE ${s.target}.p ADD CONSTRAINT refuses CHECK (note <> 'bad')`);
  await s.write(
    `BEGIN; UPDATE p SET note = 'bad' WHERE id = 3; SET foreign_key_checks = 0; DELETE FROM p WHERE id = 1; INSERT INTO c VALUES (99, 77); UPDATE p SET id = 8 WHERE id = 2;
     SET foreign_key_checks = 1; DELETE FROM p WHERE id = 3; COMMIT`,
  );
  const consumer = await s.consumer();
  await consumer.apply(await s.capture(), never);
  expect(await s.store.parked.list()).toHaveLength(1);
  await s.to.query(`ALTER TABLE ${s.target}.p DROP CONSTRAINT refuses`);
  await s.store.parked.ask({ action: 'retry', ids: null, withEarlier: false, reason: null, askedBy: 'test' });
  await consumer.carryOut(never);
  expect(await s.store.parked.list()).toEqual([]);
  for (const table of ['p', 'c']) {
    const { source, target } = await s.rows(table);
    expect(target).toEqual(source);
  }
});

test('rows that point to others of their own table are loaded, and one that points nowhere keeps the load from ending', async () => {
  await using s = await mysqlStage(server('mariadb'), server('mysql'), {
    schema: 'CREATE TABLE t (id int PRIMARY KEY, boss int, FOREIGN KEY (boss) REFERENCES t (id))',
  });
  await s.write('INSERT INTO t VALUES (1, NULL)');
  const [table] = (await s.capture()).flatMap(({ changes }) =>
    changes.flatMap((c) => (c.kind === 'insert' ? [c.table] : [])),
  );
  if (table === undefined) throw new Error('no row came');
  const { position, source } = await s.checkpoint();
  const load = async (rows: readonly Row[]): Promise<void> => {
    const loader = await s.end.loader({ epoch: s.epoch, sourceNode: 'source', position });
    try {
      await loader.sort([table]);
      await loader.begin([]);
      await loader.load(
        table,
        (async function* () {
          yield rows;
        })(),
      );
      await loader.commit(source, position, s.route.describe());
    } finally {
      await loader.abort();
    }
  };
  await expect(load([['1', '9']])).rejects.toMatchObject({ code: targetErrors.loadRefused.code });
  expect((await s.rows('t')).target).toEqual([]);
  await load([
    ['1', '2'],
    ['2', null],
    ['3', '3'],
  ]);
  expect((await s.rows('t')).target).toHaveLength(3);
});

test('what a cascade does at MySQL, which logs it, is not done twice', async () => {
  await using s = await mysqlStage(server('mysql'), server('mariadb'), {
    schema: `CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)`,
  });
  await s.write(
    'INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (10, 1), (11, 1), (20, 2); DELETE FROM p WHERE id = 1',
  );
  await s.carry();
  for (const table of ['p', 'c']) {
    const { source, target } = await s.rows(table);
    expect(target).toEqual(source);
  }
});
