import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConnectionSettings } from '../../../src/core/route.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';

let server: MysqlServer;
beforeAll(async () => {
  server = await startMysql({ vendor: 'mysql' });
});
afterAll(() => server[Symbol.asyncDispose]());

let databases = 0;

async function database(): Promise<string> {
  const name = `d${++databases}`;
  await server.query(`CREATE DATABASE ${name}; CREATE TABLE ${name}.t (id int PRIMARY KEY, v json)`);
  return name;
}

async function read(d: string, budgetBytes = 128_000_000, from = server.node): Promise<BinlogReading> {
  const { position, stored } = await endOf(server);
  const route = mysqlRoute({ node: from }, d);
  return new BinlogReading({ route, start: { position, lastCommit: null }, stored, budgetBytes });
}

async function caughtUp(reading: BinlogReading): Promise<void> {
  await reading.reached((await endOf(server)).position);
}

test('partial updates of JSON give the whole new document', async () => {
  const d = await database();
  await using reading = await read(d);
  const connection = await server.connect();
  await connection.query("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'");
  await connection.query(
    `INSERT INTO ${d}.t VALUES (1, '{"a": [1, 2, {"b": "c"}], "kk": {"x y": 1.5}, "z": "${'z'.repeat(500)}"}')`,
  );
  const updates = [
    `JSON_SET(v, '$.a[2].b', 'longer than before')`,
    `JSON_SET(v, '$.a[2].b', 'x')`,
    `JSON_REPLACE(v, '$.kk."x y"', CAST(1 AS JSON))`,
    `JSON_REMOVE(v, '$.a[0]')`,
    `JSON_SET(v, '$.new', JSON_OBJECT('b', 1, 'a', 2), '$.a', 'no array')`,
    `JSON_REMOVE(v, '$.kk', '$.new.b')`,
    `JSON_ARRAY_INSERT(JSON_SET(v, '$.a', CAST('[1]' AS JSON)), '$.a[0]', 0)`,
    `JSON_SET(v, '$."x y"', 1)`,
    // A member before others, and what is put behind the end of an array.
    `JSON_SET(v, '$.b', 1)`,
    `JSON_SET(v, '$.a[9]', 7)`,
    `v`,
    `NULL`,
  ];
  const shown: unknown[] = [];
  for (const update of updates) {
    await connection.query(`UPDATE ${d}.t SET v = ${update}, id = id + 1`);
    const [rows] = await connection.query(`SELECT CAST(v AS CHAR) AS v FROM ${d}.t`);
    shown.push((rows as { readonly v: string | null }[])[0]?.v);
  }
  await connection.end();
  await caughtUp(reading);
  expect(reading.rows.slice(1).map(([, v]) => v)).toEqual(shown);
});

test('tagged GTIDs are part of the position', async () => {
  const d = await database();
  const { position, stored } = await endOf(server);
  const connection = await server.connect();
  for (const [id, next] of ['AUTOMATIC:blue', 'AUTOMATIC', 'AUTOMATIC:red_2', 'AUTOMATIC:blue'].entries()) {
    await connection.query(`SET gtid_next = '${next}'`);
    await connection.query(`INSERT INTO ${d}.t VALUES (${id}, NULL)`);
  }
  await connection.query("SET gtid_next = 'AUTOMATIC'");
  await connection.end();
  const route = mysqlRoute(server, d);
  const first = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
  await first.until(() => first.rows.length >= 3);
  await first[Symbol.asyncDispose]();
  // From the commit of the third, whatever came since.
  const third = first.parts.filter(({ rows }) => rows > 0)[2]?.commit?.position;
  if (third === undefined) throw new Error('no third transaction');
  expect(third).toMatch(/:blue:1:red_2:1$/);
  await using second = new BinlogReading({ route, start: { position: third, lastCommit: null }, stored });
  await caughtUp(second);
  expect(second.rows).toEqual([['3', null]]);
  expect(second.checkpoint.position).toBe((await endOf(server)).position);
});

test('an XA transaction comes with its commit, over a restart, and leaves a hole until then', async () => {
  const d = await database();
  const { position, stored } = await endOf(server);
  const prepare = async (xid: string, id: number): Promise<void> => {
    const connection = await server.connect();
    await connection.query(
      `XA START '${xid}'; INSERT INTO ${d}.t VALUES (${id}, NULL); XA END '${xid}'; XA PREPARE '${xid}'`,
    );
    await connection.end();
  };
  await prepare('one', 1);
  await prepare('two', 2);
  await server.query(`INSERT INTO ${d}.t VALUES (3, NULL)`);
  const route = mysqlRoute(server, d);
  const before = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
  await before.until(() => before.rows.length > 0);
  expect(before.rows).toEqual([['3', null]]);
  // The definition that the first of them has met waits with it, perhaps for ever.
  const [told] = before.parts.filter(({ rows }) => rows > 0);
  expect(told?.changes.map(({ kind }) => kind)).toEqual(['schemaChange', 'insert']);
  expect(before.budget.usedBytes).toBeGreaterThan(0);
  await before[Symbol.asyncDispose]();
  expect(before.budget.usedBytes).toBe(0);
  await server.query(
    `XA ROLLBACK 'one'; XA COMMIT 'two'; INSERT INTO ${d}.t VALUES (4, NULL); XA START 'three'; INSERT INTO ${d}.t VALUES (5, NULL); XA END 'three'; XA COMMIT 'three' ONE PHASE`,
  );
  await using after = new BinlogReading({ route, start: before.checkpoint, stored });
  await caughtUp(after);
  expect(after.rows.map(([id]) => id)).toEqual(['2', '4', '5']);
  expect(after.budget.usedBytes).toBe(0);
});

test('an XA transaction that was prepared before the route began halts', async () => {
  const d = await database();
  await server.query(`XA START 'early'; INSERT INTO ${d}.t VALUES (1, NULL); XA END 'early'; XA PREPARE 'early'`);
  await using reading = await read(d);
  await server.query("XA COMMIT 'early'");
  expect(await reading.failure()).toMatchObject({ code: 'TL-3310' });
});

test('over TLS, with a user of the default authentication: the certificate is verified, and the socket is paused', async () => {
  const d = await database();
  await server.query(
    "CREATE USER IF NOT EXISTS replica IDENTIFIED BY 'secret'; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO replica",
  );
  const ca = readFileSync(join(server.dataDir, 'ca.pem'), 'utf8');
  const node = (tls: ConnectionSettings['tls'], password = 'secret') => ({
    ...server.node,
    connection: () => ({ ...server.node.connection(), user: 'replica', password, tls }),
  });
  const budgetBytes = 2_000_000;
  await using reading = await read(d, budgetBytes, node({ mode: 'verifyCa', ca }));
  const values = Array.from({ length: 5_000 }, (_, i) => `(${i}, '"${'x'.repeat(900)}"')`).join(', ');
  await server.query(`INSERT INTO ${d}.t VALUES ${values}`);
  await caughtUp(reading);
  expect(reading.rows).toHaveLength(5_000);
  expect(reading.budget.peakBytes).toBeLessThan(budgetBytes + 3_000_000);
  const codes = [
    [node({ mode: 'verifyCa' }), 'TL-5001'],
    // Of an address the certificate can't tell the name.
    [node({ mode: 'verifyFull', ca }), 'TL-5001'],
    [node({ mode: 'encrypt' }, 'wrong'), 'TL-5003'],
  ] as const;
  for (const [from, code] of codes) {
    await using refused = await read(d, budgetBytes, from);
    expect(await refused.failure()).toMatchObject({ code });
  }
});

test('without GTIDs a position is a file and a place in it, of this server only', async () => {
  const d = await database();
  for (const mode of ['ON_PERMISSIVE', 'OFF_PERMISSIVE', 'OFF']) await server.query(`SET GLOBAL gtid_mode = ${mode}`);
  const { position, stored } = await endOf(server);
  await server.query(
    `INSERT INTO ${d}.t VALUES (1, NULL); FLUSH BINARY LOGS; INSERT INTO ${d}.t VALUES (2, NULL), (3, NULL)`,
  );
  const route = mysqlRoute(server, d);
  const first = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
  await first.until(() => first.rows.length > 0);
  await first[Symbol.asyncDispose]();
  const afterFirst = first.parts.find(({ rows }) => rows > 0)?.commit?.position ?? position;
  await server.query(`BEGIN; INSERT INTO ${d}.t VALUES (4, NULL); COMMIT; TRUNCATE ${d}.t`);
  const second = new BinlogReading({ route, start: { position: afterFirst, lastCommit: null }, stored });
  await caughtUp(second);
  expect(second.rows.map(([id]) => id)).toEqual(['2', '3', '4']);
  expect(second.checkpoint.position).toBe((await endOf(server)).position);
  await second[Symbol.asyncDispose]();
  await using other = new BinlogReading({ route, start: second.checkpoint, stored: { ...stored, server: 'another' } });
  expect(await other.failure()).toMatchObject({ code: 'TL-3106' });
  await using gtids = new BinlogReading({
    route,
    start: { position: `${'1'.repeat(8)}-1111-1111-1111-111111111111:1` as never, lastCommit: null },
    stored,
  });
  expect(await gtids.failure()).toMatchObject({ code: 'TL-3303' });
  for (const mode of ['OFF_PERMISSIVE', 'ON_PERMISSIVE', 'ON']) await server.query(`SET GLOBAL gtid_mode = ${mode}`);
});
