import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatLsn, parseLsn } from '../../../connectors/postgres/lsn.ts';
import type { StartPoint } from '../../../src/core/collector.ts';
import { queueName } from '../../../src/core/route.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { type Begun, begin, Reading, routeOf, sourceOf } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

async function database() {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  return db;
}

/** The error that a start ends with. */
async function refusal(queue: Pick<Begun, 'source' | 'stored'>, start: StartPoint): Promise<unknown> {
  await using reading = new Reading({ ...queue, start });
  await reading.ended;
  return reading.error;
}

/** Applies one insert and returns the checkpoint after it, nothing acknowledged. */
async function applied(queue: Begun, db: Awaited<ReturnType<typeof database>>, id: number): Promise<StartPoint> {
  await using reading = new Reading({ ...queue, acknowledge: false });
  await db.query('INSERT INTO item VALUES ($1)', [id]);
  await reading.until(() => reading.rows.some(([value]) => value === String(id)));
  return reading.checkpoint;
}

test('a missing slot halts', async () => {
  const db = await database();
  await using queue = await begin(db);
  await db.query('SELECT pg_drop_replication_slot($1)', [queueName(queue.route)]);
  expect(await refusal(queue, queue.start)).toMatchObject({ code: 'TL-3102', recovery: 'resynchronise' });
});

test('the slot is one that standbys keep, too, where the server knows such', async () => {
  const db = await database();
  await using queue = await begin(db);
  await using reading = new Reading(queue);
  await reading.reached(await queue.source.mark());
  const [slot] = await db.query(
    `SELECT to_jsonb(s) -> 'failover' AS failover FROM pg_replication_slots s WHERE slot_name = '${queueName(queue.route)}'`,
  );
  expect(slot?.failover).toBe(Number(server.version) >= 17 ? true : null);
});

test('a slot that was made anew, or moved beyond the checkpoint, halts with both positions', async () => {
  const db = await database();
  await using queue = await begin(db);
  await db.query('INSERT INTO item VALUES (1)');
  await db.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [queueName(queue.route)]);
  expect(await refusal(queue, queue.start)).toMatchObject({
    code: 'TL-3105',
    message: expect.stringContaining(queue.start.position),
  });
  await db.query('SELECT pg_drop_replication_slot($1)', [queueName(queue.route)]);
  await db.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [queueName(queue.route)]);
  expect(await refusal(queue, queue.start)).toMatchObject({ code: 'TL-3105' });
});

test('a slot of another plugin halts, one that is read by another session is tried again', async () => {
  const db = await database();
  await using queue = await begin(db);
  {
    await using reading = new Reading(queue);
    await reading.until(() => reading.parts.length > 0);
    expect(await refusal(queue, reading.checkpoint)).toMatchObject({ code: 'TL-3104', recovery: 'retry' });
  }
  await db.query('SELECT pg_drop_replication_slot($1)', [queueName(queue.route)]);
  await db.query('SELECT pg_create_physical_replication_slot($1)', [queueName(queue.route)]);
  expect(await refusal(queue, queue.start)).toMatchObject({ code: 'TL-3103' });
});

test('another cluster, and another database of the same one, halt', async () => {
  const db = await database();
  await using queue = await begin(db);
  for (const stored of [{ systemId: '1' }, { database: 'elsewhere' }, { databaseOid: '1' }])
    expect(await refusal({ source: queue.source, stored: { ...queue.stored, ...stored } }, queue.start)).toMatchObject({
      code: 'TL-3106',
    });
});

test('a checkpoint beyond the end of the WAL halts: the source was set back', async () => {
  const db = await database();
  await using queue = await begin(db);
  const position = formatLsn(parseLsn(queue.start.position) + 1_000_000_000n);
  expect(await refusal(queue, { position, lastCommit: null })).toMatchObject({ code: 'TL-3108' });
});

test('a last transaction that is not where it was halts: the source was restored and has gone on', async () => {
  const db = await database();
  await using queue = await begin(db);
  const checkpoint = await applied(queue, db, 1);
  const { lastCommit } = checkpoint;
  if (lastCommit === null) throw new Error('no commit');
  const other = { ...checkpoint, lastCommit: { ...lastCommit, id: lastCommit.id.replace(/@.*/, '@0') } };
  expect(await refusal(queue, other)).toMatchObject({ code: 'TL-3109' });
  // Nothing there at all: the next keepalive beyond tells.
  const shifted = formatLsn(parseLsn(checkpoint.position) - 8n);
  const moved = { position: shifted, lastCommit: { position: shifted, id: lastCommit.id } };
  expect(await refusal(queue, moved)).toMatchObject({ code: 'TL-3109' });
  await using right = new Reading({ ...queue, start: checkpoint });
  await right.reached(await queue.source.mark());
  expect(right.rows).toEqual([]);
});

test('a source restored from an older copy, which went on on the same timeline, halts', async () => {
  const stoppable = await startPostgres();
  await using _stoppable = stoppable;
  const db = await stoppable.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const queue = await begin(db);
  await stoppable.stop('fast');
  await using restored = await startPostgres({ copyOf: stoppable.dataDir });
  await stoppable.start();
  const checkpoint = await applied(queue, db, 1);
  const client = restored.database(db.name);
  await client.query(`DO $$ BEGIN FOR i IN 100..400 LOOP INSERT INTO item VALUES (i); COMMIT; END LOOP; END $$`);
  const source = sourceOf({ ...queue.route, from: client.node });
  expect(await refusal({ source, stored: queue.stored }, checkpoint)).toMatchObject({ code: 'TL-3109' });
});

test('a publication that is gone, or lacks a named table, halts with the statement', async () => {
  const db = await database();
  const base = routeOf(db);
  const exact = { tables: { ...base.tables, exact: [{ schema: 'public', name: 'item' }] } };
  await using queue = await begin(db, exact);
  // Dropped and made anew: the publication does not have the new one.
  await db.query('DROP TABLE item; CREATE TABLE item (id int PRIMARY KEY)');
  expect(await refusal(queue, queue.start)).toMatchObject({
    code: 'TL-3111',
    remedy: expect.stringContaining('ADD TABLE ONLY "public"."item"'),
  });
  await db.query('DROP TABLE item');
  expect(await refusal(queue, queue.start)).toMatchObject({ code: 'TL-3112' });
  await db.query(`DROP PUBLICATION ${queueName(queue.route)}`);
  expect(await refusal(queue, queue.start)).toMatchObject({ code: 'TL-3110' });
});

test('a promoted source goes on where its timeline left the stored one after the checkpoint, else it halts', async () => {
  const stoppable = await startPostgres();
  await using _stoppable = stoppable;
  const db = await stoppable.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const queue = await begin(db);
  const checkpoint = await applied(queue, db, 1);
  await stoppable.promoteOntoNewTimeline();
  await db.query('INSERT INTO item VALUES (2)');
  const identities: unknown[] = [];
  {
    await using reading = new Reading({
      ...queue,
      start: checkpoint,
      acknowledge: false,
      onIdentity: async (identity) => void identities.push(identity),
    });
    await reading.reached(await queue.source.mark());
    expect(reading.rows).toEqual([['2']]);
    expect(identities).toEqual([{ ...queue.stored, timeline: '2' }]);
    expect(await refusal(queue, { position: reading.checkpoint.position, lastCommit: null })).toMatchObject({
      code: 'TL-3107',
      recovery: 'resynchronise',
    });
  }
});

test('rows beyond maxRowBytes and bytes that are no UTF-8 halt with table and column, without the value', async () => {
  const db = await database();
  await db.query('CREATE TABLE wide (id int PRIMARY KEY, t text)');
  const apply = { ...routeOf(db).apply, maxRowBytes: 1000 };
  await using queue = await begin(db, { apply });
  await using reading = new Reading(queue);
  await db.query(`INSERT INTO wide VALUES (1, repeat('s', 2000))`);
  await reading.ended;
  expect(reading.error).toMatchObject({ code: 'TL-3201', message: expect.stringContaining('public.wide') });
  expect(String(reading.error)).not.toContain('sss');

  await db.query(`CREATE DATABASE bytes ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0`);
  const bytes = server.database('bytes');
  await bytes.query('CREATE TABLE raw (id int PRIMARY KEY, t text)');
  const raw = routeOf(bytes);
  const source = sourceOf(raw);
  const snapshot = await source.createQueue(AbortSignal.timeout(60_000), async () => {});
  await snapshot.close();
  await using second = new Reading({
    source,
    stored: snapshot.source,
    start: { position: snapshot.position, lastCommit: null },
  });
  await bytes.query(`INSERT INTO raw VALUES (1, convert_from('\\xe4'::bytea, 'SQL_ASCII'))`);
  await second.ended;
  expect(second.error).toMatchObject({ code: 'TL-3202', message: expect.stringContaining('public.raw.t') });
});
