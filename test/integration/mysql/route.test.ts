import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMysql, type MysqlSession } from '../../../connectors/mysql/connect.ts';
import { carryOut } from '../../../connectors/mysql/schema/carry-out.ts';
import { compareSchema } from '../../../connectors/mysql/schema/compare-schema.ts';
import { readSchema } from '../../../connectors/mysql/schema/read-schema.ts';
import type { SchemaStatement, TableSchema } from '../../../src/core/table-schema.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import type { MysqlVendor } from '../../support/mysql-binaries.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
import { isThorough } from '../../support/thorough.ts';
import { until } from '../../support/until.ts';
import { followsColumns, ignoresColumns } from './definitions-followed.ts';

/** From, to: each vendor to itself, and between the two. */
const pairs = [
  ['mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['mysql', 'mariadb'],
] as const;

let databases = 0;

const routeText = (d: string): string => {
  const where = "region = 'EU' and n > 9223372036854775807";
  const chosen = `{ name: ${d}.chosen, where: "${where}", transforms: [{ mask: { columns: [v], method: partial, keepStart: 1 } }] }`;
  return `tables: ["${d}.*", ${chosen}]\napply: { onError: park }`;
};

/** Which index comes first tells nothing. */
const inOrder = (table: TableSchema): TableSchema => ({
  ...table,
  indexes: table.indexes.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
});

/** Every kind of thing that a table is made of. */
const rich = (vendor: MysqlVendor): string => `
  CREATE TABLE c (id int AUTO_INCREMENT PRIMARY KEY, n varchar(50) NOT NULL DEFAULT 'it''s \\\\ x', t text, u int unsigned zerofill, \`a \`\`b\` int COMMENT 'as\n\\'written',
    d datetime(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), e enum('a','b''c') CHARACTER SET latin1 DEFAULT 'a',
    id2 int DEFAULT 5, g int GENERATED ALWAYS AS (id2 + 1) STORED, v varchar(60) AS (concat(n, 'x,(', "it's")) VIRTUAL,
    x varchar(80) DEFAULT (concat('a', uuid())), bb bit(4) DEFAULT b'101', dec1 decimal(10,2) DEFAULT 1.50, ts timestamp NULL, neg int DEFAULT -7,
    j json, ge point NOT NULL, zero date DEFAULT '2020-01-01', hidden int INVISIBLE, CHECK (id2 > 0), CONSTRAINT named CHECK (n <> 'a'',b'),
    KEY k1 (n(10) DESC, id2), UNIQUE KEY u1 (id2, n) COMMENT 'it''s', FULLTEXT KEY ft (n), SPATIAL KEY sp (ge))
    ENGINE=InnoDB ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8 COMMENT='tab\\'le' AUTO_INCREMENT=77;
  CREATE TABLE f (id int PRIMARY KEY, c int, s int, CONSTRAINT fk1 FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE ON UPDATE SET NULL, FOREIGN KEY (s) REFERENCES f (id));
  CREATE TABLE nokey (a int NOT NULL, b int, UNIQUE KEY (a), KEY k1 (b)) DEFAULT CHARSET latin1;
  CREATE TABLE counts (a int PRIMARY KEY, n bigint unsigned AUTO_INCREMENT, KEY by_a (a, n), KEY by_n (n));
  CREATE TABLE p1 (id int, d date NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (year(d)) SUBPARTITION BY HASH (to_days(d)) SUBPARTITIONS 2
    (PARTITION p0 VALUES LESS THAN (2020), PARTITION \`p max\` VALUES LESS THAN MAXVALUE);
  CREATE TABLE p2 (id int, \`d e\` date NOT NULL, PRIMARY KEY (id, \`d e\`)) PARTITION BY RANGE COLUMNS (\`d e\`, id) (PARTITION p0 VALUES LESS THAN ('2020-01-01', 5));
  CREATE TABLE p3 (id int PRIMARY KEY) PARTITION BY KEY (id) PARTITIONS 3;
  ${
    vendor === 'mysql'
      ? `CREATE TABLE m1 (id int PRIMARY KEY, a varchar(20), g geometry NOT NULL SRID 4326, KEY k ((lower(a))), KEY k2 ((id + 1), a), KEY k3 (a) INVISIBLE, CHECK (id > 0) NOT ENFORCED)`
      : `CREATE TABLE m1 (id int PRIMARY KEY, a varchar(20) CHECK (a <> 'x'), u uuid, i inet6, t text DEFAULT 'abc', w int DEFAULT (id + 1), z text COMPRESSED, KEY k (a) IGNORED) DEFAULT CHARSET=latin1 PAGE_COMPRESSED=1`
  }`;

describe.each(pairs)('from %s to %s', (from, to) => {
  let source: MysqlServer;
  let target: MysqlServer;
  beforeAll(async () => {
    [source, target] = await Promise.all([startMysql({ vendor: from }), startMysql({ vendor: to })]);
  });
  afterAll(async () => {
    await source[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  });

  /** The same tables at both sides. */
  async function tables(definitions: string): Promise<string> {
    const name = `r${++databases}`;
    for (const server of [source, target])
      await server.query(`CREATE DATABASE ${name}; USE ${name}; ${definitions.replaceAll('DB', name)}`);
    return name;
  }

  test('the target gets what the source has, in two halves, and then nothing is missing', async () => {
    const name = `r${++databases}`;
    await source.query(`CREATE DATABASE ${name}; USE ${name}; ${rich(from)}`);
    const [here, there] = await Promise.all([connectMysql(source.node), connectMysql(target.node)]);
    try {
      const names = await here.query(
        `SELECT table_name FROM information_schema.tables WHERE table_schema = '${name}' AND table_type = 'BASE TABLE'`,
      );
      const described = (session: MysqlSession) =>
        readSchema(
          session,
          names.map(([table]) => ({ schema: name, name: String(table) })),
        );
      const expected = await described(here);
      const options = { route: 'r', node: 'there', from, to, foreignKeysAct: from === 'mariadb' };
      const missing = async () => compareSchema(there, expected, options);
      const make = async (statements: readonly SchemaStatement[], isFirst = false) => {
        const refused: string[] = [];
        const { signal } = new AbortController();
        const onRefused = ({ what }: SchemaStatement): number => refused.push(what);
        const nonsense = { half: 'before', what: 'nonsense', text: 'CREATE TABLE' } as const;
        const all = isFirst ? [nonsense, ...statements] : statements;
        await carryOut(target.node, all, { signal, onBegin: () => {}, onRefused });
        // What is refused keeps none of the others back.
        expect(refused).toEqual(isFirst ? ['nonsense'] : []);
      };
      const first = await missing();
      expect(first.findings.filter(({ level }) => level === 'error')).toEqual([]);
      const before = first.statements.filter(({ half }) => half === 'before');
      // Cut short at any place, and given again.
      await make(before.slice(0, 3), true);
      expect((await missing()).statements).toEqual(first.statements.slice(3));
      await make((await missing()).statements.filter(({ half }) => half === 'before'));
      const rest = (await missing()).statements;
      // With a foreign key the server makes its index.
      if (from === 'mysql') expect(rest).toEqual(first.statements.filter(({ half }) => half === 'after'));
      expect(rest.filter(({ half }) => half === 'before')).toEqual([]);
      await make((await missing()).statements);
      const done = await missing();
      expect(done.statements).toEqual([]);
      if (from === to) {
        expect(done.findings).toEqual([]);
        const { tables } = await described(there);
        expect(tables.map(inOrder)).toEqual(expected.tables.map(inOrder));
      } else {
        const told = done.findings.map(({ message }) => message.replace(/^.*target: /, ''));
        expect(told.filter((one) => !one.includes('collation'))).toEqual([
          "column g is made without SRID 4326, which is the source's vendor's alone",
          'index k is not made: MariaDB has none of expressions (lower(`a`)); a generated column with an index does the same',
          'index k2 is not made: MariaDB has none of expressions ((`id` + 1)); a generated column with an index does the same',
          'check constraint m1_chk_1 is not made: it is not enforced at the source, and MariaDB has none of that kind',
        ]);
        expect(
          told.filter((one) => one.startsWith('column n has the collation utf8mb4_uca1400_nopad_ai_ci')),
        ).toHaveLength(1);
      }
      await target.query(`USE ${name}; ALTER TABLE c DROP COLUMN g, MODIFY n varchar(60) NULL DEFAULT 'other', DROP KEY k1, ADD KEY k1 (id2);
        ALTER TABLE f DROP FOREIGN KEY fk1; ALTER TABLE counts MODIFY n bigint unsigned NOT NULL; ALTER TABLE f ADD CONSTRAINT other FOREIGN KEY (c) REFERENCES c (id)`);
      const { findings, statements } = await missing();
      expect(statements).toEqual([]);
      const told = findings
        .filter(({ statement }) => statement !== undefined)
        .map(({ level, message }) => `${level} ${message.replace(/^.*target: /, '')}`);
      expect(told.filter((one) => !one.includes('collation'))).toEqual([
        'warning column n takes NULL',
        'warning column n has another default',
        'error column g is not there',
        'warning index k1 is another one',
        'warning column n does not count by itself',
        'warning foreign key other does something else',
      ]);
      // Each statement mends what it is told with.
      for (const { statement = '' } of findings.filter(({ statement }) => statement !== undefined))
        await there.query(statement.slice(0, -1));
      expect((await missing()).findings.filter(({ statement }) => statement !== undefined)).toEqual([]);
    } finally {
      here.close();
      there.close();
    }
  });

  /** What the target refuses is set aside, told, and goes through once that is mended. */
  async function parks(d: string, file: RouteFile): Promise<void> {
    await target.query(`ALTER TABLE ${d}.t ADD CONSTRAINT refuses CHECK (v <> 'bad')`);
    await source.query(`INSERT INTO ${d}.t (v) VALUES ('bad')`);
    // Together with what comes later to the same row it would not be refused.
    await until('it is parked', async () => (await target.query('SELECT 1 FROM tidelock.parked')).length === 1);
    await source.query(`UPDATE ${d}.t SET v = 'good' WHERE v = 'bad'; INSERT INTO ${d}.t (v) VALUES ('free')`);
    await until(
      'what is free is applied',
      async () => (await target.query(`SELECT 1 FROM ${d}.t WHERE v = 'free'`)).length === 1,
    );
    const listed = JSON.parse((await file.tidelock('parked', 'list', 'here-to-there', '--json')).out);
    expect(listed.parked).toMatchObject([
      { cause: 'error', tables: [{ table: `${d}.t`, inserts: 1 }] },
      { cause: 'behind' },
    ]);
    await target.query(`ALTER TABLE ${d}.t DROP CONSTRAINT refuses`);
    const retried = await file.tidelock('parked', 'retry', 'here-to-there', '--all');
    expect(retried, retried.out + retried.err).toMatchObject({ code: 0 });
  }

  /** It goes on under another name where it stood, whichever step of the command was interrupted. */
  async function renames(d: string, file: RouteFile, route: RunningRoute): Promise<void> {
    const rename = (failpoints: string) =>
      file.tidelockWith({ TIDELOCK_FAILPOINTS: failpoints }, 'rename', 'here-to-there', 'one', '--timeout', '60s');
    await rename('rename.copied=1:kill');
    await source.query(`UPDATE ${d}.t SET v = CONCAT(v, '?')`);
    await route.caughtUp();
    expect(route.log).not.toContain('fenced');
    file.configure(routeText(d), 'one');
    await rename('rename.stored=1:kill');
    await route.state('running', 60_000, 'one');
    expect(await rename('')).toMatchObject({ code: 0, out: 'here-to-there is one now\n' });
    await source.query(`UPDATE ${d}.t SET v = CONCAT(v, '.'); INSERT INTO ${d}.nokey VALUES (9, 'after')`);
    expect(await file.tidelock('wait', 'one', '--timeout', '30s')).toMatchObject({ code: 0 });
    const keys = "SELECT route_key AS k, leftover AS l FROM tidelock.routes WHERE route_key LIKE 'test/%'";
    expect(await target.query(keys)).toEqual([{ k: 'test/one', l: null }]);
    expect(await target.query("SELECT 1 FROM tidelock.actions WHERE route_key <> 'test/one'")).toEqual([]);
  }

  const both = async (query: string) => Promise.all([source.query(query), target.query(query)]);

  // What MariaDB has of its own is in its definitions, its consumer and its collector.
  if (isThorough || from === 'mysql')
    test('rows that were there are loaded, what changes follows, over a kill and a halt at a new definition', async () => {
      const d = await tables(
        `CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, n decimal(10,3) NULL, v varchar(40), b varbinary(9), at datetime(3) NULL, twice decimal(12,3) AS (n * 2) STORED);
       CREATE TABLE nokey (a int, b varchar(9)); CREATE TABLE chosen (id int PRIMARY KEY, region varchar(9), n bigint unsigned, v varchar(9))`,
      );
      await source.query(
        `INSERT INTO ${d}.chosen VALUES (1, 'EU', 18446744073709551615, 'abcd'), (2, 'eu', 18446744073709551615, 'b'), (3, 'EU', 1, 'c');
         INSERT INTO ${d}.t (n, v, b, at) VALUES (1.5, 'ü''ß\\\\', x'00ff27', '2024-02-29 12:00:00.123'), (NULL, '', NULL, NULL); INSERT INTO ${d}.nokey VALUES (1, 'x'), (1, 'x')`,
      );
      await target.query(`DROP DATABASE ${d}`);
      using file = new RouteFile({ source, target, route: routeText(d) });
      // Whatever the column's collation holds equal.
      const expectChosen = async (rows: readonly (readonly [string, string])[]): Promise<void> => {
        const found = await target.query(`SELECT id, v FROM ${d}.chosen ORDER BY id`);
        expect(found.map(({ id, v }) => [id, v])).toEqual(rows);
      };
      expect(await file.tidelock('schema', 'here-to-there', '--apply')).toMatchObject({ code: 0, err: '' });
      const checked = await file.tidelock('check');
      expect(checked, checked.out + checked.err).toMatchObject({ code: 0 });
      const same = async (): Promise<void> => {
        for (const table of ['t', 'nokey']) {
          const [here, there] = await both(`SELECT * FROM ${d}.${table} ORDER BY 1, 2`);
          expect(there).toEqual(here);
        }
      };
      {
        await using route = file.run();
        await route.state('running');
        await same();
        await expectChosen([['1', 'a***']]);
        await source.query(
          `UPDATE ${d}.chosen SET region = 'EU', v = 'xy' WHERE id = 2; UPDATE ${d}.chosen SET n = 0 WHERE id = 1;
           UPDATE ${d}.t SET v = CONCAT(v, '!') WHERE id = 1; INSERT INTO ${d}.t (v) VALUES ('three'); DELETE FROM ${d}.t WHERE id = 2; DELETE FROM ${d}.nokey LIMIT 1`,
        );
        await route.caughtUp();
        await same();
        await expectChosen([['2', 'x*']]);
        await source.query(
          `BEGIN; INSERT INTO ${d}.t (v) VALUES ('four'); TRUNCATE ${d}.nokey; INSERT INTO ${d}.nokey VALUES (7, 'y')`,
        );
        await route.caughtUp();
        await same();
        if (from !== to) await parks(d, file);
        await same();
        await route.kill9();
      }
      await source.query(`UPDATE ${d}.t SET n = 2.25; INSERT INTO ${d}.nokey VALUES (8, 'z')`);
      await using route = file.run();
      await route.state('running');
      await route.caughtUp();
      await same();
      await source.query(`ALTER TABLE ${d}.t ADD COLUMN more int`);
      await source.query(`INSERT INTO ${d}.t (v, more) VALUES ('five', 5)`);
      await route.reason('TL-4105');
      await target.query(`ALTER TABLE ${d}.t ADD COLUMN more int`);
      expect(await file.tidelock('start', 'here-to-there', '--accept-schema-change')).toMatchObject({ code: 0 });
      await route.caughtUp();
      await same();
      if (from === to) await renames(d, file, route);
      await same();
      expect(await route.stop()).toBe(0);
    });

  // Other pairs in `npm run test:full`.
  if (isThorough || (from === 'mysql' && to === 'mysql')) {
    test('columns that come and go are left out', () => ignoresColumns({ source, target, tables }));

    test('what is done to columns is done at the target, once, over kills', () =>
      followsColumns({ source, target, tables }));
  }
});
