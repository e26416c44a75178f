import { LogicalReplicationService } from 'pg-logical-replication/dist/logical-replication-service.js';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { lsnOrder } from '../../../connectors/postgres/lsn.ts';
import { TransactionAssembler } from '../../../connectors/postgres/source/transaction-assembler.ts';
import type { Position } from '../../../src/core/position.ts';
import { routeKey } from '../../../src/core/route.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { begin, Reading } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

test('WAL without changes for the route moves its position, and what the source keeps', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await db.query('CREATE SCHEMA other; CREATE TABLE other.noise (t text)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await reading.until(() => reading.parts.length > 0);
  await db.query(`INSERT INTO other.noise SELECT repeat('z', 100) FROM generate_series(1, 20000)`);
  const end = (await queue.source.status()).position;
  await reading.reached(end);
  expect(reading.rows).toEqual([]);
  expect(lsnOrder.covers(reading.checkpoint.position, end)).toBe(true);
  expect(reading.parts.filter(({ id }) => id === '').every(({ urgency }) => urgency === 'ride')).toBe(true);
  const positions = reading.parts.flatMap(({ commit }) => (commit ? [commit.position] : []));
  expect(positions.every((position, i) => i === 0 || lsnOrder.covers(position, positions[i - 1] ?? position))).toBe(
    true,
  );
});

test('what is read and not yet stored is not acknowledged, however often the server asks', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.noise (t text)');
  await using queue = await begin(db);
  await using reading = new Reading({ ...queue, acknowledge: false });
  await db.query(`INSERT INTO other.noise SELECT repeat('z', 100) FROM generate_series(1, 20000)`);
  await reading.reached(await queue.source.mark());
  const [{ now } = {}] = await db.query('SELECT clock_timestamp()::text AS now');
  const told = `FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.database = current_database()`;
  await until('a reply', async () => (await db.query(`SELECT ${told} AND reply_time > $1`, [now])).length > 0, 30_000);
  const [{ position } = {}] = await db.query(`SELECT r.flush_lsn::text AS position ${told}`);
  expect(lsnOrder.covers(queue.start.position, position as Position)).toBe(true);
});

test('a transaction that is open across keepalives is not passed over', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await db.query('CREATE SCHEMA other; CREATE TABLE other.noise (t text)');
  await using queue = await begin(db);
  const client = await db.client();
  let start = queue.start;
  {
    await using reading = new Reading(queue);
    await client.query('BEGIN');
    await client.query('INSERT INTO item VALUES (1)');
    await db.query(`INSERT INTO other.noise SELECT 'z' FROM generate_series(1, 1000)`);
    await reading.reached((await queue.source.status()).position);
    start = reading.checkpoint;
  }
  await client.query('COMMIT');
  await client.end();
  await using reading = new Reading({ ...queue, start });
  await reading.reached(await queue.source.mark());
  expect(reading.rows).toEqual([['1']]);
});

/** Behind each row the session is told that everything up to there was sent, now with and now without a request for an answer. */
function keepaliveBehindEachRow(lsn: string): void {
  const subscribe = vi.spyOn(LogicalReplicationService.prototype, 'subscribe');
  const read = TransactionAssembler.prototype.message;
  let told = 0;
  const message = vi.spyOn(TransactionAssembler.prototype, 'message').mockImplementation(function (
    this: TransactionAssembler,
    bytes,
    start = 0,
    end = bytes.length,
  ) {
    read.call(this, bytes, start, end);
    if (bytes[start] === 'I'.charCodeAt(0)) {
      (subscribe.mock.contexts.at(-1) as LogicalReplicationService).emit(
        'heartbeat',
        lsn,
        Date.now(),
        ++told % 2 === 0,
      );
    }
  });
  onTestFinished(() => {
    subscribe.mockRestore();
    message.mockRestore();
  });
}

test('inside a transaction no keepalive moves the position, also when it comes once more', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using queue = await begin(db);
  // Beyond its end: a position that is given out in its middle would leave the rest of it behind.
  keepaliveBehindEachRow('FFFF/0');
  let start = queue.start;
  {
    await using reading = new Reading({ ...queue, acknowledge: false });
    await db.query('INSERT INTO item SELECT generate_series(1, 6000)');
    await reading.until(() => reading.parts.some(({ rows, commit }) => rows > 0 && commit !== null));
    const first = reading.parts.findIndex(({ rows }) => rows > 0);
    expect(reading.parts.slice(first).map(({ rows, commit }) => [rows, commit !== null])).toEqual([
      [5_000, false],
      [1_000, true],
    ]);
    start = reading.checkpoint;
  }
  await db.query('INSERT INTO item VALUES (0)');
  await using reading = new Reading({ ...queue, start });
  await reading.reached(await queue.source.mark());
  expect(reading.rows).toEqual([['0']]);
});

test('heartbeats of the route come with the source’s clock, those of others only move the position', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using mine = await begin(db);
  await using other = await begin(db);
  await using reading = new Reading({ ...mine, heartbeatMs: 50 });
  await using beside = new Reading({ ...other, heartbeatMs: 50 });
  const beats = () => reading.parts.flatMap(({ changes }) => changes);
  await reading.until(() => beats().length >= 3);
  await beside.until(() => beside.parts.length >= 3);
  for (const beat of beats()) {
    expect(beat).toMatchObject({ kind: 'heartbeat', id: routeKey(mine.route) });
    expect(beat.kind === 'heartbeat' && Math.abs(Date.now() - beat.sentAtMs)).toBeLessThan(10_000);
  }
  expect(reading.parts.every(({ urgency }) => urgency === 'ride')).toBe(true);
});

test('a mark is passed at once, with everything that was committed before it', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await db.query('INSERT INTO item VALUES (1)');
  await reading.reached(await queue.source.mark());
  expect(reading.rows).toEqual([['1']]);
  expect(reading.parts.at(-1)).toMatchObject({ id: '', urgency: 'now', changes: [] });
});

test('replicated transactions are dropped or passed on with their hops, as the route says', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await using own = await begin(db);
  await using all = await begin(db, { forward: 'all' });
  await using ownReading = new Reading(own);
  await using allReading = new Reading(all);
  const hops = [{ node: 'north', position: '0/10', committedAtMs: 5 }];
  const client = await db.client();
  await client.query('BEGIN');
  await client.query(`SELECT pg_logical_emit_message(true, 'tidelock.origin', $1)`, [JSON.stringify({ v: 1, hops })]);
  await client.query('INSERT INTO item VALUES (1)');
  await client.query('COMMIT');
  await client.query('INSERT INTO item VALUES (2)');
  await client.end();
  const mark = await own.source.mark();
  await ownReading.reached(mark);
  await allReading.reached(mark);
  expect(ownReading.rows).toEqual([['2']]);
  expect(allReading.rows).toEqual([['1'], ['2']]);
  expect(allReading.parts.filter(({ rows }) => rows > 0).map(({ origin }) => origin)).toEqual([hops, []]);
});

test('a fast shutdown of the source waits for nothing, and the stream ends with something to retry', async () => {
  await using own = await startPostgres();
  const db = await own.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY); CREATE TABLE noise (id int) PARTITION BY RANGE (id)');
  const queue = await begin(db);
  const reading = new Reading(queue);
  await db.query('INSERT INTO item VALUES (1)');
  await reading.until(() => reading.rows.length === 1);
  const beganMs = performance.now();
  await own.stop('fast');
  expect(performance.now() - beganMs).toBeLessThan(3000);
  await reading.ended;
  expect(reading.error).toMatchObject({ recovery: 'retry' });
  await own.start();
  // What is not confirmed is not waited for either, also where the session beside the stream is asking when it is ended.
  const again = new Reading({ ...queue, start: reading.checkpoint, acknowledge: false, heartbeatMs: 50 });
  await db.query('INSERT INTO item VALUES (2)');
  await again.until(() => again.rows.length === 1);
  const locker = await db.client();
  await locker.query('BEGIN; LOCK TABLE pg_inherits IN ACCESS EXCLUSIVE MODE');
  await until('a look that waits', async () => {
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%heartbeat'`;
    return (await db.query(waiting)).length > 0;
  });
  await own.stop('fast');
  await again.ended;
  expect(again.error).toMatchObject({ recovery: 'retry' });
  await own.start();
  await using last = new Reading({ ...queue, start: reading.checkpoint });
  await last.reached(await queue.source.mark());
  expect(last.rows).toEqual([['2']]);
});

test('where the session is the synchronous standby a COMMIT of another table comes back', async () => {
  await using own = await startPostgres({ settings: { synchronous_standby_names: '' } });
  const db = await own.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  await db.query('CREATE SCHEMA other; CREATE TABLE other.noise (t text)');
  const queue = await begin(db);
  const admin = await db.client();
  await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '"${routeKey(queue.route)}"'`);
  await admin.query('SELECT pg_reload_conf()');
  await until('the setting', () => queue.source.isAwaited());
  await using reading = new Reading({ ...queue, heartbeatMs: 100 });
  await reading.until(() => reading.parts.length > 0);
  await admin.query(`INSERT INTO other.noise VALUES ('z')`);
  await admin.query('INSERT INTO item VALUES (1)');
  await reading.until(() => reading.rows.length === 1);
  // It is known before the stream begins: what comes is stored at once, and not some seconds later.
  const urgencies = (): string[] => [...new Set(reading.parts.map(({ urgency }) => urgency))];
  expect(urgencies()).toEqual(['now']);
  const beats = (): number =>
    reading.parts.filter(({ changes }) => changes.some(({ kind }) => kind === 'heartbeat')).length;
  for (const [names, urgency] of [
    ['', 'ride'],
    ['"prod/another", *', 'now'],
  ]) {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await admin.query('SELECT pg_reload_conf()');
    reading.parts.length = 0;
    await reading.until(() => beats() > 0 && reading.parts.at(-1)?.urgency === urgency);
    // Each heartbeat is preceded by a look; the session that beats may read the setting a moment later than ours.
    expect(beats()).toBeLessThan(10);
  }
  await admin.end();
});
