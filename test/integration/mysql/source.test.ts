import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRows, readRowText } from '../../../connectors/mysql/catalogue/read-rows.ts';
import { canonicalColumn } from '../../../connectors/mysql/compare/canonical-text.ts';
import { MysqlCompareSide } from '../../../connectors/mysql/compare/mysql-compare-side.ts';
import type { RowWatch } from '../../../connectors/mysql/compare/row-watch.ts';
import { connectMysql, type MysqlSession } from '../../../connectors/mysql/connect.ts';
import { mysqlSource } from '../../../connectors/mysql/source/mysql-source.ts';
import { parseType } from '../../../connectors/mysql/target/column-kind.ts';
import type { Row } from '../../../src/core/cell.ts';
import { type ComparedShape, keyText } from '../../../src/core/compare-side.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { QueueSnapshot, Source } from '../../../src/core/source.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { Link } from '../../support/link.ts';
import { type MysqlServer, mysqlNodeAt, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { randomNumbers, seed } from '../../support/seed.ts';
import { until } from '../../support/until.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';

let databases = 0;
const never = new AbortController().signal;

describe.each(mysqlVendors)('on %s', (vendor) => {
  let server: MysqlServer;
  beforeAll(async () => {
    server = await startMysql({ vendor });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function database(): Promise<string> {
    const name = `s${++databases}`;
    await server.query(`CREATE DATABASE ${name}`);
    return name;
  }

  function source(route: RouteDefinition): Source {
    return mysqlSource({ route, logger: silentLogger });
  }

  async function rowsOf(snapshot: QueueSnapshot, table: TableVersion): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const batch of snapshot.read(table, never)) rows.push(...batch);
    return rows;
  }

  test.each(['cut', 'silence'] as const)(
    'a statement of a session that was closed ends, where the network then is lost (%s)',
    async (loss) => {
      await using link = await Link.to(server.port);
      const session = await connectMysql(mysqlNodeAt(() => link.port, vendor));
      const ended = expect(session.query(`SELECT SLEEP(60), '${loss}'`)).rejects.toMatchObject({ recovery: 'retry' });
      await until('the statement', async () => {
        const [row] = await server.query(
          `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%${loss}_'`,
        );
        return Number(row?.n) === 1;
      });
      session.close();
      link[loss]();
      await ended;
    },
  );

  test('a view that is opened under load and the stream behind it make each row once', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.a (id int PRIMARY KEY, v int); CREATE TABLE ${d}.b (id int PRIMARY KEY, v int)`,
    );
    const random = randomNumbers(seed);
    let isWriting = true;
    const writers = [0, 1, 2].map(async (writer) => {
      const connection = await server.connect();
      for (let id = writer; isWriting; id += 3) {
        await connection.query('BEGIN');
        for (const table of ['a', 'b']) await connection.query(`INSERT INTO ${d}.${table} VALUES (${id}, 0)`);
        const other = Math.floor(random() * id);
        await connection.query(`UPDATE ${d}.a SET v = v + 1 WHERE id = ${other - (other % 3) + writer}`);
        await connection.query(random() < 0.1 ? 'ROLLBACK' : 'COMMIT');
      }
      await connection.end();
    });
    const route = mysqlRoute(server, d);
    for (let round = 0; round < 4; round++) {
      const snapshot = await source(route).createQueue(never, async () => {});
      const found = new Map<string, Row>();
      for (const table of snapshot.tables)
        for (const row of await rowsOf(snapshot, table)) found.set(`${table.name} ${String(row[0])}`, row);
      await snapshot.close();
      if (round === 3) {
        isWriting = false;
        await Promise.all(writers);
      }
      await using reading = new BinlogReading({
        route,
        start: { position: snapshot.position, lastCommit: null },
        stored: snapshot.source,
      });
      const end = await endOf(server);
      await reading.reached(end.position);
      for (const change of reading.changes) {
        const key = `${change.table.name} ${String((change.kind === 'insert' ? change.after : change.before)?.[0])}`;
        // Nothing of what is in the view comes again, and nothing is missing.
        expect(found.has(key), key).toBe(change.kind !== 'insert');
        if (change.kind === 'update') expect(found.get(key)).toEqual(change.before);
        if (change.kind !== 'delete') found.set(key, change.after);
      }
      if (round < 3) continue;
      for (const table of ['a', 'b']) {
        const rows = await server.query(`SELECT id, v FROM ${d}.${table} ORDER BY id`);
        const made = [...found].filter(([key]) => key.startsWith(`${table} `)).map(([, row]) => row);
        expect(made.toSorted((x, y) => Number(x[0]) - Number(y[0]))).toEqual(rows.map(({ id, v }) => [id, v]));
      }
    }
  });

  test('generated columns are left out, also where a column of theirs stands between others', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY, sum int AS (id + 1) STORED, v int, twice int AS (v * 2) VIRTUAL, w varchar(9))`,
    );
    const route = mysqlRoute(server, d);
    const { position, stored } = await endOf(server);
    await using reading = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
    await server.query(`INSERT INTO ${d}.t (id, v, w) VALUES (1, 2, 'x'); UPDATE ${d}.t SET v = NULL`);
    await reading.reached((await endOf(server)).position);
    expect(reading.changes).toMatchObject([
      { kind: 'insert', after: ['1', '2', 'x'], table: { generated: ['sum', 'twice'] } },
      { kind: 'update', before: ['1', '2', 'x'], after: ['1', null, 'x'] },
    ]);
    const [table] = await source(route).tables();
    expect(table).toEqual(reading.changes[0]?.table);
  });

  test('a definition that changes while the stream runs is told where it changes, and rows come by it', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY, v int); CREATE TABLE ${d}.other (id int)`);
    const { position, stored } = await endOf(server);
    const route = mysqlRoute(server, `${d}`);
    await using reading = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
    await server.query(`INSERT INTO ${d}.t VALUES (1, 1)`);
    await reading.reached((await endOf(server)).position);
    // The first column of a generated pair is only known from the catalogue.
    await server.query(`ALTER TABLE ${d}.t ADD COLUMN g int AS (v + 1) STORED, ADD COLUMN w varchar(5) DEFAULT 'new'`);
    await server.query(`INSERT INTO ${d}.t (id, v) VALUES (2, 2); ALTER TABLE ${d}.t ADD INDEX (v)`);
    await server.query(`INSERT INTO ${d}.t (id, v) VALUES (3, 3)`);
    await reading.reached((await endOf(server)).position);
    const told = reading.parts.flatMap(({ changes }) =>
      changes.flatMap((change): (Row | string)[] =>
        change.kind === 'insert'
          ? [change.after]
          : change.kind === 'schemaChange'
            ? [change.to.columns.map(({ name }) => name).join()]
            : [],
      ),
    );
    // Where the stream began anew it tells what it has told before: the guard knows that.
    const inOrder = told.filter((one, at) => typeof one !== 'string' || one !== told[at - 1]);
    expect(inOrder).toEqual(['id,v', ['1', '1'], 'id,v,w', ['2', '2', 'new'], 'id,v,w', ['3', '3', 'new']]);
  });

  test('a mark is passed at its position, and a heartbeat of the route tells when it was sent', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const route = mysqlRoute(server, d);
    const { position, stored } = await endOf(server);
    await using reading = new BinlogReading({
      route,
      start: { position, lastCommit: null },
      stored,
      heartbeatMs: 100,
    });
    await server.query(`INSERT INTO ${d}.t VALUES (1)`);
    const before = Date.now();
    const marked = await source(route).mark();
    await reading.reached(marked);
    expect(reading.rows).toEqual([['1']]);
    expect(reading.parts.some(({ urgency }) => urgency === 'now')).toBe(true);
    const beats = () =>
      reading.parts.flatMap(({ changes }) => changes.flatMap((one) => (one.kind === 'heartbeat' ? [one] : [])));
    await reading.until(() => beats().length >= 2);
    expect(Math.abs((beats()[0]?.sentAtMs ?? 0) - before)).toBeLessThan(20_000);
  });

  test('what another route has brought is left out, and seen only by who watches', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const route = mysqlRoute(server, d);
    await source(route).mark();
    const { position, stored } = await endOf(server);
    const hops = JSON.stringify({ v: 1, hops: [{ node: 'n', position: 'p', committedAtMs: 1 }] });
    const marker = `REPLACE INTO tidelock.signals VALUES ('origin', 'other/route', '${hops}')`;
    await server.query(
      `BEGIN; ${marker}; INSERT INTO ${d}.t VALUES (1); COMMIT; BEGIN; INSERT INTO ${d}.t VALUES (2); COMMIT`,
    );
    const end = await endOf(server);
    await using own = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
    await own.reached(end.position);
    expect(own.rows).toEqual([['2']]);
    await using all = new BinlogReading({
      route: { ...route, forward: 'all' },
      start: { position, lastCommit: null },
      stored,
    });
    await all.reached(end.position);
    expect(all.parts.find(({ rows }) => rows > 0)?.origin).toEqual([{ node: 'n', position: 'p', committedAtMs: 1 }]);
    await using watched = new BinlogReading({
      route,
      start: { position, lastCommit: null },
      stored,
      isWatched: () => true,
    });
    await watched.reached(end.position);
    expect(watched.parts.filter(({ rows }) => rows > 0).map(({ replicated = false }) => replicated)).toEqual([
      true,
      false,
    ]);
  });

  test.each([
    ['is lost', (session: MysqlSession) => void session.socket.destroy()],
    ['is closed by the reader itself', (session: MysqlSession) => session.close()],
  ])('rows that are awaited end with an error where the connection %s', async (_, end) => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY); INSERT INTO ${d}.t VALUES (1), (2)`);
    const session = await connectMysql(server.node);
    const wanted = {
      table: { schema: d, name: 't' },
      columns: [{ name: 'id', type: 'int' }],
      clauses: ' WHERE SLEEP(2)',
    };
    const reading = readRows(session, wanted, 1_000).next();
    await until('the statement', async () => {
      const found = await server.query(
        `SELECT 1 FROM information_schema.processlist WHERE info LIKE '%${d}%SLEEP%' AND id <> CONNECTION_ID()`,
      );
      return found.length > 0;
    });
    end(session);
    await expect(reading).rejects.toThrow();
  });

  test('values without a text of their own are read as what they are, or not at all, and members compared as what they are', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY, e enum('a', ''), s set('a', ''), n enum('a') CHARACTER SET latin1);
       CREATE TABLE ${d}.text (id int PRIMARY KEY, v varchar(9) CHARACTER SET cp1250, l longtext CHARACTER SET cp932);
       INSERT INTO ${d}.text VALUES (1, '', ''), (2, 'ž?', '?表'), (3, NULL, NULL), (4, '  ', ' '), (5, _cp1250 x'3f813f', '?'), (6, '?', x'3f85403f');
       SET SESSION sql_mode = '';
       INSERT INTO ${d}.t VALUES (1, 'a', 'a', 'a'), (2, '', '', 'a'), (3, 'a', 3, NULL), (4, 'none', 'a', 'a'), (5, 'a', 2, 'a'), (6, 'a', 'a', 'none')`,
    );
    const table = { schema: d, name: 't' };
    const types = ["enum('a','')", "set('a','')", "enum('a')"].map((type) => `${type} collate utf8mb4_bin`);
    const columns = ['e', 's', 'n'].map((name, at) => ({ name, type: types[at] as string }));
    const shown = columns.map(({ name, type }) =>
      canonicalColumn({ name, type: parseType(type), typeText: '', vendor }),
    );
    const texts = {
      table: { schema: d, name: 'text' },
      columns: [
        { name: 'v', type: 'varchar(9) collate cp1250_general_ci' },
        { name: 'l', type: 'longtext collate cp932_japanese_ci' },
      ],
    };
    const session = await connectMysql(server.node);
    try {
      const read = async (exact: boolean, where: string) => {
        const wanted = { table, columns, exact, clauses: ` AS t WHERE ${where} ORDER BY id` };
        const found: Row[] = [];
        for await (const { rows } of readRows(session, wanted, 1_000)) found.push(...rows);
        return found;
      };
      const text = async (where: string) => {
        const wanted = { table, columns, clauses: ` AS t WHERE ${where} ORDER BY id` };
        const found: string[] = [];
        for await (const batch of readRowText(session, wanted, 1_000)) found.push(...batch.text.map(String));
        return found.join('');
      };
      const told = [
        ['a', 'a', 'a'],
        ['', '', 'a'],
        ['a', 'a,', null],
      ];
      expect(await read(true, 'id < 4')).toEqual(told);
      expect(await text('id < 4')).toBe('a\ta\ta\n\t\ta\na\ta,\t\\N\n');
      const cells = await read(false, 'true');
      const seen = await session.query(`SELECT ${shown.map(({ sql }) => sql).join(', ')} FROM ${d}.t AS t ORDER BY id`);
      expect(seen).toEqual(cells);
      expect(seen[3]?.[0]).not.toBe(seen[1]?.[0]);
      expect(seen[4]?.[1]).not.toBe(seen[1]?.[1]);
      const found: Row[] = [];
      const wanted = { table: texts.table, columns: texts.columns, exact: true, clauses: ' WHERE id < 5 ORDER BY id' };
      for await (const { rows } of readRows(session, wanted, 1_000)) found.push(...rows);
      expect(found).toEqual([
        ['', ''],
        ['ž?', '?表'],
        [null, null],
        ['  ', ' '],
      ]);
    } finally {
      session.close();
    }
    for (const [of, id, column] of [
      [{ table, columns }, 4, 'e'],
      [{ table, columns }, 5, 's'],
      [{ table, columns }, 6, 'n'],
      [texts, 5, 'v'],
      [texts, 6, 'l'],
    ] as const) {
      const halts = { code: 'TL-3209', message: expect.stringContaining(`${d}.${of.table.name}.${column} can't`) };
      const wanted = { ...of, clauses: ` WHERE id = ${id}` };
      for (const reading of [readRows, readRowText]) {
        const own = await connectMysql(server.node);
        await expect(reading(own, { ...wanted, exact: true }, 1_000).next()).rejects.toMatchObject(halts);
        own.close();
      }
    }
  });

  test('texts with bytes that mean nothing are compared as what they are, and what has no text is not read to be written elsewhere', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (v varchar(9) CHARACTER SET cp1250, l longtext CHARACTER SET cp932, e enum('a', ''));
       SET SESSION sql_mode = '';
       INSERT INTO ${d}.t VALUES ('?', '?', 'a'), (_cp1250 x'81', '?', 'a'), (_cp1250 x'83', '?', 'a'), ('?', x'8540', 'a'), ('?', x'8541', 'a'), ('ž', '表', ''), ('', '', 'a'),
         (NULL, NULL, NULL), ('x', 'x', 'none')`,
    );
    const table = { schema: d, name: 't' };
    const route = { ...mysqlRoute(server, d), to: server.node };
    const side = new MysqlCompareSide({ side: 'source', node: server.node, route, signal: never });
    try {
      await side.tables([table]);
      const names = ['v', 'l', 'e'];
      const shape: ComparedShape = {
        ...{ table, key: [], condition: null },
        columns: names.map((name) => ({ name, form: 'text' })),
      };
      const hash = { kind: 'server', seed: '7' } as const;
      const listed = await side.listBuckets(shape, hash, { chosen: [0], buckets: 1, places: true });
      const hashes = listed.map((row) => row.hash).sort();
      expect(new Set(hashes).size).toBe(9);
      const rows: Row[] = [];
      for await (const batch of side.read(shape, names, { after: null, to: null })) rows.push(...batch);
      const given = await side.listGiven(shape, hash, { rows, buckets: 1 });
      expect(given.map((row) => row.hash).sort()).toEqual(hashes);
      const read: unknown[] = [];
      const refused: unknown[] = [];
      for (const { place = '' } of listed)
        await side.placed(shape, [place], 'read').then(
          (found) => read.push(...found.values()),
          (error: unknown) => refused.push(/\.t\.(.) can't be carried/.exec(String(error))?.[1]),
        );
      expect(read).toHaveLength(4);
      expect(read).toEqual(
        expect.arrayContaining([
          ['?', '?', 'a'],
          ['ž', '表', ''],
          ['', '', 'a'],
          [null, null, null],
        ]),
      );
      expect(refused.sort()).toEqual(['e', 'l', 'l', 'v', 'v']);
    } finally {
      await side.close();
    }
  });

  test('rows that somebody has written are told from others, also where they are what they were, or not there', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY, v int); INSERT INTO ${d}.t VALUES (1, 1), (2, 1);
       CREATE TABLE ${d}.child (id int PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES ${d}.t (id) ON DELETE SET NULL)`,
    );
    const route = { ...mysqlRoute(server, d), to: server.node };
    const watches = new Map<string, RowWatch>();
    const side = new MysqlCompareSide({ side: 'target', node: server.node, route, signal: never, watches });
    const session = await connectMysql(server.node);
    try {
      const table = { schema: d, name: 't' };
      await side.tables([table, { ...table, name: 'child' }]);
      const shape: ComparedShape = { table, key: ['id'], columns: [{ name: 'id', form: 'number' }], condition: null };
      const versions = (...ids: string[]) =>
        side.versions(
          shape,
          ids.map((id) => [id]),
        );
      const first = await versions('1', '2', '9');
      expect(await versions('1', '2', '9')).toEqual(first);
      await server.query(
        `UPDATE ${d}.t SET v = 5 WHERE id = 1; UPDATE ${d}.t SET v = 1 WHERE id = 1; INSERT INTO ${d}.t VALUES (9, 1); DELETE FROM ${d}.t WHERE id = 9`,
      );
      // Whoever is about to write a row asks on a session of its own, which holds it.
      const [watch] = watches.values();
      expect(await watch?.areStill(session, first)).toEqual(new Set([keyText(['2'])]));
      const second = await versions('1', '2', '9');
      const same = (id: string): boolean => second.get(keyText([id])) === first.get(keyText([id]));
      expect(['1', '2', '9'].map(same)).toEqual([false, true, false]);
      await server.query(`TRUNCATE ${d}.child; DELETE FROM ${d}.t WHERE id = 2; INSERT INTO ${d}.t VALUES (2, 1)`);
      expect(await watch?.areStill(session, second)).toEqual(new Set([keyText(['1']), keyText(['9'])]));
      await server.query('FLUSH BINARY LOGS');
      expect((await watch?.areStill(session, second))?.size).toBe(2);
      // What an ALTER TABLE does to rows is not told: none is known to be what it was.
      await server.query(`ALTER TABLE ${d}.t MODIFY v bigint`);
      expect(await watch?.areStill(session, second)).toEqual(new Set());
      const third = await versions('1');
      expect(third.get(keyText(['1']))).not.toBe(second.get(keyText(['1'])));
      expect(await versions('1')).toEqual(third);
      // MariaDB logs nothing of what becomes of the child.
      const child = side.versions({ ...shape, table: { ...table, name: 'child' } }, [['1']]);
      if (vendor === 'mariadb') await expect(child).rejects.toMatchObject({ code: 'TL-2311' });
      else expect((await child).size).toBe(1);
      const between = { ...route, from: { ...route.from, type: 'postgres' as const } };
      const other = new MysqlCompareSide({ side: 'target', node: server.node, route: between, signal: never });
      await expect(other.versions(shape, [['1']])).rejects.toMatchObject({ code: 'TL-5010' });
    } finally {
      await side.close();
      session.close();
    }
    expect(watches.size).toBe(0);
  });

  test('what the catalogue says of a table is what its rows are announced with', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id bigint unsigned NOT NULL, e enum('a''b', 'c\\\\d') CHARACTER SET latin1, s set('x,y', 'z') , n decimal(12, 3) unsigned,
         c char(7) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, b binary(3), g point, t time(2), ts timestamp(6) NULL, f float(7, 3), bits bit(9), y year, flag tinyint(1), j json,
         l longtext, ti tinyblob, UNIQUE KEY (id)${vendor === 'mariadb' ? ', u uuid, i4 inet4, i6 inet6' : ''})`.replaceAll(
        "'x,y'",
        "'xy'",
      ),
    );
    const { position, stored } = await endOf(server);
    await server.query(`INSERT INTO ${d}.t (id) VALUES (1)`);
    const route = mysqlRoute(server, d);
    await using reading = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
    await reading.until(() => reading.changes.length > 0);
    const [table] = await source(route).tables();
    expect(table).toEqual(reading.changes[0]?.table);
    const [facts] = await source(route).catalogue([{ schema: d, name: 't' }]);
    expect(tableLabel(facts ?? { schema: '', name: '' })).toBe(`${d}.t`);
    expect(facts?.columns.map(({ name, type, key }) => [name, type, key])).toEqual(
      table?.columns.map(({ name, type, key }) => [name, type, key]),
    );
  });
});
