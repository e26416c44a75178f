import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { CompareDocument, ComparedTable } from '../../../src/operations/compare/compare-document.ts';
import type { RepairDocument, UndoneDocument } from '../../../src/operations/repair/repair-document.ts';
import type { MysqlServer } from '../../support/mysql.ts';
import { RouteFile } from '../../support/route.ts';
import { writerRestMs } from '../../support/writer-rest.ts';

/**
 * `word` is ordered by each vendor in its own way, `code` by the numbers of its members, of `part` no bound can be written, `loose` and `bare` have no key, and `ticket` no primary one; columns of the target's `item` have more digits.
 */
const schema = (digits: string, bits: number): string => `
  CREATE TABLE item (id bigint PRIMARY KEY, s varchar(90), c char(6), n decimal(${digits}), d double, f float, at timestamp(3) NULL, b blob, y year, bits bit(${bits}),
    e enum('a', 'b,c'), body longtext, turns int NOT NULL DEFAULT 0);
  CREATE TABLE pair (a varchar(20) COLLATE utf8mb4_bin, b int, v varchar(40), PRIMARY KEY (b, a));
  CREATE TABLE bin (k varbinary(8) PRIMARY KEY, n int);
  CREATE TABLE word (w varchar(40) COLLATE utf8mb4_general_ci PRIMARY KEY, n int);
  CREATE TABLE code (k enum('z', 'x', 'y'), n int, v varchar(9), PRIMARY KEY (k, n));
  CREATE TABLE part (k float PRIMARY KEY, n int);
  CREATE TABLE loose (v varchar(20), n int);
  CREATE TABLE bare (s varchar(90), c char(6), n decimal(${digits}), d double, f float, at timestamp(3) NULL, b blob, y year, bits bit(${bits}), e enum('a', 'b,c'), body longtext);
  CREATE TABLE ticket (a int NOT NULL, b int NOT NULL, code varchar(9) NOT NULL, UNIQUE KEY by_code (b, code), KEY (a));
  CREATE TABLE person (id int unsigned PRIMARY KEY, name varchar(40), region varchar(9));
  CREATE TABLE hot (id int PRIMARY KEY, n bigint NOT NULL);
  CREATE TABLE day (d date PRIMARY KEY, n int)`;

const rows = 3_000;

/** No statement knows as many numbers on both vendors. */
const numbers = `(SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS i FROM ${['a', 'b', 'c', 'd']
  .map((name) => `(SELECT 0 AS n ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `UNION ALL SELECT ${n}`).join(' ')}) ${name}`)
  .join(' CROSS JOIN ')}) numbers`;

const fill = `
  INSERT INTO item SELECT i, CASE WHEN i % 7 = 0 THEN '' WHEN i % 11 = 0 THEN NULL ELSE CONCAT('täxt, ', i) END, CONCAT('c', i % 100), i / 8, i / 3e0, i / 7e0,
    TIMESTAMPADD(SECOND, i, '2026-11-01 00:00:00.250'), UNHEX(SHA2(i, 256)), 1901 + i % 200, i % 32, IF(i % 2, 'a', 'b,c'), IF(i % 40 = 0, REPEAT(CONCAT('long ', i), 90), NULL), 0
    FROM ${numbers} WHERE i <= ${rows};
  INSERT INTO pair SELECT CONCAT('k', i), i % 50, CONCAT('v', i) FROM ${numbers} WHERE i <= 2000;
  INSERT INTO bin SELECT UNHEX(LEFT(SHA2(i, 256), 12)), i FROM ${numbers} WHERE i <= 1500;
  INSERT INTO word SELECT CONCAT(CHAR(65 + i % 26 USING utf8mb4), i), i FROM ${numbers} WHERE i <= 600;
  INSERT INTO code SELECT 1 + i % 3, i, 'v' FROM ${numbers} WHERE i <= 300;
  INSERT INTO ticket SELECT i, i % 9, CONCAT('t', i) FROM ${numbers} WHERE i <= 400;
  INSERT INTO loose SELECT CONCAT('x', i % 300), i % 10 FROM ${numbers} WHERE i <= 900;
  INSERT INTO bare SELECT s, c, n, d, f, at, b, y, bits, e, body FROM item WHERE id <= 60;
  INSERT INTO part SELECT i / 7e0, i FROM ${numbers} WHERE i <= 90;
  INSERT INTO person SELECT i, CONCAT('Name ', i), IF(i % 3 = 0, 'EU', 'US') FROM ${numbers} WHERE i <= 900;
  INSERT INTO hot SELECT i, 0 FROM ${numbers} WHERE i <= 20;
  SET SESSION sql_mode = 'ALLOW_INVALID_DATES';
  INSERT INTO day SELECT CONCAT('2024-', 1 + i % 12, '-', 1 + i % 31), i FROM ${numbers} WHERE i <= 372`;

/** As an application, or a fault, would: without the route. Rows whose number is a multiple of 50 are left alone by the writer. */
const spoil = `
  UPDATE item SET s = 'täxT, 200' WHERE id = 200;
  UPDATE item SET s = NULL WHERE id = 350;
  UPDATE item SET s = CONCAT(s, ' ') WHERE id = 400;
  UPDATE item SET n = n + 0.000001 WHERE id = 500;
  UPDATE item SET b = CONCAT(b, x'00') WHERE id = 600;
  UPDATE item SET at = at + INTERVAL 1 MICROSECOND WHERE id = 800;
  UPDATE item SET d = d * (1 + 2.3e-16) WHERE id = 850;
  UPDATE item SET f = f * 1.0000001 WHERE id = 900;
  UPDATE item SET body = CONCAT(body, '.') WHERE id = 1000;
  UPDATE item SET y = y + 1, bits = 0, e = 'a', c = 'C' WHERE id = 1050;
  DELETE FROM item WHERE id IN (50, ${rows});
  INSERT INTO item (id, s) VALUES (-1, 'in front'), (${rows + 1}, 'behind');
  UPDATE pair SET v = CONCAT(v, ' ') WHERE a = 'k50' AND b = 0;
  DELETE FROM pair WHERE a = 'k2000' AND b = 0; INSERT INTO pair VALUES ('K50', 0, 'between');
  UPDATE bin SET n = -n WHERE n = 7; DELETE FROM bin WHERE n = 8; INSERT INTO bin VALUES (x'', 0);
  UPDATE word SET n = -1 WHERE w = 'B1'; DELETE FROM word WHERE n = 100; INSERT INTO word VALUES ('zz', 0);
  UPDATE code SET v = 'w' WHERE n = 3; DELETE FROM code WHERE n = 4; INSERT INTO code VALUES ('x', 1000, 'v');
  DELETE FROM loose WHERE v = 'x7' LIMIT 1; UPDATE loose SET n = -1 WHERE v = 'x8'; INSERT INTO loose VALUES ('x9', 9), ('x9', 9);
  UPDATE bare SET f = f * 1.0000001 WHERE s = 'täxt, 8'; DELETE FROM bare WHERE s = 'täxt, 9'; INSERT INTO bare SELECT * FROM bare WHERE s = 'täxt, 10';
  UPDATE bare SET e = 'a' WHERE s = 'täxt, 16';
  UPDATE part SET n = -1 WHERE n = 5; DELETE FROM part WHERE n = 6; INSERT INTO part VALUES (0.3, 0);
  UPDATE ticket SET a = -1 WHERE a = 5; DELETE FROM ticket WHERE a = 6; INSERT INTO ticket VALUES (0, 0, 'new');
  UPDATE people SET full_name = 'x' WHERE id = 300; DELETE FROM people WHERE id = 600; INSERT INTO people VALUES (901, 'Name 901', 'EU');
  UPDATE day SET n = -n WHERE n = 61; DELETE FROM day WHERE n = 123; INSERT INTO day VALUES ('2025-01-01', 0)`;

const spoilt: Readonly<Record<string, readonly number[]>> = {
  item: [2, 2, 10],
  pair: [1, 1, 1],
  bin: [1, 1, 1],
  word: [1, 1, 1],
  code: [1, 1, 1],
  // Rows without a key are counted: a changed one is one that is missing and one that is extra.
  loose: [4, 5, 0],
  bare: [3, 3, 0],
  part: [1, 1, 1],
  person: [1, 1, 1],
  ticket: [1, 1, 1],
  hot: [0, 0, 0],
  // The 31st of February and of April.
  day: [1, 1, 1],
};

/** Of these, rows are looked up one by one. */
const keyed = ['bin', 'day', 'item', 'pair', 'person', 'ticket', 'word'];
/** Of these, two snapshots tell. */
const frozen = ['bare', 'code', 'loose', 'part'];

let databases = 0;

/** One route beside a writer: whatever was altered at the target is found, mended, taken back and mended again. */
export async function comparePair(source: MysqlServer, target: MysqlServer): Promise<void> {
  const [d, e] = [`cmp${++databases}`, `cpy${databases}`];
  await source.query(`CREATE DATABASE ${d}; USE ${d}; ${schema('12,4', 5)}; ${fill}`);
  await target.query(
    `CREATE DATABASE ${e}; USE ${e}; ${schema('20,6', 8)}; ALTER TABLE item MODIFY at timestamp(6) NULL;
       RENAME TABLE person TO people; ALTER TABLE people RENAME COLUMN name TO full_name`,
  );
  using file = new RouteFile({
    source,
    target,
    route: `tables:
  - { name: "${d}.*", to: "${e}.{table}" }
  - { name: ${d}.person, to: ${e}.people, columns: { rename: { name: full_name } }, transforms: [{ mapValues: { columns: [region], values: { EU: Europa, US: "" } } }] }`,
  });
  const run = async <T>(...args: string[]): Promise<{ readonly code: number; readonly document: T }> => {
    const [command = '', ...more] = args;
    const { code, out, err } = await file.tidelock(command, 'here-to-there', '--json', ...more);
    if (code > 1) throw new Error(`${args.join(' ')}: ${out}\n${err}`);
    return { code, document: JSON.parse(out) as T };
  };
  const expectFound = (document: CompareDocument, counts: Readonly<Record<string, readonly number[]>>): void => {
    for (const [name, [missing, extra, different]] of Object.entries(counts)) {
      const table = tableOf(document, `${d}.${name}`);
      expect(table, name).toMatchObject({ missing, extra, different, unverified: null });
      // Rows that change all the time may be seen changing each time.
      if (!['hot', 'loose'].includes(name)) expect(table.undecided, name).toBe(0);
    }
  };
  const expectRepaired = ({ tables }: RepairDocument, names: readonly string[]): void => {
    for (const name of names) {
      const [missing = 0, extra = 0, different = 0] = spoilt[name] ?? [];
      const table = tables.find((one) => one.name === `${d}.${name}`);
      const repaired = missing + extra + different;
      expect(table, name).toMatchObject({ repaired, left: 0, refused: {}, undecided: 0 });
    }
  };
  await using route = file.run();
  await route.state('running', 60_000);
  await route.caughtUp(30_000);
  {
    await using _work = writing(source, d);
    const before = await run<CompareDocument>('compare');
    expectFound(before.document, Object.fromEntries(Object.keys(spoilt).map((name) => [name, [0, 0, 0]])));
    expect(tableOf(before.document, `${d}.person`).rows).toBe(900);
  }
  await route.caughtUp(30_000);
  // Beside a writer it would meet the route's own locks.
  await target.query(`USE ${e}; ${spoil}`);
  {
    await using _work = writing(source, d);
    const found = await run<CompareDocument>('compare');
    expect(found.code).toBe(1);
    expectFound(found.document, spoilt);
    const columns = tableOf(found.document, `${d}.item`).examples.filter(({ kind }) => kind === 'different');
    expect(new Set(columns.map((one) => one.columns.join()))).toEqual(
      new Set(['s', 'n', 'b', 'at', 'd', 'f', 'body', 'c,y,bits,e']),
    );
    expect(JSON.stringify(found.document)).not.toContain('täxT');

    // Part of a table: what is asked of both servers is the condition's own meaning, whatever their collations say.
    const partly = await run<CompareDocument>(
      'compare',
      `${d}.item`,
      '--since',
      'at=2026-11-01 00:13:00',
      '--where',
      "e = 'a' or id <> 1050",
    );
    expect(partly.document).toMatchObject({ partial: true, tables: [{ missing: 1, different: 5, undecided: 0 }] });
    const mended = await run<RepairDocument>('repair', `${d}.item`, '--where', 'id % 500 = 0 and id < 600', '--yes');
    expect(mended).toMatchObject({ code: 0, document: { tables: [{ repaired: 1, left: 0 }] } });
    // Of a table with transforms, too, whose rows come through the engine.
    const mapped = await run<CompareDocument>('compare', `${d}.person`, '--where', 'id <= 300');
    expect(mapped.document).toMatchObject({ tables: [{ rows: 300, missing: 0, extra: 0, different: 1 }] });
    const vague = await file.tidelock('compare', 'here-to-there', `${d}.item`, '--where', "lower(s) = 'a'");
    expect(vague).toMatchObject({ code: 2 });
    expect(vague.err).toContain('TL-5010');
    await target.query(`UPDATE ${e}.item SET n = n + 0.000001 WHERE id = 500`);

    const tables = keyed.map((name) => `${d}.${name}`);
    const planned = await run<RepairDocument>('repair', ...tables, '--dry-run');
    expect(planned.document).toMatchObject({ dryRun: true, job: null, equal: false });
    const repaired = await run<RepairDocument>('repair', ...tables, '--yes');
    expect(repaired).toMatchObject({ code: 0, document: { equal: true, dryRun: false } });
    expectRepaired(repaired.document, keyed);

    const job = repaired.document.job ?? '';
    await source.query(`UPDATE ${d}.item SET s = 'newer' WHERE id = 200`);
    await route.caughtUp(30_000);
    const undone = await run<UndoneDocument>('repair', '--undo', job, '--yes');
    expect(undone.document).toMatchObject({ undone: job, rows: 31, changed: 1, refused: {} });
    const again = await run<CompareDocument>('compare', ...tables);
    expectFound(again.document, { ...only(spoilt, keyed), item: [2, 2, 9] });
    expect(await run<RepairDocument>('repair', '--last', '--yes')).toMatchObject({
      code: 0,
      document: { equal: true },
    });
  }
  await route.caughtUp(30_000);
  const tables = frozen.map((name) => `${d}.${name}`);
  const repaired = await run<RepairDocument>('repair', ...tables, '--yes');
  expect(repaired).toMatchObject({ code: 0, document: { equal: true } });
  expectRepaired(repaired.document, frozen);
  const undone = await run<UndoneDocument>('repair', '--undo', repaired.document.job ?? '', '--yes');
  expect(undone.document).toMatchObject({ rows: 21, changed: 0, refused: {} });
  expectFound((await run<CompareDocument>('compare', ...tables)).document, only(spoilt, frozen));
  expect(await run<RepairDocument>('repair', '--last', '--yes')).toMatchObject({ code: 0, document: { equal: true } });
  for (const [name, query] of Object.entries(plain)) {
    const [here, there] = [await source.query(query(`${d}.${name}`)), await target.query(query(`${e}.${name}`))];
    expect(there, name).toEqual(here);
  }
  expect(await route.stop()).toBe(0);
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
}

/** What a plain look at both sides shows. */
const plain: Readonly<Record<string, (table: string) => string>> = {
  item: (table) =>
    `SELECT id, s, c, n + 0e0 AS n, d, f * 1e0 AS f, CAST(at AS datetime(3)) AS at, HEX(b) AS b, y, bits + 0 AS bits, e, body, turns FROM ${table} ORDER BY id`,
  pair: (table) => `SELECT a, b, v FROM ${table} ORDER BY b, HEX(a)`,
  bin: (table) => `SELECT HEX(k) AS k, n FROM ${table} ORDER BY HEX(k)`,
  word: (table) => `SELECT w, n FROM ${table} ORDER BY HEX(w)`,
  code: (table) => `SELECT k, n, v FROM ${table} ORDER BY k, n`,
  loose: (table) => `SELECT v, n, COUNT(*) AS times FROM ${table} GROUP BY v, n ORDER BY v, n`,
  bare: (table) =>
    `SELECT s, c, n + 0e0 AS n, d, f * 1e0 AS f, HEX(b) AS b, y, bits + 0 AS bits, e, body FROM ${table} ORDER BY n, s, f`,
  part: (table) => `SELECT k * 1e0 AS k, n FROM ${table} ORDER BY k`,
};

function only<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
}

/** Writes rows of `item` that nobody looks at, and some of `hot` again and again. */
function writing(server: MysqlServer, database: string): AsyncDisposable {
  let isOver = false;
  const working = (async () => {
    const connection = await server.connect();
    try {
      await connection.query(`USE ${database}`);
      for (let n = 1; !isOver; n += 7) {
        const id = 1 + (n % rows);
        await connection.query(
          `BEGIN; UPDATE hot SET n = n + 1 WHERE id = ${1 + (n % 3)}; UPDATE item SET turns = turns + 1 WHERE id = ${id} AND id % 50 <> 0; COMMIT;
           REPLACE INTO item (id, s) VALUES (${100_000 + (n % 90)}, 'comes and goes'); DELETE FROM item WHERE id = ${100_000 + ((n * 3) % 90)};
           INSERT INTO loose VALUES ('comes', ${n % 5}); DELETE FROM loose WHERE v = 'comes' LIMIT 1`,
        );
        await delay(writerRestMs);
      }
    } finally {
      await connection.end();
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      await working;
    },
  };
}

function tableOf({ tables }: CompareDocument, name: string): ComparedTable {
  const table = tables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`${name} was not compared`);
  return table;
}
