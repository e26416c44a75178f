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

interface Applied {
  readonly left: readonly { readonly kind: string; readonly name: string; readonly why?: string }[];
  readonly refused: readonly { readonly what: string; readonly code: string; readonly message: string }[];
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

const allowed = 'allow: [targetTriggers]';

/**
 * Makes the tables at the target, and leaves those out of the route that the target does not take, or the source's log does not tell. Returns those, by
 * their names, with what is said of each.
 */
async function fitted(file: RouteFile, source: TestDatabase, options: string): Promise<ReadonlyMap<string, string>> {
  const tables = await tablesOf(source);
  const refused = new Map<string, string>();
  const configure = (): void =>
    file.configure(
      `tables: ["*.*"]\nexclude: ${JSON.stringify(tables.filter((table) => refused.has(told(table))).map(named))}\n${options}`,
    );
  configure();
  const made = await file.tidelock('schema', 'here-to-there', '--apply', 'before', '--json');
  if (made.out === '') throw new Error(made.err);
  const { left, refused: notMade } = JSON.parse(made.out) as Applied;
  for (const { kind, name, why = '' } of left)
    if (kind === 'generated column') refused.set(name.replace(/^\S+ of /, ''), `TL-2113 ${why}`);
  for (const { what, code, message } of notMade) {
    const table = tables.find((one) => what.endsWith(` ${told(one)}`));
    if (table === undefined) throw new Error(message);
    refused.set(told(table), `${code} ${message}`);
  }
  configure();
  for (const { level, code, table = '', message } of await findings(file))
    if (level === 'error') refused.set(table, `${code} ${message}`);
  configure();
  return refused;
}

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

  using file = new RouteFile({ source, target });
  const refused = await fitted(file, source, allowed);
  const carried = (): readonly Table[] => tables.filter((table) => !refused.has(told(table)));
  expect([...refused.values()].filter((text) => !refusals.includes(text.split(' ')[0] ?? ''))).toEqual([]);
  expect(refused.size).toBeLessThan(tables.length / 20);

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

/** Scripts that make and alter tables: each ends in something that is not safe to carry, but those of enums. */
const streamed = [
  'create_table',
  'alter_table',
  'inherit',
  'identity',
  'enum',
  'sequence',
  'constraints',
  'replica_identity',
];

/** As a site may have it whose tables are not all to be thought of: what has no key is logged whole, from its first row on. */
const identified = `CREATE FUNCTION identify() RETURNS event_trigger LANGUAGE plpgsql AS $do$ DECLARE t text; BEGIN
    FOR t IN SELECT c.oid::regclass::text FROM pg_event_trigger_ddl_commands() e JOIN pg_class c ON c.oid = e.objid AND e.classid = 'pg_class'::regclass
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary)
    LOOP EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t); END LOOP; END $do$;
  CREATE EVENT TRIGGER zz_identify ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO') EXECUTE FUNCTION identify()`;

test("PostgreSQL's own regression suite in the stream of a route with ddl: replicate: equal, or halted with a code whose remedy works", {
  timeout: 1_800_000,
}, async ({ skip }) => {
  if (suite === null && !process.env.CI) return skip('no regression suite');
  if (suite === null) throw new Error('no regression suite');
  const settings = { max_prepared_transactions: '10', max_locks_per_transaction: '500', autovacuum: 'off' };
  await using here = await startPostgres({ version: regressionVersion, settings });
  await using there = await startPostgres({ version: regressionVersion, settings });
  const folder = join(runDirectory(), 'regress');
  cpSync(suite.folder, folder, { recursive: true });
  const options = 'ddl: replicate\nnewTables: load\nallow: [droppedTables, targetTriggers]';
  const outcomes: string[] = [];
  for (const script of streamed) {
    const source = await here.createDatabase();
    await runScript({ ...suite, folder }, source, 'test_setup');
    await source.query(`${identities}; ${identified}`);
    const target = await there.createDatabase();
    using file = new RouteFile({ source, target });
    await fitted(file, source, options);
    await using running = file.run();
    await running.state('running', 120_000);
    await runScript({ ...suite, folder }, source, script);
    const halted = running.state('failed', 300_000).then(({ reason }) => `${reason?.code} ${reason?.message}`);
    const even = running.caughtUp(300_000).then(() => 'equal');
    const outcome = await Promise.race([halted, even]);
    for (const promise of [halted, even]) promise.catch(() => {});
    outcomes.push(`${script}: ${outcome}`);
    await running.stop();
    if (outcome === 'equal') await expectEqual(source, target, new Map());
    else await startOver(file, source, options);
  }
  rmSync(folder, { recursive: true });
  expect(outcomes.filter((outcome) => !/^\w+: (equal|TL-(2230|2231|4105|4109) )/.test(outcome))).toEqual([]);
  expect(outcomes).toContain('enum: equal');

  /** What docs/operations.md says of a migration that gives many commands that are not safe. */
  async function startOver(file: RouteFile, source: TestDatabase, lines: string): Promise<void> {
    expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
    const anew = await there.createDatabase();
    using again = new RouteFile({ source, target: anew });
    const refused = await fitted(again, source, lines);
    await using running = again.run();
    await running.state('running', 120_000);
    await source.query(touched);
    await running.caughtUp(120_000);
    await expectEqual(source, anew, refused);
  }
});

async function expectEqual(
  source: TestDatabase,
  target: TestDatabase,
  refused: ReadonlyMap<string, string>,
): Promise<void> {
  const tables = (await tablesOf(source)).filter((table) => !refused.has(told(table)));
  expect(await digests(target, tables)).toEqual(await digests(source, tables));
}
