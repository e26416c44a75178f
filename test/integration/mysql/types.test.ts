import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MysqlCompareSide } from '../../../connectors/mysql/compare/mysql-compare-side.ts';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import type { Row } from '../../../src/core/cell.ts';
import type { ComparedShape, ListedRow, RowHash } from '../../../src/core/compare-side.ts';
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
      'CREATE TABLE d.named (`b``c` int, `ä ö` bigint unsigned, a char(3) NOT NULL, d double(10,2), e float(7,4) unsigned, KEY (`b``c`), PRIMARY KEY (a, `ä ö`))',
    );
    const { position, stored } = await endOf(server);
    await connection.query("INSERT INTO d.named VALUES (1, 2, 'x', 1.255, 2.5)");
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
      // Which the catalogue knows.
      ['d', 'double(10,2)', false],
      ['e', 'float(7,4) unsigned', false],
    ]);
  });

  test('a compare tells every row, whatever the columns are called', async () => {
    const names = ['number of the row', 'b', 't', 'n', '1'];
    const columns = names.map((name) => `\`${name}\` int NOT NULL`);
    await connection.query(`CREATE TABLE d.called (${columns.join(', ')}, PRIMARY KEY (\`number of the row\`))`);
    const ids = Array.from({ length: 100 }, (_, id) => id);
    await connection.query(`INSERT INTO d.called VALUES ${ids.map((id) => `(${id}, ${id}, 1, 1, 1)`).join(', ')}`);
    const route = mysqlRoute(server, 'd');
    const { signal } = new AbortController();
    const side = new MysqlCompareSide({ side: 'source', node: route.from, route, signal });
    const table = { schema: 'd', name: 'called' };
    await side.tables([table]);
    const hash: RowHash = { kind: 'server', seed: '4711' };
    const shape: ComparedShape = {
      table,
      key: ['number of the row'],
      columns: names.map((name) => ({ name, form: 'text' })),
      condition: null,
    };
    const rows = ids.map((id): Row => [id, id, 1, 1, 1].map(String));
    const expected = new Map<number, { rows: number; sum: bigint }>();
    for (const { bucket, hash: own } of await side.listGiven(shape, hash, { rows, buckets: 4 })) {
      const { rows: count, sum } = expected.get(bucket) ?? { rows: 0, sum: 0n };
      expected.set(bucket, { rows: count + 1, sum: sum + BigInt(own) });
    }
    const digests = await side.bucketDigests(shape, hash, 4);
    expect(
      new Map([...digests].map(([bucket, { rows: count, sum }]) => [bucket, { rows: count, sum: BigInt(sum) }])),
    ).toEqual(expected);
    expect(await side.boundaries(shape, { after: null, to: null }, 25)).toEqual([['24'], ['49'], ['74'], ['99']]);
    await side.close();
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
    await expectHashes(table, { ids: loaded, cases });
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

  /** What the server computes of each column is what is computed here of its cells: so both vendors compute the same. */
  async function expectHashes(
    name: string,
    { ids, cases }: { readonly ids: readonly Row[]; readonly cases: readonly ColumnCase[] },
  ): Promise<void> {
    const route = mysqlRoute(server, 'd');
    const side = new MysqlCompareSide({
      side: 'source',
      node: route.from,
      route,
      signal: new AbortController().signal,
    });
    const table = { schema: 'd', name };
    await side.tables([table]);
    const hash: RowHash = { kind: 'server', seed: '4711' };
    const shapeOf = (columns: readonly string[]): ComparedShape => ({
      table,
      key: ['id'],
      columns: columns.map((column) => ({ name: column, form: 'text' })),
      condition: null,
    });
    const everything = { after: null, to: null };
    const isParsed = (i: number): boolean => vendor === 'mysql' && cases[i]?.definition === 'json';
    for (const [i, { definition }] of cases.entries()) {
      const shape = shapeOf(['id', `c${i}`]);
      const all = ids.map((row): Row => [row[0] ?? null, row[i + 1] ?? null]);
      const made = await side.rowsGiven(shape, all);
      // Of values of SQL in a document its text tells less: stored again 1.10 is 1.1, which is what a target would have.
      const rows = isParsed(i) ? all.filter(([id, cell]) => made.get(`["${String(id)}"]`)?.[1] === cell) : all;
      expect(rows.length, definition).toBeGreaterThan(ids.length / 2);
      const given = await side.listGiven(shape, hash, { rows, buckets: 16 });
      const known = new Set(given.map(({ key }) => key[0]));
      const listed = (await side.list(shape, hash, everything)).filter(({ key }) => known.has(key[0]));
      expect(sorted(listed), definition).toEqual(sorted(given.map(({ key, hash: own }) => ({ key, hash: own }))));
      const shown = await side.rows(
        shape,
        given.map(({ key }) => key),
      );
      expect(shown.size).toBe(rows.length);
      for (const [key, row] of shown) expect(row, definition).toEqual(made.get(key));
    }
    const exact = cases.flatMap((_, i) => (isParsed(i) ? [] : [i]));
    const whole = shapeOf(['id', ...exact.map((i) => `c${i}`)]);
    const rows = ids.map((row): Row => [row[0] ?? null, ...exact.map((i) => row[i + 1] ?? null)]);
    const given = await side.listGiven(whole, hash, { rows, buckets: 16 });
    const sum = given.reduce((total, row) => total + BigInt(row.hash), 0n);
    expect(await side.digest(whole, hash, everything)).toEqual({ rows: ids.length, sum: sum.toString() });
    const buckets = new Map<number, number>();
    for (const { bucket } of given) buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    const digests = await side.bucketDigests(whole, hash, 16);
    expect(new Map([...digests].map(([bucket, { rows }]) => [bucket, rows]))).toEqual(buckets);
    await side.close();
  }

  async function load(name: string): Promise<Row[]> {
    const route = mysqlRoute(server, 'd');
    const snapshot = await mysqlSource({ route, logger: silentLogger }).createQueue(
      AbortSignal.timeout(60_000),
      async () => {},
    );
    const table = snapshot.tables.find((one) => one.name === name);
    const rows: Row[] = [];
    if (table !== undefined)
      for await (const batch of snapshot.read(table, AbortSignal.timeout(60_000))) rows.push(...batch);
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

function sorted(rows: readonly ListedRow[]): ListedRow[] {
  return rows.toSorted((a, b) => Number(a.key[0]) - Number(b.key[0]));
}

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
