import { expect, test } from 'vitest';
import { TableWatch } from '../../../connectors/postgres/source/table-watch.ts';
import { readPublished } from '../../../connectors/postgres/source/untold-facts.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import { untoldChange } from '../../../src/pipeline/untold-changes.ts';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const wasOut = {
  code: 'TL-4105',
  message: expect.stringContaining('it was taken out of publication mine and put back'),
};

test('a given slot and publication are used from where they stand, and left when the route is dropped', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await source.query(`CREATE PUBLICATION mine FOR TABLE item WITH (publish_via_partition_root = true)`);
  // From PostgreSQL 15 on.
  const hasSchemas = (await source.query(`SELECT to_regclass('pg_publication_namespace') AS found`))[0]?.found !== null;
  const item = hasSchemas ? 'TABLES IN SCHEMA public' : 'TABLE item';
  await source.query('INSERT INTO item VALUES (1)');
  await source.query(`SELECT pg_create_logical_replication_slot('my_slot', 'pgoutput')`);
  // Copied by other means up to here; the slot has what comes next.
  await target.query('INSERT INTO item VALUES (1)');
  await source.query('INSERT INTO item VALUES (2)');
  using file = new RouteFile({
    source,
    target,
    route: 'tables: [public.item]\nslot: my_slot\npublication: mine\nload: { mode: none }',
  });
  {
    await using route = file.run();
    await route.state('running');
    await source.query('INSERT INTO item VALUES (3)');
    await route.caughtUp();
    expect(await contents(target, ['item'])).toEqual({ item: ['(1)', '(2)', '(3)'] });
    const seen = async (entries: string): Promise<void> => {
      const known = `SELECT FROM tidelock.tables WHERE definition ->> 'published' ~ '^mine [0-9]+[.]${entries}#[0-9]+$'`;
      await until(`a look that shows ${entries}`, async () => (await target.query(known)).length === 1, 20_000);
    };
    await seen('[0-9]+');
    if (hasSchemas) {
      // In it by its schema, too, before it is in it by that alone: at no moment is it out.
      await source.query('ALTER PUBLICATION mine ADD TABLES IN SCHEMA public');
      await seen('[0-9]+,n[0-9]+@[0-9]+');
      await source.query('ALTER PUBLICATION mine DROP TABLE item');
      await seen('n[0-9]+@[0-9]+');
    }
    // Nothing shows in the queue that it lacks a row.
    await source.query(`ALTER PUBLICATION mine DROP ${item}`);
    await source.query('INSERT INTO item VALUES (4)');
    await source.query(`ALTER PUBLICATION mine ADD ${item}`);
    expect((await route.state('failed', 30_000)).reason).toMatchObject(wasOut);
    // What waits is met before the next look, and is not taken for an answer to what was accepted.
    await source.query('INSERT INTO item VALUES (5)');
    await file.tidelock('start', 'here-to-there', '--accept-schema-change');
    await route.caughtUp();
    await until(
      'what was accepted',
      async () => (await target.query(`SELECT FROM tidelock.tables WHERE definition ? 'halted'`)).length === 0,
      30_000,
    );
    expect((await route.state('running')).reason).toBeNull();
    expect(await contents(target, ['item'])).toEqual({ item: ['(1)', '(2)', '(3)', '(5)'] });
    await route.stop();
  }
  // Its rows come under the name of another table for a while, of which no entry, and nothing else, tells afterwards.
  await source.query(`CREATE TABLE above (id int PRIMARY KEY) PARTITION BY RANGE (id)`);
  if (!hasSchemas) await source.query('ALTER PUBLICATION mine ADD TABLE above');
  await source.query('ALTER TABLE above ATTACH PARTITION item FOR VALUES FROM (0) TO (100)');
  await source.query('INSERT INTO item VALUES (6)');
  {
    await using route = file.run();
    expect((await route.state('failed')).reason?.message).toContain('it does not contain public.item');
    await source.query('ALTER TABLE above DETACH PARTITION item');
    await source.query('DROP TABLE above');
    await file.tidelock('start', 'here-to-there');
    // What has halted it before may be told once more meanwhile.
    const says = async (text: string): Promise<boolean> => JSON.stringify(await file.status()).includes(text);
    await until('what it lacks', () => says('its publication did not have it'), 30_000);
    await source.query(`ALTER PUBLICATION mine DROP ${item}; INSERT INTO item VALUES (7)`);
    await source.query('ALTER PUBLICATION mine ADD TABLE item; INSERT INTO item VALUES (8)');
    await file.tidelock('start', 'here-to-there');
    await until('what else it lacks', () => says('it was taken out of publication mine'), 30_000);
  }
  const dropped = await file.tidelock('drop', 'here-to-there', '--yes');
  expect(dropped).toMatchObject({ code: 0, err: expect.stringMatching(/slot my_slot .* was given, and stays\n/) });
  expect(await source.query(`SELECT FROM pg_replication_slots WHERE slot_name = 'my_slot'`)).toHaveLength(1);
  expect(await source.query(`SELECT FROM pg_publication WHERE pubname = 'mine'`)).toHaveLength(1);
  expect(await target.query(`SELECT FROM pg_namespace WHERE nspname = 'tidelock'`)).toEqual([]);
  await source.query(`SELECT pg_drop_replication_slot('my_slot')`);
});

test('a table of a given queue that no row has come of is looked at as others are', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target])
    await db.query(`CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE TABLE item (id int PRIMARY KEY, mood mood);
      INSERT INTO item VALUES (1, 'sad')`);
  await source.query('CREATE PUBLICATION mine FOR TABLE item WITH (publish_via_partition_root = true)');
  await source.query(`SELECT pg_create_logical_replication_slot('my_slot', 'pgoutput')`);
  using file = new RouteFile({
    ...{ source, target },
    route: 'tables: [public.item]\nslot: my_slot\npublication: mine\nload: { mode: none }',
  });
  await using route = file.run();
  await route.state('running');
  const looked = 'SELECT FROM tidelock.tables WHERE definition IS NOT NULL';
  await until('the first look', async () => (await target.query(looked)).length === 1, 20_000);
  await source.query(`ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'`);
  expect((await route.state('failed', 30_000)).reason).toMatchObject({
    code: 'TL-4105',
    message: expect.stringContaining('a value of an enum was renamed'),
  });
});

test('a dropped route leaves nothing behind, and its engine does not begin it anew', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await target.query('INSERT INTO item VALUES (1)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('failed');
  // Whoever acts on what was told finds it stored.
  expect(await target.query(`SELECT status ->> 'state' AS state FROM tidelock.leases`)).toEqual([{ state: 'failed' }]);
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
  const { reason } = await route.state('failed');
  expect(reason?.code).toMatch(/TL-2301|TL-4002|TL-4013/);
  await target.query('DELETE FROM item');
  await route.reason('TL-4013');
  // Nor does the worker that comes after it.
  process.kill(await route.workerPid(), 'SIGKILL');
  await route.state('retrying');
  expect((await route.state('failed')).reason?.code).toBe('TL-4013');
  expect(await source.query(`SELECT FROM pg_replication_slots WHERE database = current_database()`)).toEqual([]);
  expect(await source.query(`SELECT FROM pg_publication`)).toEqual([]);
  expect(await target.query(`SELECT FROM pg_namespace WHERE nspname = 'tidelock'`)).toEqual([]);
});

test('a table that is in a publication by what else is listed was out of it where that was elsewhere meanwhile, or did not bring its rows', async () => {
  const { source } = await servers.pair();
  await source.query(`CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.item (id int PRIMARY KEY);
    CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE PUBLICATION mine FOR TABLE whole;
    CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
    CREATE TABLE leaf PARTITION OF part FOR VALUES FROM (0) TO (9); CREATE TABLE lone (id int PRIMARY KEY);
    CREATE PUBLICATION rooted FOR TABLE part WITH (publish_via_partition_root = true);
    CREATE PUBLICATION every FOR ALL TABLES WITH (publish_via_partition_root = true)`);
  const hasSchemas = (await source.query(`SELECT to_regclass('pg_publication_namespace') AS found`))[0]?.found !== null;
  if (hasSchemas) await source.query('ALTER PUBLICATION mine ADD TABLES IN SCHEMA one');
  const client = await source.client();
  const entry = async (name: string, table: string): Promise<{ readonly published?: string }> => {
    const id = String((await source.query(`SELECT '${table}'::regclass::oid::text AS id`))[0]?.id);
    const published = (await readPublished(client, { name, isOwned: false }, [{ id } as TableFacts])).get(id);
    return published === undefined ? {} : { published };
  };
  let touched: readonly string[] = [];
  const watch = new TableWatch({
    ...{ publication: null, isNew: () => false, isCarried: () => true, onNewTables: () => {} },
    onTouched: (tables) => {
      touched = tables;
    },
  });
  const cases: readonly (readonly [publication: string, table: string, change: string, isGap: boolean])[] = [
    ['mine', 'public.leaf', 'INSERT INTO whole VALUES (1); ALTER TABLE leaf ADD CHECK (id < 10)', false],
    ['mine', 'public.leaf', 'VACUUM (FREEZE) pg_inherits; VACUUM FULL pg_depend; VACUUM FULL pg_publication', false],
    [
      'mine',
      'public.leaf',
      'ALTER TABLE part DETACH PARTITION leaf; ALTER TABLE part ATTACH PARTITION leaf FOR VALUES FROM (0) TO (9)',
      true,
    ],
    [
      'mine',
      'public.leaf',
      'ALTER TABLE whole DETACH PARTITION part; ALTER TABLE whole ATTACH PARTITION part FOR VALUES FROM (0) TO (10)',
      true,
    ],
    // Under its own name, unless one above it is listed, too.
    ['rooted', 'public.part', 'ALTER PUBLICATION rooted ADD TABLE leaf', false],
    ['rooted', 'public.part', 'ALTER PUBLICATION rooted ADD TABLE whole', true],
    ['every', 'public.lone', 'ALTER TABLE part ATTACH PARTITION lone FOR VALUES FROM (9) TO (10)', true],
    ...(hasSchemas
      ? ([
          ['mine', 'one.item', 'ALTER TABLE one.item ADD v int; ANALYZE one.item', false],
          ['mine', 'one.item', 'ALTER TABLE one.item SET SCHEMA two; ALTER TABLE two.item SET SCHEMA one', true],
          // A schema brings all rows of its tables, whatever else does; a table above only where it is not listed itself.
          ['mine', 'one.item', 'ALTER PUBLICATION mine ADD TABLE one.item WHERE (id > 5)', false],
          ['mine', 'public.leaf', 'ALTER PUBLICATION mine ADD TABLE leaf', false],
          ['mine', 'public.leaf', 'ALTER PUBLICATION mine SET TABLE whole, leaf WHERE (id > 5)', true],
        ] as const)
      : []),
  ];
  try {
    for (const [publication, table, change, isGap] of cases) {
      const before = await entry(publication, table);
      await watch.look(client);
      touched = [];
      for (const statement of change.split('; ')) await source.query(statement);
      await watch.look(client);
      const told = untoldChange(before, await entry(publication, table), () => true);
      expect([change, told !== null, touched.includes(table) || !isGap]).toEqual([change, isGap, true]);
    }
  } finally {
    await client.end();
  }
});
