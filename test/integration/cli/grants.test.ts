import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import { LocalControl } from '../../../src/control/local-control.ts';
import { nodeGrants } from '../../../src/control/node-grants.ts';
import type { Grant } from '../../../src/core/node-inspector.ts';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { versions } from '../../support/postgres-binaries.ts';
import { RouteFile } from '../../support/route.ts';

/** Three routes that want all that there is: loads, a given publication, definitions and commands carried over. */
const routes = `  plain:
    from: here
    to: there
    tables: ["shop.*"]
    sequences: { carry: interval, include: [shop.receipt] }
  given:
    from: here
    to: there
    publication: given_pub
    tables: ["lent.*"]
    schemaChanges: evolve
    sequences: { carry: interval }
  commands:
    from: here
    to: there
    tables: ["told.*"]
    ddl: replicate
`;

// That cascades do not act a second time can be granted since PostgreSQL 15.
const cascades = Number(versions.at(-1)) >= 15;
const tables = `CREATE ROLE shop_owner; CREATE ROLE lender; CREATE ROLE teller;
  CREATE SCHEMA shop; CREATE SCHEMA lent; CREATE SCHEMA told; GRANT USAGE ON SCHEMA shop TO shop_owner;
  CREATE TABLE shop.customers (id serial PRIMARY KEY, name text);
  CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customers ${cascades ? 'ON DELETE CASCADE' : ''});
  CREATE SEQUENCE shop.receipt;
  CREATE TABLE lent.items (id serial PRIMARY KEY, label text);
  CREATE TABLE told.events (id int PRIMARY KEY, label text);
  ALTER TABLE shop.customers OWNER TO shop_owner; ALTER TABLE shop.orders OWNER TO shop_owner;
  ALTER TABLE lent.items OWNER TO lender; ALTER TABLE told.events OWNER TO teller;`;
const names = ['shop.customers', 'shop.orders', 'lent.items', 'told.events'];

let servers: PostgresServer[];
let source: TestDatabase;
let target: TestDatabase;
let file: RouteFile;

beforeAll(async () => {
  servers = await Promise.all([0, 1].map(() => startPostgres({ settings: { fsync: 'on' } })));
  [source, target] = (await Promise.all(servers.map((server) => server.createDatabase()))) as [
    TestDatabase,
    TestDatabase,
  ];
  for (const db of [source, target])
    await db.query(
      `${tables} REVOKE CONNECT ON DATABASE ${db.name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
    );
  await source.query('CREATE PUBLICATION given_pub FOR TABLE lent.items');
  file = new RouteFile({ source, target });
});

afterAll(async () => {
  file[Symbol.dispose]();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

/** Of both sides one user. */
function configurationOf(user: string): string {
  return `version: 1
name: test
nodes:
  here: { type: postgres, url: "${source.url(undefined, user)}" }
  there: { type: postgres, url: "${target.url(undefined, user)}" }
routes:
${routes}`;
}

function load(user: string) {
  file.write({ 'tidelock.yaml': configurationOf(user) });
  return loadConfiguration({ env: {}, cwd: file.folder });
}

async function grantsFor(user: string): Promise<{ readonly db: TestDatabase; readonly grant: Grant }[]> {
  const configuration = load(user);
  const asAdministrator = load('postgres');
  const all = [];
  for (const [name, db] of [
    ['here', source],
    ['there', target],
  ] as const) {
    const through = asAdministrator.nodes.demand(name, 'node');
    // Read through an administrator, who may also not be there under the name that the routes' source has.
    const both = name === 'there' ? asAdministrator : configuration;
    const { grants, missing } = await nodeGrants(both, name, { user, through });
    expect(missing).toEqual([]);
    all.push(...grants.map((grant) => ({ db, grant })));
  }
  return all;
}

/** What check says of all routes and both nodes; null where it cannot even connect. */
async function complaints(user: string): Promise<string[] | null> {
  const configuration = load(user);
  await using control = new LocalControl({ configuration: () => configuration });
  try {
    const found = [];
    for (const route of await control.routes()) found.push(...(await control.check(route)).findings);
    for (const { findings } of (await control.checkShared()).nodes) found.push(...findings);
    return found.filter(({ code }) => code !== 'node.server').map((finding) => JSON.stringify(finding));
  } catch {
    return null;
  }
}

/** What takes away exactly what the statement gives. */
function inverse(statement: string): string {
  if (statement.startsWith('CREATE SCHEMA'))
    return `DROP FUNCTION ${/tidelock\.tidelock_ddl_\w+\(\)/.exec(statement)?.[0]} CASCADE`;
  const undone = statement
    .replace(/^GRANT (.*) TO ("\w+");$/, 'REVOKE $1 FROM $2')
    .replace(/^(ALTER ROLE "\w+") (?=REPLICATION)/, '$1 NO')
    .replace(/^CREATE (ROLE "\w+") .*/, 'ALTER $1 NOLOGIN');
  if (undone === statement) throw new Error(`nothing undoes ${statement}`);
  return undone;
}

/** One statement of each side at a time, which complain by themselves; what keeps the user from connecting by itself. */
function trials<T extends { readonly db: TestDatabase; readonly grant: Grant }>(all: readonly T[]): T[][] {
  const isEntry = ({ grant }: T): boolean => /^CREATE ROLE|^GRANT CONNECT/.test(grant.statement);
  const others = all.filter((one) => !isEntry(one));
  const [here, there] = [others.filter(({ db }) => db === source), others.filter(({ db }) => db === target)];
  const pairs = Array.from({ length: Math.max(here.length, there.length) }, (_, at) =>
    [here[at], there[at]].filter((one) => one !== undefined),
  );
  return [...all.filter(isEntry).map((one) => [one]), ...pairs];
}

const nodeOf = (text: string): string => (JSON.parse(text) as { node: string }).node;

test('what grants prints is enough, and nothing of it is too much', async () => {
  const user = 'whole';
  const all = await grantsFor(user);
  expect(all.every(({ grant }) => !grant.held)).toBe(true);
  for (const { db, grant } of all) await db.query(grant.statement);
  const silent = new Set(await complaints(user));
  expect([...silent].filter((text) => /"level":"(error|warning)"/.test(text))).toEqual([]);
  // All of it is told as held now.
  expect((await grantsFor(user)).filter(({ grant }) => !grant.held)).toEqual([]);

  expect(all.length).toBeGreaterThan(15);
  const unnoticed: string[] = [];
  for (const trial of trials(all)) {
    for (const { db, grant } of trial) await db.query(inverse(grant.statement));
    const found = await complaints(user);
    for (const { db, grant } of trial)
      if (found?.every((text) => silent.has(text) || nodeOf(text) !== (db === source ? 'here' : 'there')))
        unnoticed.push(grant.statement);
    for (const { db, grant } of trial)
      await db.query(grant.statement.replace(/^CREATE (ROLE "\w+") LOGIN .*/, 'ALTER $1 LOGIN'));
  }
  expect(unnoticed).toEqual([]);
  expect(new Set(await complaints(user))).toEqual(silent);
}, 180_000);

test('a role that has what is printed, and no more, runs the routes', async () => {
  const user = 'runner';
  for (const { db, grant } of await grantsFor(user)) if (!grant.held) await db.query(grant.statement);
  await source.query(`INSERT INTO shop.customers (name) VALUES ('a'); INSERT INTO shop.orders VALUES (1, 1);
    INSERT INTO lent.items (label) VALUES ('x'); INSERT INTO told.events VALUES (1, 'y')`);
  load(user);
  await using route = file.run();
  for (const name of ['plain', 'given', 'commands']) await route.state('running', undefined, name);
  await source.query(`INSERT INTO shop.customers (name) VALUES ('b');
    ${cascades ? '' : 'DELETE FROM shop.orders;'} DELETE FROM shop.customers WHERE id = 1;
    ALTER TABLE lent.items ADD COLUMN more int; INSERT INTO lent.items (label, more) VALUES ('z', 1);
    ALTER TABLE told.events ADD COLUMN more int`);
  await source.query('CREATE INDEX events_more ON told.events (more)');
  await source.query(`INSERT INTO told.events VALUES (2, 'z', 2)`);
  for (const name of ['plain', 'given', 'commands'])
    expect(await file.tidelock('wait', name, '--timeout', '30s')).toMatchObject({ code: 0 });
  for (const name of ['plain', 'given']) expect(await file.tidelock('sequences', name)).toMatchObject({ code: 0 });
  expect(await contents(target, names)).toEqual(await contents(source, names));
  // Without what was granted the halt names the node, and what its server says.
  await target.query(`REVOKE lender FROM ${user}`);
  await source.query('ALTER TABLE lent.items ADD COLUMN late int');
  await source.query('INSERT INTO lent.items (late) VALUES (1)');
  expect((await route.state('failed', undefined, 'given')).reason).toMatchObject({
    code: 'TL-5004',
    message: expect.stringMatching(/^node there: to add a column of lent.items: must be owner of table items/),
  });
  expect(await route.stop()).toBe(0);
});

test('what carrying sequences by hand needs is recommended, and enough', async () => {
  const user = 'by_hand';
  const written = (name: string): string =>
    configurationOf(name).replace(/routes:\n.*$/s, 'routes:\n  plain: { from: here, to: there, tables: ["shop.*"] }\n');
  const loaded = (name: string) => {
    file.write({ 'tidelock.yaml': written(name) });
    return loadConfiguration({ env: {}, cwd: file.folder });
  };
  const asAdministrator = loaded('postgres');
  for (const [name, db] of [
    ['here', source],
    ['there', target],
  ] as const) {
    const through = asAdministrator.nodes.demand(name, 'node');
    const { grants } = await nodeGrants(asAdministrator, name, { user, through });
    if (db === target)
      expect(grants).toContainEqual({
        statement: `GRANT SELECT, UPDATE ON SEQUENCE "shop"."customers_id_seq" TO "${user}";`,
        why: expect.stringContaining('"tidelock sequences plain"'),
        need: 'recommended',
        held: false,
      });
    for (const { statement } of grants) await db.query(statement);
  }
  loaded(user);
  expect(await file.tidelock('sequences', 'plain')).toMatchObject({ code: 0 });
});
