import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import type { Row } from '../../../src/core/cell.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { seed } from '../../support/seed.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';
import { type ColumnCase, charsetCases, columnCases, Random, textOf } from './column-cases.ts';

const rowCount = 150;

describe.each(mysqlVendors)('on %s', (vendor) => {
  let server: MysqlServer;
  let connection: mysql.Connection;
  beforeAll(async () => {
    server = await startMysql({ vendor });
    // Zero dates, and characters that a charset has not, are values like others.
    connection = await server.connect({ multipleStatements: false });
    await connection.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    await connection.query('CREATE DATABASE d');
  });
  afterAll(async () => {
    await connection.end();
    await server[Symbol.asyncDispose]();
  });

  test('every type comes as SELECT shows it, in new and old images', async () => {
    await compare('types', columnCases(vendor));
  });

  test('text comes exactly in every charset of the server', async () => {
    await compare('texts', await charsetCases(connection, vendor));
  });

  test('names, types and the key come from the binlog itself', async () => {
    await connection.query(
      'CREATE TABLE d.named (`b``c` int, `ä ö` bigint unsigned, a char(3) NOT NULL, KEY (`b``c`), PRIMARY KEY (a, `ä ö`))',
    );
    const { position, stored } = await endOf(server);
    await connection.query("INSERT INTO d.named VALUES (1, 2, 'x')");
    await using reading = new BinlogReading({
      route: mysqlRoute(server, 'd'),
      start: { position, lastCommit: null },
      stored,
    });
    await reading.until(() => reading.rows.length === 1);
    expect(
      reading.changes[0]?.table.columns.map(({ name, type, key }) => [name, type.split(' collate')[0], key]),
    ).toEqual([
      ['b`c', 'int', false],
      ['ä ö', 'bigint unsigned', true],
      ['a', 'char(3)', true],
    ]);
  });

  /** Writes random rows, updates them, and compares both images with what SELECT showed in between. */
  async function compare(table: string, cases: readonly ColumnCase[]): Promise<void> {
    const random = new Random(seed);
    const columns = cases.map(({ definition }, i) => `c${i} ${definition}`);
    await connection.query(`CREATE TABLE d.${table} (id int PRIMARY KEY, ${columns.join(', ')}) ROW_FORMAT = DYNAMIC`);
    const { position, stored } = await endOf(server);
    for (let id = 0; id < rowCount; id++) {
      const values = cases.map((one) => (random.below(12) === 0 ? 'NULL' : one.literal(random, id)));
      await connection.query(`INSERT INTO d.${table} VALUES (${[id, ...values].join(', ')})`);
    }
    const shown = await select(table, cases);
    const loaded = await load(table);
    await connection.query(`UPDATE d.${table} SET id = id + 1000`);
    const end = await endOf(server);
    await using reading = new BinlogReading({
      route: mysqlRoute(server, 'd'),
      start: { position, lastCommit: null },
      stored,
    });
    await reading.reached(end.position);
    const inserted = reading.changes.flatMap((change) => (change.kind === 'insert' ? [change.after] : []));
    const updated = reading.changes.flatMap((change) => (change.kind === 'update' ? [change] : []));
    expectRows(inserted, shown, cases);
    // As a load reads them, from the tables as they were before the update.
    expect(loaded.toSorted((a, b) => Number(a[0]) - Number(b[0])).map((row) => row.map(textOf))).toEqual(
      inserted.map((row) => row.map(textOf)),
    );
    expectRows(
      updated.map(({ before }) => before ?? []),
      shown,
      cases,
    );
    expectRows(
      updated.map(({ after }) => after),
      shown,
      cases,
    );
  }

  async function load(name: string): Promise<Row[]> {
    const route = mysqlRoute(server, 'd');
    const snapshot = await mysqlSource({ route, logger: silentLogger }).createQueue(
      AbortSignal.timeout(30_000),
      async () => {},
    );
    const table = snapshot.tables.find((one) => one.name === name);
    const rows: Row[] = [];
    if (table !== undefined)
      for await (const batch of snapshot.read(table, AbortSignal.timeout(30_000))) rows.push(...batch);
    await snapshot.close();
    return rows;
  }

  async function select(table: string, cases: readonly ColumnCase[]): Promise<(string | null)[][]> {
    const expressions = cases.map(({ shown }, i) => (shown ?? ((column: string) => column))(`c${i}`));
    const [rows] = await connection.query({
      sql: `SELECT ${expressions.join(', ')} FROM d.${table} ORDER BY id`,
      rowsAsArray: true,
    });
    return rows as unknown as (string | null)[][];
  }
});

/** `rows` in the order of their ids; the first cell is the id. */
function expectRows(
  rows: readonly Row[],
  shown: readonly (readonly (string | null)[])[],
  cases: readonly ColumnCase[],
): void {
  expect(rows).toHaveLength(shown.length);
  const found = rows.map((row) => row.slice(1).map((cell, i) => (cases[i]?.read ?? textOf)(cell)));
  const wanted = shown.map((row) => row.map((text, i) => (text === null ? null : (cases[i]?.normal?.(text) ?? text))));
  for (const [i, one] of cases.entries())
    expect(
      found.map((row) => row[i]),
      one.definition,
    ).toEqual(wanted.map((row) => row[i]));
}
