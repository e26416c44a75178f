import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';

const walSenders = 5;

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([
    startPostgres({
      settings: { max_slot_wal_keep_size: '48MB', wal_keep_size: '0', max_wal_senders: String(walSenders) },
    }),
    startPostgres(),
  ]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

async function pair(): Promise<{ source: TestDatabase; target: TestDatabase; file: RouteFile }> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  for (const db of [source, target]) await db.query('CREATE TABLE item (id int PRIMARY KEY, note text)');
  return { source, target, file: new RouteFile({ source, target }) };
}

const slot = 'test__here_to_there';

async function dropSlot(source: TestDatabase): Promise<void> {
  await source.query(`SELECT pg_drop_replication_slot('${slot}')`);
}

test('a target restored from an older copy halts: the queue no longer has what it lacks', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (1)`);
  await route.caughtUp();
  const copy = await there.copy();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (2)`);
  await route.caughtUp();
  await source.query(`INSERT INTO item VALUES (3)`);
  const [end] = await source.query('SELECT pg_current_wal_lsn()::text AS lsn');
  await route.caughtUp();
  // Once the acknowledgement is at the source, the queue starts behind what the copy has.
  await acknowledged(source, String(end?.lsn));
  await there.restore(copy);
  const failed = await route.state('failed');
  expect(failed.reason).toMatchObject({ code: 'TL-3105' });
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,)'] });
  // A person brings the missing rows and adopts the queue's position.
  await target.query(`INSERT INTO item VALUES (2), (3)`);
  expect((await file.tidelock('position', 'here-to-there', '--adopt', '--yes')).code).toBe(0);
  expect(
    await target.query(`SELECT result, via, details->>'before' AS before FROM tidelock.actions WHERE action = 'adopt'`),
  ).toEqual([{ result: 'done', via: 'cli', before: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) }]);
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  await source.query(`INSERT INTO item VALUES (4)`);
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
  await route.stop();
  await dropSlot(source);
});

async function acknowledged(source: TestDatabase, lsn: string): Promise<void> {
  const client = await source.client();
  for (;;) {
    const { rows } = await client.query(
      `SELECT confirmed_flush_lsn >= $1::pg_lsn AS yes FROM pg_replication_slots WHERE slot_name = $2`,
      [lsn, slot],
    );
    if (rows[0]?.yes === true) break;
  }
  await client.end();
}

test('a source restored from an older copy, which has gone on, halts', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (1)`);
  await route.caughtUp();
  const copy = await here.copy();
  await source.query(`INSERT INTO item VALUES (2, 'of the lost history')`);
  await route.caughtUp();
  await here.restore(copy);
  // As long, at the same place, by the same transaction id: told apart by the time of the commit.
  await source.query(`INSERT INTO item VALUES (2, 'of the other history')`);
  await source.query(`INSERT INTO item SELECT i, 'later' FROM generate_series(3, 2000) i`);
  const failed = await route.state('failed');
  expect(['TL-3108', 'TL-3109']).toContain(failed.reason?.code);
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,)', '(2,"of the lost history")'] });
  await route.stop();
  await dropSlot(source);
});

test('so does one that was restored to before a stretch in which nothing came for the route', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (1)`);
  await route.caughtUp();
  const copy = await here.copy();
  await source.query(`CREATE SCHEMA other; CREATE TABLE other.filler AS SELECT repeat('x', 100000)`);
  await route.caughtUp();
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  await here.restore(copy);
  // Committed below the checkpoint, and then so much that the end of the WAL tells nothing.
  await source.query(`INSERT INTO item VALUES (2, 'of the other history')`);
  await source.query(
    `CREATE SCHEMA other; CREATE TABLE other.filler AS SELECT i, repeat('x', 1000) FROM generate_series(1, 3000) i`,
  );
  await file.tidelock('start', 'here-to-there');
  const failed = await route.state('failed');
  expect(failed.reason?.code).toBe('TL-3109');
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,)'] });
  await route.stop();
  await dropSlot(source);
});

test('a slot that was dropped halts, and so does one that was made anew', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  await dropSlot(source);
  await source.query(`INSERT INTO item VALUES (1)`);
  await file.tidelock('start', 'here-to-there');
  expect((await route.state('failed')).reason?.code).toBe('TL-3102');
  await source.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await file.tidelock('start', 'here-to-there');
  // The state is failed already.
  await route.reason('TL-3105');
  expect(await contents(target, ['item'])).toEqual({ item: [] });
  await route.stop();
  await dropSlot(source);
});

test('a slot whose WAL the source has dropped halts', async () => {
  const { source, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  for (let i = 0; i < 8; i++) await source.query('SELECT pg_switch_wal()').then(() => source.query('CHECKPOINT'));
  expect(await file.status()).toMatchObject({ health: 'critical', reason: { code: 'TL-3101' } });
  await file.tidelock('start', 'here-to-there');
  expect((await route.state('failed')).reason?.code).toBe('TL-3101');
  await route.stop();
  await dropSlot(source);
});

test('a source that failed over behind its one address is waited for while it is a standby, and gone on with on its new timeline', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (1)`);
  await route.caughtUp();
  await here.promoteOntoNewTimeline(() => route.logged('is a standby'));
  await source.query(`INSERT INTO item VALUES (2)`);
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,)', '(2,)'] });
  await route.stop();
  await dropSlot(source);
});

test('a source whose walsenders are all in use for a while is asked again, not halted at', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  const config = {
    host: '127.0.0.1',
    port: here.port,
    user: 'postgres',
    database: source.name,
    replication: 'database',
  };
  const others = Array.from({ length: walSenders }, () => new pg.Client(config as pg.ClientConfig));
  await Promise.all(others.map((client) => client.connect()));
  await file.tidelock('start', 'here-to-there');
  expect((await route.state('retrying')).reason?.code).toBe('TL-5005');
  await Promise.all(others.map((client) => client.end()));
  await source.query(`INSERT INTO item VALUES (1)`);
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,)'] });
  await route.stop();
  await dropSlot(source);
});
