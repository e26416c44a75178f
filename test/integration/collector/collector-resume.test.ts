import { afterAll, beforeAll, expect, test } from 'vitest';
import { queueName } from '../../../src/core/route.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { begin, Reading } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** Several sessions at once, so that commit records are adjacent in the WAL. */
async function write(db: Awaited<ReturnType<PostgresServer['createDatabase']>>, writers: number, commits: number) {
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const client = await db.client();
      for (let i = 0; i < commits; i++) await client.query('INSERT INTO item (writer, n) VALUES ($1, $2)', [writer, i]);
      await client.end();
    }),
  );
}

test('under concurrent writers and many reconnects each commit comes exactly once after the checkpoint', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer int, n int)');
  await using queue = await begin(db);
  const seen = new Map<string, number>();
  let start = queue.start;
  let sessions = 0;
  const writing = write(db, 8, 250);
  let end: Awaited<ReturnType<typeof queue.source.mark>> | null = null;
  const marked = writing.then(async () => {
    end = await queue.source.mark();
  });
  for (let done = false; !done; sessions++) {
    await using reading = new Reading({ ...queue, start });
    // Stops in the middle of what was handed out: the rest of it has to come again.
    await reading.until(
      () => reading.rows.length >= 60 || (end !== null && queue.source.order.covers(reading.checkpoint.position, end)),
    );
    await reading.stop();
    for (const [id] of reading.rows) seen.set(String(id), (seen.get(String(id)) ?? 0) + 1);
    start = reading.checkpoint;
    done = end !== null && queue.source.order.covers(start.position, end);
  }
  await marked;
  expect(sessions).toBeGreaterThan(2);
  expect([...seen.values()].every((times) => times === 1)).toBe(true);
  expect(seen.size).toBe(2000);
});

test('the source is told exactly where the last durable commit ends, not a byte more or less', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer int, n int)');
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await write(db, 1, 3);
  await reading.until(() => reading.rows.length === 3);
  await until('the acknowledgement', async () => {
    const [slot] = await db.query(
      `SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1`,
      [queueName(queue.route)],
    );
    const confirmed = queue.source.order.parse(String(slot?.lsn));
    expect(queue.source.order.covers(reading.checkpoint.position, confirmed)).toBe(true);
    return confirmed === reading.checkpoint.position;
  });
});

test('what was not acknowledged is dropped again where the checkpoint has it, and comes where it has not', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, writer int, n int)');
  await using queue = await begin(db);
  await using first = new Reading({ ...queue, acknowledge: false });
  await write(db, 1, 10);
  await first.until(() => first.rows.length === 10);
  await first.stop();
  const fifth = first.parts.filter(({ rows }) => rows > 0)[4];
  if (!fifth?.commit) throw new Error('no fifth transaction');
  const { position } = fifth.commit;
  await using second = new Reading({ ...queue, start: { position, lastCommit: { position, id: fifth.commit.id } } });
  await second.reached(await queue.source.mark());
  expect(second.rows.map(([id]) => id)).toEqual(['6', '7', '8', '9', '10']);
  // The version of the table is announced, although its description came in a transaction that was dropped.
  expect(second.parts.flatMap(({ changes }) => changes)[0]?.kind).toMatch(/schemaChange|heartbeat/);
});

test('one transaction of 300,000 rows stays within the byte budget under a slow reader, and arrives whole', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, text text)');
  await using queue = await begin(db);
  let rows = 0;
  let open = false;
  await using reading = new Reading({
    ...queue,
    budgetBytes: 8_000_000,
    keepParts: false,
    onPart: async (part) => {
      rows += part.rows;
      open = part.commit === null;
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  await db.query(`INSERT INTO item SELECT i, repeat('y', 100) FROM generate_series(1, 300000) i`);
  await reading.reached(await queue.source.mark());
  expect(rows).toBe(300_000);
  expect(open).toBe(false);
  expect(reading.budget.usedBytes).toBe(0);
  expect(reading.budget.peakBytes).toBeLessThan(8_000_000 + 3_000_000);
});

test('an abort ends the stream at once, also while the reader is stuck and the budget used up', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, text text)');
  await using queue = await begin(db);
  let release: () => void = () => {};
  const stuck = new Promise<void>((resolve) => {
    release = resolve;
  });
  let first = true;
  await using reading = new Reading({
    ...queue,
    budgetBytes: 1_000_000,
    onPart: async (part) => {
      if (part.rows > 0 && first) {
        first = false;
        await stuck;
      }
    },
  });
  await db.query(`INSERT INTO item SELECT i, repeat('y', 100) FROM generate_series(1, 100000) i`);
  await until('a full budget', () => reading.budget.paused);
  const beganMs = performance.now();
  const stopped = reading.stop();
  // The connection goes although the reader holds the iterator: the slot is free.
  await until('a slot that is free', async () => (await queue.source.status()).queue === 'idle');
  expect(performance.now() - beganMs).toBeLessThan(10_000);
  release();
  await stopped;
  expect(reading.error).toBeNull();
  expect(reading.budget.usedBytes).toBe(0);
});
