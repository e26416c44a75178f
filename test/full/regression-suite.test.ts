import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startPostgres, type TestDatabase } from '../support/postgres.ts';
import { newestVersion } from '../support/postgres-binaries.ts';
import { findRegressionSuite, regressionVersion, runScript, scheduled } from '../support/regression-suite.ts';
import { RouteFile } from '../support/route.ts';
import { runDirectory } from '../support/run-directory.ts';

const suite = findRegressionSuite();

interface Found {
  readonly level: string;
  readonly code: string;
  readonly table?: string;
  readonly message: string;
}

interface Table {
  readonly schema: string;
  readonly name: string;
  /** As SQL names it. */
  readonly quoted: string;
  readonly partitioned: boolean;
  readonly columns: string | null;
}

const own = `relkind IN ('r', 'p') AND relpersistence = 'p' AND nspname !~ '^(pg_|information_schema$|tidelock$)'`;
const ofSuite = `FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE ${own} AND NOT relispartition`;

async function tablesOf(database: TestDatabase): Promise<readonly Table[]> {
  const rows = await database.query(
    `SELECT nspname AS schema, relname AS name, format('%I.%I', nspname, relname) AS quoted, relkind = 'p' AS partitioned,
      (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
    ${ofSuite} ORDER BY 1, 2`,
  );
  return rows as unknown as readonly Table[];
}

/** As the configuration names it. */
const named = ({ schema, name }: Table): string => `"${schema}"."${name}"`;
/** As Tidelock tells of it. */
const told = ({ schema, name }: Table): string => `${schema}.${name}`;

/** What the server finds old rows by, where that is not a primary key; partitions have what the whole has. */
const identities = `DO $do$ DECLARE t record; BEGIN
  FOR t IN SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE ${own} AND (relispartition OR relkind = 'p' OR relreplident IN ('d', 'n')
      AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary AND indimmediate)) LOOP
    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t.name);
  END LOOP; END $do$`;

/** Sessions show the same value alike, whatever the scripts have set for database and roles. */
const shown = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex';
  SET lc_monetary = 'C'; SET search_path = pg_catalog; SET row_security = off`;

/** What is in each table, by nothing but the server's own output; columns as the source has them. */
async function digests(database: TestDatabase, tables: readonly Table[]): Promise<readonly string[]> {
  return await database.session(async (client) => {
    await client.query(shown);
    const found: string[] = [];
    for (const { quoted, partitioned, columns } of tables) {
      const { rows } = await client
        .query(
          `SELECT count(*) || ' ' || coalesce(md5(string_agg(r, E'\\n' ORDER BY r COLLATE "C")), '') AS digest
            FROM (SELECT ROW(${columns ?? ''})::text AS r FROM ${partitioned ? '' : 'ONLY '}${quoted}) s`,
        )
        .catch((error: Error) => ({ rows: [{ digest: error.message }] }));
      found.push(`${quoted}: ${rows[0]?.digest}`);
    }
    return found;
  });
}

async function findings(file: RouteFile): Promise<readonly Found[]> {
  const { out, err } = await file.tidelock('check', 'here-to-there', '--json');
  if (out === '') throw new Error(err);
  return (JSON.parse(out) as { routes: { findings: Found[] }[] }).routes.flatMap((route) => route.findings);
}

/** Rows go, change and come in each table; what a table refuses of that is left out. */
const touched = `DO $do$ DECLARE t record; BEGIN
  SET LOCAL row_security = off;
  FOR t IN SELECT format('%I.%I', nspname, relname) AS name, (SELECT format('%I', attname) FROM pg_attribute
      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a' LIMIT 1) AS col ${ofSuite} LOOP
    BEGIN EXECUTE format('UPDATE %s SET %s = %2$s WHERE ctid IN (SELECT ctid FROM %1$s LIMIT 50)', t.name, t.col); EXCEPTION WHEN OTHERS THEN END;
    BEGIN EXECUTE format('INSERT INTO %s SELECT * FROM %1$s LIMIT 20', t.name); EXCEPTION WHEN OTHERS THEN END;
    BEGIN EXECUTE format('DELETE FROM %s WHERE ctid IN (SELECT ctid FROM %1$s LIMIT 7)', t.name); EXCEPTION WHEN OTHERS THEN END;
  END LOOP; END $do$`;

/** What this version of the suite has that the target, or the log, can not hold; everything else is to be carried. */
const refusals = ['TL-2106', 'TL-2113', 'source.replicaIdentity'];

test("the tables of PostgreSQL's own regression suite are loaded and followed, or refused by name", {
  timeout: 1_800_000,
}, async ({ skip }) => {
  if (suite === null && !process.env.CI)
    return skip(
      `PostgreSQL's regression suite, or a server ${regressionVersion}: node test/support/fetch-regression.ts`,
    );
  if (suite === null) throw new Error('no regression suite');
  const settings = { max_prepared_transactions: '10', max_locks_per_transaction: '2000', autovacuum: 'off' };
  await using here = await startPostgres({ version: regressionVersion, settings });
  await using there = await startPostgres({ version: newestVersion, settings });
  const [source, target] = await Promise.all([here.createDatabase('regression'), there.createDatabase('regression')]);
  // The server reads the data of some of them from files, as a user of its own.
  const folder = join(runDirectory(), 'regress');
  cpSync(suite.folder, folder, { recursive: true });
  for (const script of scheduled(suite)) await runScript({ ...suite, folder }, source, script);
  rmSync(folder, { recursive: true });
  expect(await source.query('SELECT count(*)::int FROM tenk1')).toEqual([{ count: 10_000 }]);
  await source.query(identities);
  const tables = await tablesOf(source);
  expect(tables.length).toBeGreaterThan(250);

  const refused = new Map<string, string>();
  const carried = (): readonly Table[] => tables.filter((table) => !refused.has(told(table)));
  const configured = (): string =>
    `tables: ["*.*"]\nexclude: ${JSON.stringify(tables.filter((table) => refused.has(told(table))).map(named))}\nallow: [targetTriggers]`;
  using file = new RouteFile({ source, target, route: configured() });
  for (;;) {
    const made = await file.tidelock('schema', 'here-to-there', '--apply', 'before', '--json');
    if (made.out !== '') {
      const { left } = JSON.parse(made.out) as { left: { kind: string; name: string; why?: string }[] };
      for (const { kind, name, why = '' } of left)
        if (kind === 'generated column') refused.set(name.replace(/^\S+ of /, ''), `TL-2113 ${why}`);
      break;
    }
    const { error } = JSON.parse(made.err.trim().split('\n').at(-1) ?? '') as { error: { message: string } };
    // One of its tables that this version of the target does not take.
    const table = tables.find((one) => error.message.includes(` ${told(one)} (`) && !refused.has(told(one)));
    if (table === undefined) throw new Error(made.err);
    refused.set(told(table), `TL-2113 ${error.message}`);
    file.configure(configured());
  }
  for (const { level, code, table = '', message } of await findings(file))
    if (level === 'error') refused.set(table, `${code} ${message}`);
  expect([...refused.values()].filter((text) => !refusals.includes(text.split(' ')[0] ?? ''))).toEqual([]);
  expect(refused.size).toBeLessThan(tables.length / 20);

  file.configure(configured());
  await using running = file.run();
  await running.state('running', 300_000);
  expect(await digests(target, carried())).toEqual(await digests(source, carried()));
  const loaded = await digests(source, carried());
  expect(loaded.filter((digest) => !/: \d+ [0-9a-f]*$/.test(digest))).toEqual([]);
  await source.query(touched);
  await running.caughtUp(300_000);
  const followed = await digests(source, carried());
  expect(followed.filter((digest, at) => digest !== loaded[at]).length).toBeGreaterThan(150);
  expect(await digests(target, carried())).toEqual(followed);
});
