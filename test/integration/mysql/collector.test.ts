import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMysql } from '../../../connectors/mysql/connect.ts';
import { binlogOrder } from '../../../connectors/mysql/source/position/binlog-position.ts';
import { GtidSet } from '../../../connectors/mysql/source/position/gtid-set.ts';
import { preflight } from '../../../connectors/mysql/source/preflight/preflight.ts';
import { tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { gtidModels, gtidText } from '../../support/gtid-models.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';
import { randomNumbers, seed } from '../../support/seed.ts';
import { until } from '../../support/until.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';
import { captureEvents, withChecksum } from './captured-events.ts';

let databases = 0;

describe.each(mysqlVendors)('on %s', (vendor) => {
  let server: MysqlServer;
  beforeAll(async () => {
    server = await startMysql({ vendor });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /** A database of the test's own. */
  async function database(): Promise<string> {
    const name = `d${++databases}`;
    await server.query(`CREATE DATABASE ${name}`);
    return name;
  }

  /** Reads from now on. */
  async function read(
    name: string,
    change: Partial<RouteDefinition> = {},
    budgetBytes?: number,
  ): Promise<BinlogReading> {
    const { position, stored } = await endOf(server);
    const start = { position, lastCommit: null };
    return new BinlogReading({
      route: mysqlRoute(server, name, change),
      start,
      stored,
      ...(budgetBytes && { budgetBytes }),
    });
  }

  async function caughtUp(reading: BinlogReading): Promise<void> {
    await reading.reached((await endOf(server)).position);
  }

  test('inserts, updates, deletes and TRUNCATE come in commit order, with whole old rows', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY, b varchar(9)); CREATE TABLE ${d}.loose (a int, b text); CREATE TABLE ${d}.table1 (a int)`,
    );
    await using reading = await read(d);
    await server.query(`INSERT INTO ${d}.t VALUES (1, 'a'), (2, NULL)`);
    await server.query(`UPDATE ${d}.t SET id = 3 WHERE id = 2; DELETE FROM ${d}.t WHERE id = 1`);
    await server.query(
      `BEGIN; INSERT INTO ${d}.loose VALUES (1, 'x'); SAVEPOINT s; INSERT INTO ${d}.loose VALUES (2, 'y'); ROLLBACK TO s; INSERT INTO ${d}.t VALUES (9, ''); COMMIT`,
    );
    await server.query(`BEGIN; INSERT INTO ${d}.t VALUES (10, ''); ROLLBACK`);
    await server.query(`TRUNCATE ${d}.t; USE ${d}; TRUNCATE table1`);
    await caughtUp(reading);
    const told = reading.parts
      .flatMap(({ changes }) => changes)
      .map((change) => ({ ...change, table: undefined, tables: undefined }));
    expect(told.filter(({ kind }) => kind !== 'schemaChange')).toMatchObject([
      { kind: 'insert', after: ['1', 'a'] },
      { kind: 'insert', after: ['2', null] },
      { kind: 'update', before: ['2', null], after: ['3', null] },
      { kind: 'delete', before: ['1', 'a'] },
      { kind: 'insert', after: ['1', 'x'] },
      { kind: 'insert', after: ['9', ''] },
      { kind: 'truncate' },
      { kind: 'truncate' },
    ]);
    expect(reading.parts.filter(({ rows }) => rows > 0).map(({ rows }) => rows)).toEqual([2, 1, 1, 2]);
    expect(reading.parts.every(({ commit }) => commit !== null)).toBe(true);
  });

  if (vendor === 'mysql')
    test('sets of GTIDs cover each other as the server has it', async () => {
      const sets = fc.sample(gtidModels, { numRuns: 60, seed }).map(gtidText);
      const pairs = sets.map((a, at) => [a, sets[(at + 1) % sets.length] ?? ''] as const);
      const asked = pairs.map(
        ([a, b], at) => `GTID_SUBSET('${b}', '${a}') AS r${at}, GTID_SUBTRACT('${a}', '') AS t${at}`,
      );
      const [answer = {}] = await server.query(`SELECT ${asked.join(', ')}`);
      for (const [at, [a, b]] of pairs.entries()) {
        expect([b, a, GtidSet.parse(a).covers(GtidSet.parse(b)) ? 1 : 0]).toEqual([b, a, Number(answer[`r${at}`])]);
        expect(GtidSet.parse(String(answer[`t${at}`])).toString()).toBe(a);
      }
    });

  test('a reader that is ended anywhere goes on from its checkpoint: each transaction comes once', async () => {
    const d = await database();
    const random = randomNumbers(seed);
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY AUTO_INCREMENT, v int); CREATE TABLE ${d}.left_out (id int)`,
    );
    const { position, stored } = await endOf(server);
    const connection = await server.connect();
    for (let i = 0; i < 120; i++) {
      const rows = Array.from({ length: 1 + Math.floor(random() * 4) }, () => `(NULL, ${i})`).join(', ');
      await connection.query(
        random() < 0.2 ? `INSERT INTO ${d}.left_out VALUES (${i})` : `INSERT INTO ${d}.t VALUES ${rows}`,
      );
    }
    await connection.end();
    const end = await endOf(server);
    let start: BinlogReading['checkpoint'] = { position, lastCommit: null };
    const route = mysqlRoute(server, d);
    const ids: string[] = [];
    while (!binlogOrder.covers(start.position, end.position)) {
      await using reading = new BinlogReading({ route, start, stored });
      const some = 1 + Math.floor(random() * 40);
      await reading.until(
        () => reading.parts.length >= some || binlogOrder.covers(reading.checkpoint.position, end.position),
      );
      ids.push(
        ...reading.changes.flatMap((change) =>
          change.kind === 'insert' && change.table.name === 't' ? [String(change.after[0])] : [],
        ),
      );
      start = reading.checkpoint;
    }
    const rows = await server.query(`SELECT id FROM ${d}.t ORDER BY id`);
    expect(ids).toEqual(rows.map(({ id }) => id));
  });

  test('a large transaction comes in parts, and what is read and not released stays within the budget', async () => {
    const d = await database();
    const budgetBytes = 4_000_000;
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY, v varchar(1000))`);
    await using reading = await read(d, {}, budgetBytes);
    const values = Array.from({ length: 1_000 }, (_, i) => `(${i}, REPEAT('x', 1000))`).join(', ');
    await server.query(
      `BEGIN; INSERT INTO ${d}.t VALUES ${values}; ${Array.from({ length: 4 }, () => `UPDATE ${d}.t SET v = REVERSE(v), id = id + 1000 ORDER BY id DESC`).join('; ')}; COMMIT`,
    );
    await caughtUp(reading);
    const parts = reading.parts.filter(({ rows }) => rows > 0);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.map(({ commit }) => commit !== null)).toEqual([...parts.slice(1).map(() => false), true]);
    expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(5_000);
    expect(reading.budget.usedBytes).toBe(0);
    // One part and what is left of a chunk of the socket may come after the pause.
    expect(reading.budget.peakBytes).toBeLessThan(budgetBytes + 3_000_000);
  });

  test('rows of few bytes in the binlog are accounted for what they take in memory', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (a int PRIMARY KEY, b int, c int, d tinyint)`);
    await using reading = await read(d);
    const values = Array.from({ length: 1_000 }, (_, i) => `(${i}, ${-i}, ${1e6 + i}, 100)`).join(', ');
    await server.query(`INSERT INTO ${d}.t VALUES ${values}`);
    await server.query(`UPDATE ${d}.t SET b = b - 1, d = 99`);
    await caughtUp(reading);
    const [inserted, updated] = reading.parts.filter(({ rows }) => rows > 0);
    expect(inserted?.bytes).toBeGreaterThan(100 * 1_000);
    expect(updated?.bytes).toBeGreaterThan(200 * 1_000);
  });

  test('marks and heartbeats of the route are told; what another route has applied is only a position', async () => {
    const d = await database();
    await server.query(
      `CREATE DATABASE IF NOT EXISTS tidelock; CREATE TABLE IF NOT EXISTS tidelock.signals (kind varchar(16), id varchar(200), content mediumtext, PRIMARY KEY (kind, id)) CHARACTER SET utf8mb4; CREATE TABLE ${d}.t (id int PRIMARY KEY)`,
    );
    await using reading = await read(d, { deployment: 'test', name: 'mine' });
    const signal = (kind: string, id: string, content: object): string =>
      `INSERT INTO tidelock.signals VALUES ('${kind}', '${id}', '${JSON.stringify(content)}') ON DUPLICATE KEY UPDATE content = VALUES(content)`;
    const hops = [{ node: 'a', position: '0/1', committedAtMs: 1 }];
    await server.query(signal('heartbeat', 'test/mine', { v: 1, sentAtMs: 5 }));
    await server.query(signal('heartbeat', 'test/other', { v: 1, sentAtMs: 6 }));
    await server.query(
      `BEGIN; ${signal('origin', 'test/back', { v: 1, hops })}; INSERT INTO ${d}.t VALUES (1); COMMIT`,
    );
    await server.query(
      `BEGIN; INSERT INTO ${d}.t VALUES (2); ${signal('origin', 'test/back', { v: 1, hops: [...hops, ...hops] })}; COMMIT`,
    );
    await server.query(signal('mark', 'm', { v: 1, sentAtMs: 7 }));
    await caughtUp(reading);
    const told = reading.parts.flatMap(({ changes }) => changes).filter(({ kind }) => kind !== 'schemaChange');
    expect(told).toMatchObject([
      { kind: 'heartbeat', id: 'test/mine', sentAtMs: 5 },
      { kind: 'insert', after: ['2'] },
    ]);
    expect(reading.parts.at(-1)).toMatchObject({ changes: [], urgency: 'now' });
  });

  test('what the binlog does not tell halts with its code', async () => {
    const halts = async (code: string, prepare: string, statements: string): Promise<void> => {
      const d = await database();
      await server.query(
        `USE ${d}; CREATE TABLE t (id int PRIMARY KEY, v varchar(9), j int) PARTITION BY HASH (id) PARTITIONS 2; INSERT INTO t VALUES (1, 'a', 1); ${prepare}`,
      );
      await using reading = await read(d);
      await server.query(`USE ${d}; ${statements}`);
      expect(await reading.failure(), statements).toMatchObject({ code });
      // Nothing of the change itself was given out.
      expect(reading.changes).toEqual([]);
    };
    await halts('TL-3304', '', "SET SESSION binlog_format = 'STATEMENT'; UPDATE t SET v = 'b'");
    await halts('TL-3311', '', "SET SESSION binlog_row_image = 'MINIMAL'; UPDATE t SET v = 'b'");
    await halts('TL-3308', '', 'ALTER TABLE t COALESCE PARTITION 1; ALTER TABLE t TRUNCATE PARTITION p0');
    await halts('TL-3308', '', 'RENAME TABLE t TO u');
    await halts('TL-3308', '', 'ALTER TABLE t ENGINE = InnoDB; ALTER TABLE t RENAME u');
    await halts('TL-3308', '', 'DROP TABLE IF EXISTS nothing_here, t');
    await halts('TL-3306', '', "SET GLOBAL binlog_row_metadata = 'MINIMAL'; INSERT INTO t VALUES (2, 'b', 2)");
    await server.query("SET GLOBAL binlog_row_metadata = 'FULL'");
    await halts('TL-3307', "CREATE TABLE e (e enum('a'))", "SET SESSION sql_mode = ''; INSERT INTO e VALUES ('none')");
    await halts('TL-3307', "CREATE TABLE e (e set('a', ''))", 'INSERT INTO e VALUES (2)');
  });

  // MySQL logs none while it has GTIDs: then no transaction may change tables without transactions.
  if (vendor === 'mariadb')
    test('rollbacks that are logged, whole ones and to a savepoint, are carried out', async () => {
      const d = await database();
      await server.query(
        `CREATE TABLE ${d}.t (id int PRIMARY KEY, v int); CREATE TABLE ${d}.u (id int); CREATE TABLE ${d}.m (id int) ENGINE = MyISAM`,
      );
      await using reading = await read(d);
      const statements = [
        // What can't be undone (a table without transactions, a temporary one) makes the server log what is.
        'BEGIN; INSERT INTO t VALUES (1, 1); CREATE TEMPORARY TABLE x (id int); ROLLBACK',
        'BEGIN; INSERT INTO t VALUES (2, 1); SAVEPOINT a; INSERT INTO m VALUES (2); INSERT INTO u VALUES (1); SAVEPOINT `b``c`; UPDATE t SET v = 3; ROLLBACK TO `b``c`; INSERT INTO t VALUES (3, 1); ROLLBACK TO a; INSERT INTO t VALUES (4, 1); RELEASE SAVEPOINT a; COMMIT',
        'INSERT INTO u VALUES (2)',
      ];
      await server.query(`USE ${d}; ${statements.join('; ')}`);
      await caughtUp(reading);
      const labels = reading.parts.flatMap(({ changes }) =>
        changes.map((change) =>
          change.kind === 'insert' ? `${change.table.name} ${String(change.after[0])}` : change.kind,
        ),
      );
      expect(labels.filter((label) => !label.startsWith('m '))).toEqual([
        'schemaChange',
        'schemaChange',
        't 2',
        't 4',
        'schemaChange',
        'u 2',
      ]);
      expect(reading.parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(reading.changes.length);

      await using large = await read(d);
      const values = Array.from({ length: 12_000 }, (_, i) => `(${100 + i}, 1)`).join(', ');
      await server.query(
        `USE ${d}; BEGIN; INSERT INTO t VALUES ${values}; CREATE TEMPORARY TABLE y (id int); ROLLBACK`,
      );
      expect(await large.failure()).toMatchObject({ code: 'TL-3309' });
      expect(large.parts.every(({ commit, rows }) => rows <= 1 || commit === null)).toBe(true);
    });

  test('a definition that has changed is told with the next row, also where its columns are the same', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY, v int); CREATE TABLE ${d}.u (id int)`);
    const { position, stored } = await endOf(server);
    await server.query(
      `INSERT INTO ${d}.t VALUES (1, 1); INSERT INTO ${d}.u VALUES (1); INSERT INTO ${d}.t VALUES (2, 1)`,
    );
    await server.query(`ALTER TABLE ${d}.t ADD w int DEFAULT 5; INSERT INTO ${d}.t VALUES (3, 1, 1)`);
    await server.query(
      `ALTER TABLE ${d}.t DROP w, ADD COLUMN w int DEFAULT 6; INSERT INTO ${d}.t VALUES (4, 1, 1); INSERT INTO ${d}.t VALUES (5, 1, 1)`,
    );
    // The catalogue is read when all of it is there: one that is older is read again, and the stream with it.
    await using reading = new BinlogReading({
      route: mysqlRoute(server, d),
      start: { position, lastCommit: null },
      stored,
    });
    await caughtUp(reading);
    const told = reading.parts.flatMap(({ changes }) =>
      changes.map((change) =>
        change.kind === 'schemaChange' ? [change.from?.columns.length ?? 0, change.to.columns.length] : change.kind,
      ),
    );
    // With each command beside the catalogue, and once more with the row behind it, which proves it.
    const commanded = (from: number) => [[from, 3], [3, 3], 'insert'];
    expect(told).toEqual([
      ...[[0, 2], 'insert', [0, 1], 'insert', 'insert'],
      ...[...commanded(2), ...commanded(3), 'insert'],
    ]);
  });

  if (vendor === 'mariadb')
    test('an ALTER TABLE in two phases is told with its end, and one that comes to nothing never', async () => {
      const d = await database();
      await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY, v int); INSERT INTO ${d}.t VALUES (1, 1), (2, 1)`);
      const { position, stored } = await endOf(server);
      const [{ File: file = '' } = {}] = await server.query('SHOW MASTER STATUS');
      const twoPhase = 'SET SESSION binlog_alter_two_phase = ON';
      await expect(
        server.query(`${twoPhase}; ALTER TABLE ${d}.t DROP v, ADD v int DEFAULT 1, ADD UNIQUE (v)`),
      ).rejects.toThrow(/Duplicate/);
      await server.query(
        `INSERT INTO ${d}.t VALUES (3, 1); ${twoPhase}; ALTER TABLE ${d}.t ADD w int DEFAULT 5; INSERT INTO ${d}.t VALUES (4, 1, 1)`,
      );
      const events = (await server.query(`SHOW BINLOG EVENTS IN '${file}'`)).map(({ Info }) => String(Info));
      for (const phase of ['START ALTER', 'ROLLBACK ALTER', 'COMMIT ALTER'])
        expect(
          events.filter((info) => info.includes(phase)),
          phase,
        ).not.toEqual([]);
      const start = { position, lastCommit: null };
      await using reading = new BinlogReading({ route: mysqlRoute(server, d), start, stored });
      await caughtUp(reading);
      const told = reading.parts.flatMap(({ changes }) =>
        changes.map((change) =>
          change.kind === 'schemaChange' ? (change.told?.map(({ kind }) => kind) ?? 'row') : change.kind,
        ),
      );
      expect(told).toEqual(['row', 'insert', ['add'], 'row', 'insert']);
    });

  /** Statements whose bytes are those of the text as latin1, by a client that says it is in this charset. */
  async function inCharset(charset: string, ...statements: readonly string[]): Promise<void> {
    const connection = await server.connect({ charset: 'LATIN1_SWEDISH_CI' });
    // Else the driver learns of it, and encodes what it sends.
    await connection.query("SET session_track_system_variables = ''");
    await connection.query(`SET character_set_client = ${charset}`);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }

  test('a command is known for one of a table whatever charset its client names that in', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.grätö (id int PRIMARY KEY); INSERT INTO ${d}.grätö VALUES (1)`);
    await using reading = await read(d);
    for (const charset of ['LATIN1_SWEDISH_CI', 'CP1250_GENERAL_CI', 'UTF8MB4_BIN']) {
      const connection = await server.connect({ charset });
      await connection.query(`TRUNCATE TABLE ${d}.grätö`);
      await connection.end();
    }
    // Letters of swe7, which without quotes stay what they are in ASCII.
    await server.query(
      `CREATE TABLE ${d}.ÄäÅåÜü (id int PRIMARY KEY); CREATE TABLE ${d}.\`[{]}^~\` (id int PRIMARY KEY)`,
    );
    await inCharset('swe7', ...['`gr{t|`', '`[{]}^~`', '[{]}^~'].map((name) => `TRUNCATE TABLE ${d}.${name}`));
    await caughtUp(reading);
    const truncated = reading.parts.flatMap(({ changes }) =>
      changes.flatMap((change) => (change.kind === 'truncate' ? change.tables.map(({ name }) => name) : [])),
    );
    expect(truncated).toEqual(['grätö', 'grätö', 'grätö', 'grätö', 'ÄäÅåÜü', '[{]}^~']);
  });

  test('a command whose bytes are no text of its charset halts where it may be about the route, and nowhere else', async () => {
    const [d, other] = [await database(), await database()];
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    await using reading = await read(d);
    // Of sjis this byte is none without another one.
    const odd = '/* \x81 */';
    const commands = [
      `USE ${other}`,
      `CREATE TABLE n ${odd} (id int)`,
      `ALTER TABLE n ADD a int ${odd}`,
      `DROP TABLE n ${odd}`,
    ];
    await inCharset('sjis', ...commands);
    await server.query(`INSERT INTO ${d}.t VALUES (1)`);
    await caughtUp(reading);
    expect(reading.changes).toHaveLength(1);
    await inCharset('sjis', `CREATE TABLE ${d}.n ${odd} (id int)`);
    expect(await reading.failure()).toMatchObject({ code: 'TL-3203' });
  });

  test('compressed transactions are the same rows', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY, v text)`);
    await using reading = await read(d);
    const [on, off] =
      vendor === 'mysql'
        ? ['SET SESSION binlog_transaction_compression = ON', 'DO 0']
        : [
            'SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10',
            'SET GLOBAL log_bin_compress = OFF',
          ];
    const connection = await server.connect();
    await connection.query(on);
    const rows = Array.from({ length: 300 }, (_, i) => `(${i}, REPEAT('ab', ${i}))`).join(', ');
    await connection.query(
      `BEGIN; INSERT INTO ${d}.t VALUES ${rows}; UPDATE ${d}.t SET v = CONCAT(v, 'x'); DELETE FROM ${d}.t WHERE id < 100; COMMIT; CREATE TABLE ${d}.other_table_with_a_long_name (id int)`,
    );
    await connection.query(off);
    await connection.end();
    await caughtUp(reading);
    expect(reading.changes).toHaveLength(700);
    expect(reading.rows.slice(300)).toEqual(Array.from({ length: 300 }, (_, i) => [String(i), `${'ab'.repeat(i)}x`]));
  });

  test('a binlog that is cut off or damaged anywhere is a coded error, and never a hang or a row that was not there', async () => {
    const d = await database();
    const { position } = await endOf(server);
    const special = vendor === 'mysql' ? 'v vector(2), w int' : 'v text COMPRESSED, w varchar(200) COMPRESSED';
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY, n decimal(20, 5), s varchar(300), e enum('a', 'b'), x set('p', 'q'), j json, g point, t time(3), b bit(9), y varbinary(4), ${special})`,
    );
    const some = vendor === 'mysql' ? "TO_VECTOR('[1,2]'), 1" : "REPEAT('ab', 200), REPEAT('x', 150)";
    await server.query(
      `BEGIN; INSERT INTO ${d}.t VALUES (1, -12.5, 'abc', 'a', 'p,q', '{"a": [1, {"b": "c"}]}', ST_GeomFromText('POINT(1 2)'), '-01:02:03.4', b'101', x'00ff', ${some}), (2, NULL, 'ü', 'b', '', '[]', NULL, NULL, NULL, NULL, NULL, NULL); UPDATE ${d}.t SET s = 'y'; DELETE FROM ${d}.t; COMMIT`,
    );
    const events = await captureEvents(mysqlRoute(server, d), position, (await endOf(server)).position);
    expect(events.whole).toHaveLength(6);
    const random = randomNumbers(seed);
    for (const [at, event] of events.bytes.entries()) {
      for (let i = 0; i < 60; i++) {
        const cut = event.subarray(0, Math.floor(random() * event.length));
        const flipped = Buffer.from(event);
        const bit = Math.floor(random() * event.length * 8);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        for (const damaged of [cut, flipped]) {
          const { error, rows } = events.play([...events.bytes.slice(0, at), damaged]);
          expect(error, `event ${at}`).toMatchObject({ code: expect.stringMatching(/^TL-3/) });
          expect(events.whole.slice(0, rows.length)).toEqual(rows);
        }
        // Where nobody verifies it the damage may be in a value; it is still no error but a coded one.
        const { error } = events.play([...events.bytes.slice(0, at), withChecksum(flipped)]);
        expect(error === null || error instanceof TidelockError, String(error)).toBe(true);
        const short = Buffer.from(cut.length < 30 ? event : cut);
        if (cut.length >= 30) short.writeUInt32LE(short.length, 9);
        const played = events.play([...events.bytes.slice(0, at), withChecksum(short)]);
        expect(played.error === null || played.error instanceof TidelockError, String(played.error)).toBe(true);
      }
    }
  });

  test('the preflight names what the source lacks, and its statements mend it', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.t (id int PRIMARY KEY); CREATE USER 'lim''ited'@'%' IDENTIFIED BY 'x'; GRANT SELECT ON ${d}.* TO 'lim''ited'@'%'`,
    );
    const route = mysqlRoute(server, d);
    const check = async (
      user: string,
      password?: string,
      allow: readonly string[] = [],
    ): Promise<readonly Finding[]> => {
      const connection = () => ({ ...server.node.connection(), user, password });
      const session = await connectMysql({ ...server.node, connection });
      try {
        return await preflight(session, { ...route, from: { ...route.from, allow } });
      } finally {
        session.close();
      }
    };
    expect((await check('root')).filter(({ level }) => level !== 'info')).toEqual([]);
    await server.query(
      "SET GLOBAL binlog_format = 'MIXED', GLOBAL binlog_row_image = 'NOBLOB', GLOBAL binlog_row_metadata = 'MINIMAL', GLOBAL sync_binlog = 0, GLOBAL innodb_flush_log_at_trx_commit = 2, GLOBAL binlog_expire_logs_seconds = 3600",
    );
    if (vendor === 'mysql') await server.query('SET GLOBAL binlog_order_commits = OFF');
    else await server.query('SET GLOBAL gtid_strict_mode = OFF');
    const found = await check("lim'ited", 'x');
    expect(found.map(({ level, code }) => `${level} ${code}`).toSorted()).toEqual([
      'error source.binlogFormat',
      'error source.flushAtCommit',
      ...(vendor === 'mysql' ? ['error source.orderCommits'] : []),
      ...Array.from({ length: vendor === 'mysql' ? 7 : 6 }, () => 'error source.privilege'),
      'error source.rowImage',
      'error source.rowMetadata',
      'error source.syncBinlog',
      'warning source.binlogExpiry',
      ...(vendor === 'mysql' ? [] : ['warning source.gtidStrictMode']),
    ]);
    const waived = await check('root', undefined, ['sourceMayForget']);
    expect(waived.filter(({ level }) => level === 'info').map(({ code }) => code)).toEqual([
      'source.syncBinlog',
      'source.flushAtCommit',
    ]);
    for (const { statement = '' } of found) await server.query(statement);
    expect(await check("lim'ited", 'x')).toEqual([]);
  });

  test('tables that can not be carried are named, each with what mends it', async () => {
    const d = await database();
    await server.query(
      `CREATE TABLE ${d}.loose (id int PRIMARY KEY) ENGINE = MyISAM; CREATE TABLE ${d}.nokey (id int); CREATE VIEW ${d}.seen AS SELECT 1 AS a`,
    );
    if (vendor === 'mysql')
      await server.query(`CREATE TABLE ${d}.han (id int PRIMARY KEY, t text CHARACTER SET gb18030)`);
    else await server.query(`CREATE TABLE ${d}.old (id int PRIMARY KEY) WITH SYSTEM VERSIONING`);
    const session = await connectMysql(server.node);
    const rules = [`${d}.*`, `${d}.seen`, 'nowhere.*'].map((name) => ({ ...wholeTable, name }));
    const found = await preflight(session, mysqlRoute(server, d, { tables: tableSelection('r', rules, []) }));
    session.close();
    expect(found.map(({ level, code, table }) => [level, code, table])).toEqual([
      ['error', 'source.tableMissing', `${d}.seen`],
      ['warning', 'source.globMatchesNothing', undefined],
      ...(vendor === 'mysql' ? [['error', 'source.charset', `${d}.han`]] : []),
      ['error', 'source.engine', `${d}.loose`],
      ['warning', 'source.withoutKey', `${d}.nokey`],
      ...(vendor === 'mariadb' ? [['error', 'source.systemVersioned', `${d}.old`]] : []),
    ]);
    for (const { statement } of found) if (statement !== undefined) await server.query(statement);
    const again = await connectMysql(server.node);
    const left = await preflight(again, mysqlRoute(server, d));
    again.close();
    expect(left.filter(({ level, code }) => level === 'error' && code !== 'source.systemVersioned')).toEqual([]);
  });

  const drops = vendor === 'mariadb' ? ['DROP SCHEMA', 'CREATE OR REPLACE DATABASE'] : ['DROP SCHEMA'];
  test.each(drops)(
    'a database that goes with a table of the route halts, although nothing of it has come by: %s',
    async (drop) => {
      const d = await database();
      await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
      await using reading = await read(d);
      // The stream has begun, with what the catalogue says.
      await database();
      await caughtUp(reading);
      await server.query(`DROP DATABASE IF EXISTS nothing_here; ${drop} ${d}`);
      expect(await reading.failure()).toMatchObject({
        code: 'TL-3308',
        message: expect.stringContaining(drop.replace('SCHEMA', 'DATABASE')),
      });
    },
  );

  test('a table that is described again with each file is the same one', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    await using reading = await read(d);
    for (let id = 0; id < 3; id++)
      await server.query(`INSERT INTO ${d}.t VALUES (${id}); FLUSH BINARY LOGS; FLUSH TABLES ${d}.t`);
    await caughtUp(reading);
    expect(reading.changes).toHaveLength(3);
    expect(new Set(reading.changes.map(({ table }) => table)).size).toBe(1);
  });

  test('a transaction that a file ends in was never committed, and what comes behind it is read', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const { position } = await endOf(server);
    await server.query(`BEGIN; INSERT INTO ${d}.t VALUES (1); INSERT INTO ${d}.t VALUES (2); COMMIT`);
    await server.query(`INSERT INTO ${d}.t VALUES (3)`);
    const events = await captureEvents(mysqlRoute(server, d), position, (await endOf(server)).position);
    const ofType = (type: number): number => events.bytes.findIndex((event) => event[4] === type);
    const [description, end] = [ofType(15), ofType(16)];
    const { error, rows } = events.play([
      ...events.bytes.slice(0, end),
      ...events.bytes.slice(description, description + 1),
      ...events.bytes.slice(end + 1),
    ]);
    expect(error).toBeNull();
    expect(rows).toMatchObject([{ after: ['3'] }]);
  });

  test('a transaction that a file ends in and of which parts were given out is left out by the next stream', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const { position } = await endOf(server);
    const rows = Array.from({ length: 6_000 }, (_, i) => `(${i})`).join(', ');
    await server.query(`INSERT INTO ${d}.t VALUES ${rows}`);
    await server.query(`DELETE FROM ${d}.t WHERE id = 1`);
    const events = await captureEvents(mysqlRoute(server, d), position, (await endOf(server)).position);
    const ofType = (type: number): number => events.bytes.findIndex((event) => event[4] === type);
    const [description, end] = [ofType(15), ofType(16)];
    const cut = [
      ...events.bytes.slice(0, end),
      ...events.bytes.slice(description, description + 1),
      ...events.bytes.slice(end + 1),
    ];
    const cutOff = new Set<string>();
    expect(events.play(cut, cutOff).error).toMatchObject({ code: 'TL-3313', recovery: 'retry' });
    const again = events.play(cut, cutOff);
    expect(again.error).toBeNull();
    expect(again.rows).toMatchObject([{ kind: 'delete', before: ['1'] }]);
  });

  if (vendor === 'mysql')
    test('a source that has given the last number to another transaction is not read', async () => {
      const d = await database();
      await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
      const { stored } = await endOf(server);
      const reading = await read(d);
      await server.query(`INSERT INTO ${d}.t VALUES (1)`);
      await caughtUp(reading);
      await reading[Symbol.asyncDispose]();
      await server.query(`INSERT INTO ${d}.t VALUES (2)`);
      const route = mysqlRoute(server, d);
      const { position, lastCommit } = reading.checkpoint;
      await using same = new BinlogReading({ route, start: { position, lastCommit }, stored });
      await caughtUp(same);
      expect(same.rows).toEqual([['2']]);
      if (lastCommit === null) throw new Error('no transaction was applied');
      const other = { ...lastCommit, id: lastCommit.id.replace(/\d$/, (digit) => String(9 - Number(digit))) };
      await using restored = new BinlogReading({ route, start: { position, lastCommit: other }, stored });
      expect(await restored.failure()).toMatchObject({ code: 'TL-3109' });
    });
  else {
    test('a GTID that does not rise within its domain halts, and is not taken for one that was applied', async () => {
      const d = await database();
      await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY); INSERT INTO ${d}.t VALUES (1)`);
      await using reading = await read(d);
      await server.query(
        `SET GLOBAL gtid_strict_mode = OFF; SET SESSION gtid_domain_id = 7; INSERT INTO ${d}.t VALUES (2); SET SESSION gtid_seq_no = 100; INSERT INTO ${d}.t VALUES (3)`,
      );
      await caughtUp(reading);
      await server.query(`SET SESSION gtid_domain_id = 7; SET SESSION gtid_seq_no = 50; INSERT INTO ${d}.t VALUES (4)`);
      expect(await reading.failure()).toMatchObject({ code: 'TL-3312' });
      expect(reading.rows).toEqual([['2'], ['3']]);
      await server.query('SET GLOBAL gtid_strict_mode = ON; RESET MASTER');
    });

    test('an XA transaction that has nothing for the route is committed over a restart', async () => {
      const d = await database();
      await server.query(
        `CREATE TABLE ${d}.t (id int PRIMARY KEY); CREATE DATABASE IF NOT EXISTS elsewhere; CREATE TABLE elsewhere.${d} (id int)`,
      );
      const { stored } = await endOf(server);
      const reading = await read(d);
      await server.query(`XA START '${d}'; INSERT INTO elsewhere.${d} VALUES (1); XA END '${d}'; XA PREPARE '${d}'`);
      await caughtUp(reading);
      await reading[Symbol.asyncDispose]();
      await server.query(`XA COMMIT '${d}'; INSERT INTO ${d}.t VALUES (1)`);
      await using again = new BinlogReading({ route: mysqlRoute(server, d), start: reading.checkpoint, stored });
      await caughtUp(again);
      expect(again.rows).toEqual([['1']]);
    });
  }

  test('purged binlogs and a source that was set back are refused', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const before = await endOf(server);
    await server.query(`INSERT INTO ${d}.t VALUES (1); FLUSH BINARY LOGS; INSERT INTO ${d}.t VALUES (2)`);
    const logs = await server.query('SHOW BINARY LOGS');
    const last = Object.values(logs.at(-1) ?? {})[0];
    // MariaDB leaves, without an error, what a reader that has just ended still has open.
    await until('purged binlogs', async () => {
      await server.query(`PURGE BINARY LOGS TO '${last}'`);
      const [first] = await server.query('SHOW BINARY LOGS');
      return Object.values(first ?? {})[0] === last;
    });
    const route = mysqlRoute(server, d);
    await using purged = new BinlogReading({
      route,
      start: { position: before.position, lastCommit: null },
      stored: before.stored,
    });
    expect(await purged.failure()).toMatchObject({ code: 'TL-3301' });
    const end = await endOf(server);
    await server.query(vendor === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
    await using ahead = new BinlogReading({
      route,
      start: { position: end.position, lastCommit: null },
      stored: end.stored,
    });
    expect(await ahead.failure()).toMatchObject({ code: 'TL-3302' });
  });

  test('a server that is killed in the middle of a transaction and started again is read on from the checkpoint', async () => {
    const d = await database();
    await server.query(`CREATE TABLE ${d}.t (id int PRIMARY KEY)`);
    const { stored } = await endOf(server);
    const reading = await read(d);
    await server.query(`INSERT INTO ${d}.t VALUES (1)`);
    await caughtUp(reading);
    const connection = await server.connect();
    await connection.query(`BEGIN; INSERT INTO ${d}.t VALUES (2)`);
    await server.kill9();
    expect(await reading.failure()).toMatchObject({ code: 'TL-5001', recovery: 'retry' });
    connection.destroy();
    await server.start();
    await server.query(`INSERT INTO ${d}.t VALUES (3)`);
    await using again = new BinlogReading({ route: mysqlRoute(server, d), start: reading.checkpoint, stored });
    await caughtUp(again);
    expect([...reading.rows, ...again.rows]).toEqual([['1'], ['3']]);
    await reading[Symbol.asyncDispose]();
  });
});
