import { expect, test } from 'vitest';
import { boundStatements } from '../../../connectors/postgres/target/bound-statements.ts';
import { TablePlans } from '../../../connectors/postgres/target/table-plans.ts';
import { twoServers } from '../../support/two-servers.ts';
import { stage } from './harness.ts';

const servers = twoServers();

const trigger = `CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER act BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION act(); ALTER TABLE t ENABLE ALWAYS TRIGGER act`;
const rule = `CREATE RULE act AS ON INSERT TO t DO INSTEAD NOTHING; ALTER TABLE t ENABLE ALWAYS RULE act`;

const alterations: readonly (readonly [string, string, string])[] = [
  ['a trigger', trigger, 'TL-2108'],
  ['a rule', rule, 'TL-2108'],
  ['a column that has to be filled', `ALTER TABLE t ADD need int NOT NULL`, 'TL-2103'],
  ['a narrower type', `ALTER TABLE t ALTER v TYPE varchar(3)`, 'TL-2104'],
  ['a key that is gone', `ALTER TABLE t DROP CONSTRAINT t_pkey`, 'TL-2106'],
  ['rows that a crash would take', `ALTER TABLE t SET UNLOGGED`, 'TL-2114'],
  ['a table that is gone', `DROP TABLE t`, 'TL-2101'],
];

test.for(alterations)('%s at the target is noticed while the route runs', async ([, sql, code]) => {
  await using on = await stage(servers.here, servers.there, { schema: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  let nowMs = 0;
  const plans = new TablePlans({ route: on.route, replicaRole: true, now: () => nowMs });
  await on.source.query(`INSERT INTO t VALUES (1, 'a')`);
  const parts = await on.capture();
  const client = await on.target.client();
  try {
    await plans.prepare(client, parts, false);
    await on.target.query(sql);
    nowMs += 31_000;
    // What a transaction has begun with, it goes on with.
    await plans.prepare(client, parts, true);
    await expect(plans.prepare(client, parts, false)).rejects.toMatchObject({ code });
  } finally {
    await client.end();
  }
});

test('a plan stays the same as long as its table does', async () => {
  await using on = await stage(servers.here, servers.there, { schema: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  let nowMs = 0;
  const plans = new TablePlans({ route: on.route, replicaRole: true, now: () => nowMs });
  await on.source.query(`INSERT INTO t VALUES (1, 'a')`);
  const parts = await on.capture();
  const table = parts.flatMap(({ changes }) => changes).find((change) => change.kind === 'insert')?.table;
  if (table === undefined) throw new Error('no insert was captured');
  const client = await on.target.client();
  try {
    await plans.prepare(client, parts, false);
    const plan = plans.get(table);
    nowMs += 31_000;
    await plans.prepare(client, parts, false);
    expect(plans.get(table)).toBe(plan);
    await on.target.query('CREATE INDEX ON t (v); ALTER TABLE t ADD UNIQUE (v)');
    nowMs += 31_000;
    await plans.prepare(client, parts, false);
    expect(plans.get(table)).not.toBe(plan);
    expect(plans.get(table).target.uniqueIndexes).toHaveLength(2);
  } finally {
    await client.end();
  }
});

test('prepared statements do not grow with the number of tables', async () => {
  await using on = await stage(servers.here, servers.there, { schema: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const client = await on.target.client();
  const prepared = async (): Promise<unknown> =>
    (await client.query('SELECT count(*)::int AS n FROM pg_prepared_statements')).rows[0]?.n;
  try {
    for (let round = 0; round < 2; round++) {
      for (let at = 0; at < 5; at++) await client.query({ name: `s${at}`, text: `SELECT ${at} AS n` });
      await boundStatements(client, 5);
      expect(await prepared()).toBe(5);
      expect((await client.query({ name: 's5', text: 'SELECT 5 AS n' })).rows).toEqual([{ n: 5 }]);
      await boundStatements(client, 5);
      expect(await prepared()).toBe(0);
    }
  } finally {
    await client.end();
  }
});
