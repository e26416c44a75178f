import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

/** `TIDELOCK_TEST_TABLES=5000` takes about 30 s on two idle cores, most of it for making the tables. */
const tables = Number(process.env.TIDELOCK_TEST_TABLES ?? 2_000);

/** For each of the tables; so many in one transaction that no server runs out of locks. */
async function forEach(database: TestDatabase, statement: string, step = 1): Promise<void> {
  await database.query(
    `DO $do$ BEGIN FOR i IN 1..${tables} BY ${step} LOOP EXECUTE replace($s$${statement}$s$, '{i}', i::text);
      IF i % 200 = 0 THEN COMMIT; END IF; END LOOP; END $do$`,
  );
}

async function fingerprint(database: TestDatabase): Promise<unknown> {
  const query = `SELECT md5(string_agg(query_to_xml('SELECT * FROM t' || i || ' ORDER BY id', false, false, '')::text, ',' ORDER BY i)) AS v
    FROM generate_series(1, ${tables}) i`;
  return (await database.query(query))[0]?.v;
}

function residentBytes(pid: number): number {
  return Number(/VmHWM:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024;
}

test('thousands of tables start within seconds, stream, and take little memory', { timeout: 240_000 }, async () => {
  const servers: PostgresServer[] = await Promise.all([startPostgres(), startPostgres()]);
  const [here, there] = servers as [PostgresServer, PostgresServer];
  await using _here = here;
  await using _there = there;
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source, target].map((db) => forEach(db, 'CREATE TABLE t{i} (id int PRIMARY KEY, v text)')));
  await forEach(source, `INSERT INTO t{i} VALUES (1, 'loaded')`, 3);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  // What reads the catalogue table by table needs minutes.
  await route.state('running', 40_000);
  await forEach(source, `INSERT INTO t{i} VALUES (2, 'new'); UPDATE t{i} SET v = v || '!'`);
  await forEach(source, `DELETE FROM t{i} WHERE id = 1`, 2);
  await route.caughtUp();
  expect(await fingerprint(target)).toEqual(await fingerprint(source));
  if (process.platform === 'linux') expect(residentBytes(await route.workerPid())).toBeLessThan(400_000_000);
  // Each by itself, so that a group holds changes of very many tables.
  await forEach(source, `UPDATE t{i} SET v = 'end'`);
  await route.caughtUp();
  expect(await fingerprint(target)).toEqual(await fingerprint(source));
});
