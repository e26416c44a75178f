import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CompareDocument, ComparedTable } from '../../../src/operations/compare/compare-document.ts';
import type { RepairDocument } from '../../../src/operations/repair/repair-document.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';
import { writerRestMs } from '../../support/writer-rest.ts';

const servers = twoServers();

test('rows that change are the same row in the log and in what was read, whatever the type of their key', async () => {
  const { source, target } = await servers.pair(`
    CREATE DOMAIN price AS numeric(8,2);
    CREATE TABLE flag (id int, on_sale bool, n bigint NOT NULL DEFAULT 0, PRIMARY KEY (id, on_sale));
    CREATE TABLE host (address inet PRIMARY KEY, n bigint NOT NULL DEFAULT 0);
    CREATE TABLE weight (kg float4 PRIMARY KEY, n bigint NOT NULL DEFAULT 0);
    CREATE TABLE tier (least price PRIMARY KEY, n bigint NOT NULL DEFAULT 0);`);
  await source.query(`
    INSERT INTO flag SELECT i, i % 2 = 0 FROM generate_series(1, 20) i;
    INSERT INTO host SELECT '10.0.0.0'::inet + i FROM generate_series(1, 20) i;
    INSERT INTO weight SELECT i / 10.0 FROM generate_series(1, 20) i;
    INSERT INTO tier SELECT i FROM generate_series(1, 20) i;`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  const tables = ['flag', 'host', 'weight', 'tier'];
  await using _writer = repeating(source, tables.map((table) => `UPDATE ${table} SET n = n + 1`).join(';'));
  for (let turn = 0; turn < 3; turn++) {
    const { document } = await compare(file);
    for (const table of document.tables) expect(table).toMatchObject({ missing: 0, extra: 0, different: 0 });
  }
});

test('a database of another encoding is compared, by a hash that does not depend on it', async () => {
  const definition = 'CREATE TABLE word (id int PRIMARY KEY, w text, b bytea, n numeric)';
  const { source } = await servers.pair(definition, '');
  await servers.there
    .database('postgres')
    .query(`CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const target = servers.there.database('latin');
  await target.query(definition);
  await source.query(
    `INSERT INTO word SELECT i, 'déjà vu ' || i, convert_to('é' || i, 'UTF8'), i / 3.0 FROM generate_series(1, 3000) i`,
  );
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  expect((await compare(file)).document).toMatchObject({ equal: true, tables: [{ rows: 3000 }] });
  const [step] = await target.query(`SELECT state ->> 'kind' AS kind FROM tidelock.job_steps WHERE step = 'hash'`);
  expect(step).toEqual({ kind: 'portable' });
  await target.query(`UPDATE word SET w = replace(w, 'é', 'è') WHERE id = 77; DELETE FROM word WHERE id = 78`);
  const { document } = await compare(file);
  expect(document).toMatchObject({ tables: [{ missing: 1, extra: 0, different: 1, examples: [{}, {}] }] });
});

test('rows that begin or cease to meet --where while they are compared are not missing', async () => {
  const { source, target } = await servers.pair('CREATE TABLE job (id int PRIMARY KEY, is_open bool NOT NULL)');
  await source.query('INSERT INTO job SELECT i, i % 2 = 0 FROM generate_series(1, 200) i');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await using _writer = repeating(source, 'UPDATE job SET is_open = NOT is_open');
  for (let turn = 0; turn < 3; turn++) {
    const { document } = await compare(file, '--where', 'is_open');
    for (const table of document.tables) expect(table).toMatchObject({ missing: 0, extra: 0, different: 0 });
  }
});

test('what the target has rounded or cut, and a composite that is NULL, is told as different', async () => {
  const { source, target } = await servers.pair(`
    CREATE TYPE span AS (a int, b int);
    CREATE TABLE item (id int PRIMARY KEY, n numeric(10,2), t timestamp, s varchar(20), d span);`);
  await source.query(`
    INSERT INTO item VALUES (1, 1.25, '2026-11-01 10:00:00.25', 'a text', '(,)'), (2, 2.5, '2026-11-01 10:00:00', 'text', NULL),
      (3, 3, '2026-11-01 10:00:00.5', 'b', '(1,)'), (4, 4, NULL, 'longer', NULL)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  expect((await compare(file)).document.equal).toBe(true);
  await target.query(`
    ALTER TABLE item ALTER n TYPE numeric(10,1), ALTER t TYPE timestamp(0), ALTER s TYPE varchar(4) USING left(s, 4);
    UPDATE item SET d = NULL WHERE id = 1`);
  const { code, document } = await compare(file, '--show-values');
  expect(code).toBe(1);
  const [table] = document.tables as readonly ComparedTable[];
  expect(table).toMatchObject({ missing: 0, extra: 0, different: 3, undecided: 0 });
  expect(table?.examples.map(({ values, columns }) => [values?.key.id, ...columns])).toEqual([
    ['1', 'n', 't', 's', 'd'],
    ['3', 't'],
    ['4', 's'],
  ]);
});

test('a repair rounds nothing, and what a deferrable constraint refuses stays refused', async () => {
  const { source, target } = await servers.pair(`
    CREATE TABLE item (id int PRIMARY KEY, n numeric(10,2));
    CREATE TABLE place (id int PRIMARY KEY, at int);`);
  await source.query('INSERT INTO item VALUES (1, 1.25), (2, 2.5); INSERT INTO place VALUES (1, 1), (2, 2)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await target.query(`
    ALTER TABLE item ALTER n TYPE numeric(10,1);
    UPDATE item SET n = 7 WHERE id = 2;
    UPDATE place SET at = NULL WHERE id = 2;
    INSERT INTO place VALUES (3, 2);
    ALTER TABLE place ADD UNIQUE (at) DEFERRABLE INITIALLY DEFERRED`);
  const { code, out } = await file.tidelock('repair', 'here-to-there', '--yes', '--json', '--where', 'id < 3');
  expect(code).toBe(1);
  const tables = new Map((JSON.parse(out) as RepairDocument).tables.map((table) => [table.name, table]));
  expect(tables.get('public.item')).toMatchObject({ different: 2, repaired: 1, left: 1 });
  expect(tables.get('public.place')).toMatchObject({ different: 1, repaired: 0, left: 1 });
  expect(Object.keys(tables.get('public.place')?.refused ?? {})).toEqual([expect.stringContaining('SQLSTATE 23505')]);
  expect(await target.query('SELECT n::text FROM item ORDER BY id')).toEqual([{ n: '1.3' }, { n: '2.5' }]);
  expect(await target.query('SELECT at FROM place WHERE id = 2')).toEqual([{ at: null }]);
});

test('a table that is locked at the target while it is looked at does not hold up the others', async () => {
  const { source, target } = await servers.pair(`
    CREATE TABLE item (id int PRIMARY KEY, s text); CREATE TABLE other (id int PRIMARY KEY, n int)`);
  await source.query(`INSERT INTO item VALUES (1, 'text'); INSERT INTO other VALUES (1, 0)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await target.query(`UPDATE item SET s = 'another'`);
  const [row, table] = [await target.client(), await target.client()];
  let compared: ReturnType<typeof compare>;
  try {
    // The stream stands still until the look is to come, and then goes on to it.
    await row.query('BEGIN; SELECT FROM other FOR UPDATE');
    await source.query('UPDATE other SET n = 1');
    compared = compare(file, 'public.item');
    compared.catch(() => {});
    await until('a watermark', async () => {
      const found = await source.query(
        `SELECT FROM pg_stat_activity WHERE application_name LIKE '% load' AND query LIKE '%emit_message%'`,
      );
      return found.length > 0;
    });
    await table.query('BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE');
    await row.query('COMMIT');
    await source.query('INSERT INTO other VALUES (2, 0)');
    await until(
      'the row behind the look',
      async () => (await target.query('SELECT FROM other WHERE id = 2')).length === 1,
      15_000,
    );
  } finally {
    await Promise.all([row.end(), table.end()]);
  }
  expect((await compared).document.tables).toMatchObject([{ different: 1, undecided: 0 }]);
});

test('a table that the source has no more does not count as equal', async () => {
  const { source, target } = await servers.pair(
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)',
  );
  await source.query('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await source.query('DROP TABLE b');
  const { code, document } = await compare(file);
  expect(code).toBe(1);
  expect(document.equal).toBe(false);
  expect(document.tables.find(({ name }) => name === 'public.b')?.unverified).toContain('not there at the source');
});

async function compare(
  file: RouteFile,
  ...more: readonly string[]
): Promise<{ readonly code: number; readonly document: CompareDocument }> {
  const { code, out, err } = await file.tidelock('compare', 'here-to-there', '--json', ...more);
  if (code > 1) throw new Error(`${out}\n${err}`);
  return { code, document: JSON.parse(out) as CompareDocument };
}

/** The same statement as fast as it can until it is disposed of. */
function repeating(db: TestDatabase, statement: string): AsyncDisposable {
  const over = new AbortController();
  const writer = async (): Promise<void> => {
    const client = await db.client();
    try {
      while (!over.signal.aborted) {
        await client.query(statement);
        // Each look of a compare lasts as long as the route lags, and that would grow without an end.
        await delay(writerRestMs);
      }
    } finally {
      await client.end();
    }
  };
  const written = writer();
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await written;
    },
  };
}
