import { expect } from 'vitest';
import type { MysqlServer } from '../../support/mysql.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
import { until } from '../../support/until.ts';

export interface Ends {
  readonly source: MysqlServer;
  readonly target: MysqlServer;
  /** The same tables at both sides; gives their database. */
  tables(definitions: string): Promise<string>;
}

/** Columns that come are left out, those that go are no longer written; nothing is altered at the target. */
export async function ignoresColumns({ source, target, tables }: Ends): Promise<void> {
  const d = await tables('CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(9) DEFAULT "gone")');
  using file = new RouteFile({ source, target, name: 'ignores', route: `tables: ["${d}.*"]\nschemaChanges: ignore` });
  await using route = file.run();
  await route.state('running');
  await source.query(`USE ${d}; INSERT INTO t VALUES (1, 1, 'x');
    ALTER TABLE t ADD COLUMN more int DEFAULT 7 FIRST; INSERT INTO t (id, a, more) VALUES (2, 2, 2);
    ALTER TABLE t DROP b, ADD INDEX (more); INSERT INTO t (id, a) VALUES (3, 3)`);
  await route.caughtUp();
  const shown = async (): Promise<string[]> =>
    (await target.query(`SELECT CONCAT_WS(' ', id, a, b) AS r FROM ${d}.t ORDER BY id`)).map(({ r }) => r ?? '');
  expect(await shown()).toEqual(['1 1 x', '2 2 gone', '3 3 gone']);
  expect(await file.status()).toMatchObject({ state: 'running' });
  // Over a restart the column that is left out stays so; one that has another name can't be.
  await route.kill9();
  await source.query(`UPDATE ${d}.t SET more = 9, a = a + 1`);
  await using again = file.run();
  await again.state('running');
  await again.caughtUp();
  expect(await shown()).toEqual(['1 2 x', '2 3 gone', '3 4 gone']);
  await source.query(`ALTER TABLE ${d}.t RENAME COLUMN a TO c`);
  await again.reason('TL-4110');
  await again.stop();
}

/** Each with rows before and behind it, so that each is met in its place; `T` is the table. */
const followed: readonly (readonly string[])[] = [
  ["ALTER TABLE T ADD COLUMN c int NOT NULL DEFAULT 5 AFTER id, ADD s varchar(9) DEFAULT 'it''s \\\\ ü'"],
  ["ALTER TABLE T ADD m decimal(8,3) DEFAULT -1.5, ADD at datetime(2) DEFAULT '2024-02-29 01:02:03.4', ADD n int"],
  ["ALTER TABLE T ADD e enum('x','y') NOT NULL, ADD w text"],
  ['ALTER TABLE T DROP COLUMN v, ADD INDEX (c)'],
  ['ALTER TABLE T RENAME COLUMN c TO d'],
  [
    'ALTER TABLE T MODIFY id BIGINT NOT NULL AUTO_INCREMENT, CHANGE d c BIGINT NOT NULL DEFAULT 5, MODIFY s VARCHAR(40)',
  ],
  ['ALTER TABLE T RENAME COLUMN m TO n, RENAME COLUMN n TO m'],
  ['ALTER TABLE T DROP n, ADD n int DEFAULT 8'],
  // More than one before a row tells.
  [
    'ALTER TABLE T ADD x int DEFAULT 1',
    'ALTER TABLE T ADD y int DEFAULT 2, DROP x',
    'ALTER TABLE T RENAME COLUMN y TO x',
  ],
  ["ALTER TABLE T COMMENT 'the same', ALTER x SET DEFAULT 3"],
];

/** The target becomes what the source is, over kills on both sides of the statement that alters it; what can't be followed halts. */
export async function followsColumns({ source, target, tables }: Ends): Promise<void> {
  const d = await tables(
    `CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT, v int); CREATE TABLE other (id int PRIMARY KEY)`,
  );
  const entries = `tables: ["${d}.other", { name: "${d}.t", where: "id > 0" }]`;
  using file = new RouteFile({ source, target, name: 'follows', route: `${entries}\nschemaChanges: evolve` });
  const shown = async (server: MysqlServer): Promise<unknown> => {
    const columns = await server.query(
      `SELECT column_name AS c, column_type AS t FROM information_schema.columns WHERE table_schema = '${d}' AND table_name = 't' ORDER BY 1`,
    );
    // MariaDB shows a width with every whole number, MySQL with none.
    const types = columns.map(({ c, t }) => `${c} ${t?.replace(/int\(\d+\)/, 'int')}`);
    return [types, await server.query(`SELECT ${columns.map(({ c }) => c).join()} FROM ${d}.t ORDER BY id`)];
  };
  const same = async (): Promise<void> => expect(await shown(target)).toEqual(await shown(source));
  const insert = `INSERT INTO ${d}.other SELECT COUNT(*) FROM ${d}.other; INSERT INTO ${d}.t (id) VALUES (NULL)`;
  const alter = async (statements: readonly string[]): Promise<void> => {
    // Left out, so that the checkpoint is not moved behind it.
    await source.query(`INSERT INTO ${d}.t (id) VALUES (-1); DELETE FROM ${d}.t WHERE id < 0`);
    for (const statement of statements) await source.query(statement.replaceAll(/\bT\b/g, `${d}.t`));
    await source.query(`BEGIN; ${insert}; COMMIT`);
  };
  await source.query(insert);
  {
    await using route = file.run({
      TIDELOCK_FAILPOINTS: 'evolve.altered=2:kill,evolve.intended=1:kill@1,evolve.stored=1:kill@2',
    });
    await route.unhalted(route.state('running'));
    for (const statements of followed.slice(0, 5)) await alter(statements);
    await route.unhalted(route.caughtUp(60_000));
    await same();
    await route.kill9();
  }
  // MariaDB has it in the column's definition, which is written anew.
  await target.query(`ALTER TABLE ${d}.t MODIFY s varchar(9) DEFAULT 'it''s \\\\ ü' CHECK (s <> 'never')`);
  // All at once, behind what the catalogue shows by then.
  for (const statements of followed.slice(5)) await alter(statements);
  await using route = file.run();
  await route.unhalted(route.state('running'));
  await route.unhalted(route.caughtUp(60_000));
  await same();
  const [created] = await target.query(`SHOW CREATE TABLE ${d}.t`);
  expect(created?.['Create Table']).toMatch(/`s` varchar\(40\)[\s\S]*CHECK \(+`s` <> /);
  await halts(file, route, { source, target, d });
  await same();
}

async function halts(
  file: RouteFile,
  route: RunningRoute,
  { source, target, d }: { readonly source: MysqlServer; readonly target: MysqlServer; readonly d: string },
): Promise<void> {
  await source.query(`ALTER TABLE ${d}.t MODIFY x BIGINT NOT NULL`);
  await route.reason('TL-4109');
  await target.query(`ALTER TABLE ${d}.t MODIFY x BIGINT NOT NULL`);
  await file.tidelock('start', 'here-to-there', '--accept-schema-change');
  await route.caughtUp();
  // The target has refused it: nothing of it is left, and a person does it.
  await target.query(`ALTER TABLE ${d}.t ADD z int`);
  await source.query(`ALTER TABLE ${d}.t ADD z int DEFAULT 4`);
  await route.reason('TL-2220');
  await target.query(`UPDATE ${d}.t SET z = 4`);
  await file.tidelock('start', 'here-to-there', '--accept-schema-change');
  await route.caughtUp();
  await source.query(`ALTER TABLE ${d}.t ADD zz int DEFAULT 9; INSERT INTO ${d}.t (x) VALUES (1)`);
  await route.caughtUp();
  // The catalogue, and the rows behind it, have the column no more: the target would keep its old values.
  const generated = `ALTER TABLE ${d}.t MODIFY zz int AS (z * 2) STORED`;
  await source.query(`${generated}; INSERT INTO ${d}.t (x) VALUES (2)`);
  // The reason of the halt before was cleared by what came through since.
  await until('the halt', async () => (await file.status()).state === 'failed');
  expect(await file.status()).toMatchObject({ reason: { code: 'TL-4109' } });
  await target.query(generated);
  await file.tidelock('start', 'here-to-there', '--accept-schema-change');
  await route.caughtUp();
}
