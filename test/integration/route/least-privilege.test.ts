import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/core/finding.ts';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
const tables = `CREATE TABLE customers (id int PRIMARY KEY, name text);
  CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers, total numeric(20,2));`;
const names = ['customers', 'orders'];

/** The statements that docs/security.md tells under this name, for databases of other names. */
function statements(name: 'source' | 'given' | 'target', from: string, to: string): string[] {
  const block = new RegExp(`\\n\`\`\`sql ${name}\\n(.*?)\\n\`\`\``, 's').exec(page)?.[1];
  if (block === undefined) throw new Error(`docs/security.md has no statements for ${name}`);
  const lines = block.replaceAll(/--.*/g, '').replaceAll(`DATABASE ${from}`, `DATABASE ${to}`);
  return lines.split(';').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

/** A server for each side, since roles are the server's; the target's user has what the page grants it. */
class Sides implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly #servers: readonly PostgresServer[];

  private constructor(servers: readonly PostgresServer[], source: TestDatabase, target: TestDatabase) {
    this.#servers = servers;
    this.source = source;
    this.target = target;
  }

  static async start(): Promise<Sides> {
    const [here, there] = await Promise.all([startPostgres(), startPostgres()]);
    const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
    await source.query(`${tables} CREATE ROLE shop_owner`);
    for (const name of names) await source.query(`ALTER TABLE ${name} OWNER TO shop_owner`);
    await target.query(tables);
    for (const statement of statements('target', 'copy', target.name)) {
      if (!statement.includes('ON PARAMETER') || Number.parseInt(there.version, 10) >= 15)
        await target.query(statement);
    }
    return new Sides([here, there], source, target);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

const users = { sourceUser: 'tidelock', targetUser: 'tidelock' };

test('what the page grants is enough: load, changes, and nothing left to mend', async () => {
  await using sides = await Sides.start();
  const { source, target } = sides;
  for (const statement of statements('source', 'shop', source.name)) await source.query(statement);
  await source.query(`INSERT INTO customers VALUES (1, 'a'); INSERT INTO orders VALUES (1, 1, 9.99)`);
  await using file = new RouteFile({ source, target, ...users });
  expect(await file.tidelock('check')).toMatchObject({ code: 0 });
  await using route = file.run();
  await route.state('running');
  await source.query(
    `INSERT INTO customers VALUES (2, 'b'); UPDATE orders SET customer = 2; DELETE FROM customers WHERE id = 1`,
  );
  await route.caughtUp();
  expect(await contents(target, names)).toEqual(await contents(source, names));
  await source.query('TRUNCATE orders, customers');
  await route.caughtUp();
  expect(await contents(target, names)).toEqual({ customers: [], orders: [] });
  await route.stop();
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
});

test('with publication and slot given, the right to replicate is enough at the source', async () => {
  await using sides = await Sides.start();
  const { source, target } = sides;
  for (const statement of statements('given', 'shop', source.name)) await source.query(statement);
  await source.query(`INSERT INTO customers VALUES (1, 'a')`);
  const given = 'tables: ["public.*"]\npublication: shop_to_copy\nslot: shop_to_copy\nload: { mode: none }';
  {
    // Whether there are rows is seen without a right to read them.
    await using careless = new RouteFile({ source, target, ...users, route: given });
    await using route = careless.run();
    expect((await route.state('failed')).reason).toMatchObject({ code: 'TL-2308' });
  }
  await using file = new RouteFile({ source, target, ...users, route: `${given}\nallow: [emptyTarget]` });
  expect(await file.tidelock('check')).toMatchObject({ code: 0 });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO orders VALUES (1, 1, 9.99)`);
  await route.caughtUp();
  expect(await contents(target, names)).toEqual(await contents(source, names));
  await route.stop();
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
});

test('the statements that check prints are enough for users who have nothing', async () => {
  await using sides = await Sides.start();
  const { source, target } = sides;
  await source.query('CREATE ROLE newcomer LOGIN');
  await target.query(`CREATE ROLE newcomer LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC;
    REVOKE CREATE ON DATABASE ${target.name} FROM tidelock`);
  await using file = new RouteFile({ source, target, sourceUser: 'newcomer', targetUser: 'newcomer' });
  const check = async () => {
    const { code, out } = await file.tidelock('check', '--json');
    return { code, findings: (JSON.parse(out) as { routes: { findings: Finding[] }[] }).routes[0]?.findings ?? [] };
  };
  const { code, findings } = await check();
  expect(code).toBe(1);
  const errors = findings.filter(({ level }) => level === 'error');
  expect(errors.filter(({ statement }) => statement === undefined)).toEqual([]);
  expect(errors.map(({ statement }) => statement)).toContain(
    `GRANT CREATE ON DATABASE "${target.name}" TO "newcomer";`,
  );
  for (const { node, statement = '' } of errors) await (node === 'here' ? source : target).query(statement);
  expect((await check()).findings.filter(({ level }) => level !== 'info')).toEqual([]);
  await source.query(`INSERT INTO customers VALUES (1, 'a')`);
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO orders VALUES (1, 1, 9.99)`);
  await route.caughtUp();
  expect(await contents(target, names)).toEqual(await contents(source, names));
});

test('a user who may not use what another has stored is told which privileges it lacks', async () => {
  await using sides = await Sides.start();
  const { source, target } = sides;
  for (const statement of statements('source', 'shop', source.name)) await source.query(statement);
  await target.query('CREATE SCHEMA tidelock; CREATE TABLE tidelock.meta (version int NOT NULL)');
  await using file = new RouteFile({ source, target, ...users });
  const { code, out } = await file.tidelock('check');
  expect(code).toBe(1);
  expect(out).toContain('GRANT USAGE ON SCHEMA tidelock TO "tidelock";');
  expect(out).toContain('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tidelock TO "tidelock";');
});
