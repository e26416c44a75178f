import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MysqlCompareSide } from '../../../connectors/mysql/compare/mysql-compare-side.ts';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import { configuredExpression } from '../../../src/config/configured-expression.ts';
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

  test('a condition is true of the same rows at the server as in the language', async () => {
    const uuid = vendor === 'mariadb' ? ', u uuid' : '';
    await connection.query(`CREATE TABLE d.chosen (id int PRIMARY KEY, n bigint unsigned, i smallint, m decimal(12,3), f float, g double, s varchar(20) COLLATE utf8mb4_general_ci,
      c char(6) CHARACTER SET latin1, e enum('a', 'B', ''), day date, at datetime(3), ts timestamp(6) NULL, b varbinary(20), k binary(3), y year${uuid})`);
    const random = new Random(seed);
    const texts = ["''", "'a'", "'A'", "'a '", "'ä'", "'ß'", "'ss'", "'it''s'", "'\\\\'", "'10'"];
    const pick = (...values: readonly string[]) => random.pick(['NULL', ...values, ...values]);
    const rows = Array.from({ length: 250 }, (_, id) =>
      [
        id,
        pick('0', '7', '18446744073709551615', String(random.below(30))),
        pick('0', '-1', '-32768', '32767', String(random.below(30) - 15)),
        pick('0', '0.5', '-0.500', '999999999.999', '7'),
        pick('0', '0.1', '-0.1', '3.4028235e38', '16777216', '7'),
        pick('0', '0.1', '1e22', '-1.7976931348623157e308', '7'),
        pick(...texts),
        pick(...texts),
        pick("'a'", "'B'", "''"),
        pick("'2026-11-01'", "'1000-01-01'", "'9999-12-31'"),
        pick("'2026-11-01 00:00:00'", "'2026-10-31 23:59:59.999'", "'1999-12-31 12:00:00.5'"),
        pick("'2026-11-01 00:00:00'", "'2026-11-01 00:00:00.000001'", "'1999-12-31 12:00:00'"),
        pick("x''", "x'00'", "x'6100'", "x'61'"),
        pick("x'61'", "x'610000'", "x''"),
        pick('0', '1999', '2005', '2050', '2155'),
        ...(vendor === 'mariadb' ? [pick("'0b4d1f0e-8a3c-4c52-9d61-5f6f6f1b2a3c'")] : []),
      ].join(', '),
    );
    await connection.query(`INSERT INTO d.chosen VALUES (${rows.join('), (')})`);
    const simple = [
      ...[
        'n = 7',
        'n > 9223372036854775807',
        'n < -1',
        'n % 3 = 1',
        'n IN (0, 7.0)',
        'i % 4 <> -3',
        '7 >= i',
        "i = '7'",
      ],
      ...['i BETWEEN -2 AND 3', 'i NOT BETWEEN -2 AND 3', 'm = 0.5', 'm <= -0.5', 'm > 1e2', 'f = 0.1', "f = '0.1'"],
      ...[
        'f > 16777216',
        'g = 0.1',
        'g >= 1e22',
        'g < -1e300',
        "s = 'a'",
        "s = ''",
        "s <> 'ä'",
        "s IN ('ss', 'it''s')",
      ],
      ...[
        "s = 'a '",
        "c = 'a'",
        "c = 'ä'",
        "s = E'\\\\'",
        "e = 'B'",
        "e <> ''",
        "e IN ('a', 'b')",
        "s IS DISTINCT FROM 'A'",
      ],
      ...["s IS NOT DISTINCT FROM 'a'", 'g IS NULL', 's IS NOT NULL', "day >= '2026-11-01'", "day = date '1000-01-01'"],
      ...[
        "at > '2026-10-31 23:59:59.998'",
        "at < timestamp '2026-11-01'",
        "ts <= '2026-11-01 00:00:00'",
        "ts >= '2026-11-01T01:00:00+01'",
      ],
      ...[
        "b = '\\x6100'",
        "b <> '\\x'",
        "k = '\\x610000'",
        'y < 50',
        'y = 5',
        'y <> 2005',
        'y >= 99',
        'y IN (0, 2050)',
        'y IS DISTINCT FROM 5',
        ...(vendor === 'mariadb' ? ["u = '0B4D1F0E8A3C4C529D615F6F6F1B2A3C'"] : []),
      ],
    ];
    const joined = Array.from({ length: 60 }, () => {
      const [a, b, c] = [random.pick(simple), random.pick(simple), random.pick(simple)];
      return random.pick([
        `NOT (${a})`,
        `(${a}) AND NOT (${b})`,
        `(${a}) OR (${b}) AND (${c})`,
        `NOT ((${a}) OR (${b}))`,
      ]);
    });
    const route = { ...mysqlRoute(server, 'd'), to: server.node };
    const side = new MysqlCompareSide({
      side: 'source',
      node: server.node,
      route,
      signal: new AbortController().signal,
    });
    try {
      const table = { schema: 'd', name: 'chosen' };
      const [described] = await side.tables([table]);
      const columns = (described?.columns ?? []).map(({ name, type }) => ({ name, type, modifier: -1, key: false }));
      const cells: Row[] = [];
      const shape: ComparedShape = { table, key: ['id'], columns: [], condition: null };
      for await (const batch of side.read(
        shape,
        columns.map(({ name }) => name),
        { after: null, to: null },
      ))
        cells.push(...batch);
      expect(cells).toHaveLength(rows.length);
      await import('../../../src/expression/load-parser.ts');
      for (const text of [...simple, ...joined]) {
        const expression = configuredExpression(text);
        const bound = expression.bind({ route: 'r', table: 'd.chosen', columns, as: 'condition' });
        const plain = expression.plain(columns);
        expect(plain, text).not.toBeNull();
        const sql = await side.condition({ table, text, plain, names: new Map() });
        const [found] = await connection.query<mysql.RowDataPacket[]>(
          `SELECT t.id FROM d.chosen AS t WHERE ${sql} ORDER BY t.id`,
        );
        const expected = cells.filter((row) => bound.isTrue(row)).map(([id]) => Number(id));
        expect(
          found.map(({ id }) => Number(id)),
          text,
        ).toEqual(expected.sort((a, b) => a - b));
      }
      for (const text of ["s > 'a'", "lower(s) = 'a'", 'n = i', "s LIKE 'a%'", 'f IN (0.1, 7)', 'n + 1 = 2']) {
        const expression = configuredExpression(text);
        expression.bind({ route: 'r', table: 'd.chosen', columns, as: 'condition' });
        const plain = expression.plain(columns);
        await expect(side.condition({ table, text, plain, names: new Map() }), text).rejects.toMatchObject({
          code: 'TL-5010',
        });
      }
    } finally {
      await side.close();
    }
  });

  test('names, types and the key come from the binlog itself', async () => {
    // For the one index MySQL has a column that is hidden, for the other MariaDB, which logs it.
    const hidden = vendor === 'mysql' ? ', KEY ((lower(a)))' : ', l text UNIQUE';
    await connection.query(
      `CREATE TABLE d.named (\`b\`\`c\` int, \`ä ö\` bigint unsigned, a char(3) NOT NULL, d double(10,2), e float(7,4) unsigned,
        g int AS (1), KEY (\`b\`\`c\`), PRIMARY KEY (a, \`ä ö\`)${hidden})`,
    );
    const { position, stored } = await endOf(server);
    await connection.query("INSERT INTO d.named (`b``c`, `ä ö`, a, d, e) VALUES (1, 2, 'x', 1.255, 2.5)");
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
      ...(vendor === 'mysql' ? [] : [['l', 'text', false]]),
    ]);
    expect(reading.changes[0]?.table.generated).toEqual(['g']);
    expect(reading.rows[0]?.slice(0, 3)).toEqual(['1', '2', 'x']);
    expect(reading.rows[0]).toHaveLength(vendor === 'mysql' ? 5 : 6);
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
