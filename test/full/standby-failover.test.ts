import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { versions } from '../support/postgres-binaries.ts';
import { RouteFile } from '../support/route.ts';
import { until } from '../support/until.ts';

/** That keep slots at their standbys. */
const version = versions.findLast((one) => Number(one) >= 17);

const schema = 'CREATE TABLE item (id int PRIMARY KEY, note text)';

interface Failover {
  readonly primary: TestDatabase;
  /** As docs/operations.md sets it up: it streams, and keeps the slots. */
  readonly standby: TestDatabase;
  readonly target: TestDatabase;
  /** Both hosts, the primary first. */
  readonly file: RouteFile;
}

async function setUp(): Promise<Failover> {
  const started = async (server: Promise<PostgresServer>): Promise<PostgresServer> => {
    const one = await server;
    onTestFinished(() => one[Symbol.asyncDispose]());
    return one;
  };
  const first = await started(startPostgres({ ...(version && { version }) }));
  const there = await started(startPostgres());
  const [primary, target] = [await first.createDatabase('shop'), await there.createDatabase('shop')];
  for (const db of [primary, target]) await db.query(schema);
  await primary.query(`SELECT pg_create_physical_replication_slot('second', true)`);
  const copy = await first.copy();
  writeFileSync(join(copy, 'standby.signal'), '');
  const settings = {
    primary_conninfo: `host=127.0.0.1 port=${first.port} user=postgres dbname=postgres`,
    primary_slot_name: 'second',
    sync_replication_slots: 'on',
    hot_standby_feedback: 'on',
  };
  const second = await started(startPostgres({ copyOf: copy, settings }));
  const file = new RouteFile({ source: primary, target });
  onTestFinished(() => file[Symbol.dispose]());
  const path = join(file.folder, 'tidelock.yaml');
  const alone = `127.0.0.1:${first.port}`;
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(alone);
  writeFileSync(path, text.replace(alone, `${alone},127.0.0.1:${second.port}`));
  return { primary, standby: second.database('shop'), target, file };
}

/** The first copy of a slot is only good when the primary's has moved on. */
async function slotIsKept({ primary, standby }: Failover): Promise<void> {
  let id = 1_000_000;
  await until(
    'the slot at the standby',
    async () => {
      await primary.query(`INSERT INTO item VALUES (${++id}, 'moves it')`);
      const kept = await standby.query(
        'SELECT FROM pg_replication_slots WHERE failover AND synced AND NOT temporary AND invalidation_reason IS NULL',
      );
      return kept.length > 0;
    },
    120_000,
  );
}

const caughtUp = async ({ file }: Failover): Promise<void> => {
  expect(await file.tidelock('wait', 'here-to-there', '--timeout', '60s')).toMatchObject({ code: 0 });
};

test.skipIf(version === undefined)(
  'a standby that keeps the slot is promoted while the route runs, which goes on there and loses nothing',
  { timeout: 300_000 },
  async () => {
    const servers = await setUp();
    const { primary, standby, target, file } = servers;
    await primary.query(`ALTER SYSTEM SET synchronized_standby_slots = 'second'`);
    await primary.query('SELECT pg_reload_conf()');
    await using route = file.run();
    await route.state('running');
    await slotIsKept(servers);
    await caughtUp(servers);

    // A node that names the standby alone.
    using other = new RouteFile({ source: standby, target });
    const checked = await other.tidelock('check', '--json');
    expect(checked.code).not.toBe(0);
    expect(checked.out).toContain('is a standby');
    expect(checked.out).toContain('TL-5002');

    // The primary dies among commits. Some of them may not be at the standby, and so neither at the target.
    let written = 0;
    const writing = (async () => {
      for (;;) await primary.query(`INSERT INTO item VALUES (${++written}, 'before')`);
    })();
    await until('some commits', () => written > 300);
    await Promise.all([expect(writing).rejects.toThrow(), primary.server.kill9()]);
    await standby.server.promote();
    await standby.query(`INSERT INTO item SELECT 2000000 + i, 'after' FROM generate_series(1, 500) i`);
    await standby.query(`UPDATE item SET note = note || '!' WHERE id % 3 = 0; DELETE FROM item WHERE id % 7 = 0`);
    await caughtUp(servers);
    const expected = await contents(standby, ['item']);
    expect(expected.item?.length).toBeGreaterThan(500);
    expect(await contents(target, ['item'])).toEqual(expected);
    // It keeps on.
    await standby.query(`INSERT INTO item VALUES (0, 'last')`);
    await caughtUp(servers);
    expect(await contents(target, ['item'])).toEqual(await contents(standby, ['item']));
    expect(await file.status()).toMatchObject({ state: 'running' });
  },
);

test.skipIf(version === undefined)(
  'a standby that lacks what the target has halts the route when it is promoted',
  { timeout: 300_000 },
  async () => {
    const servers = await setUp();
    const { primary, standby, target, file } = servers;
    await using route = file.run();
    await route.state('running');
    await slotIsKept(servers);
    await caughtUp(servers);
    // It falls behind, and nothing holds the route back for it.
    await standby.server.stop('fast');
    await primary.query(`INSERT INTO item VALUES (1, 'at the target, and not at the standby')`);
    await caughtUp(servers);
    const before = await contents(target, ['item']);
    await primary.server.kill9();
    await standby.server.start();
    await standby.server.promote();
    await standby.query(`INSERT INTO item VALUES (2, 'of the other history')`);
    const failed = await route.state('failed');
    expect(failed.reason?.code).toBe('TL-3107');
    expect(await contents(target, ['item'])).toEqual(before);
  },
);
