import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueueRoom } from '../../../src/core/queue-room.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { until } from '../../support/until.ts';
import { begin, Reading, sourceOf } from './reading.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

async function queueOn(port: number) {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY)');
  const queue = await begin(db);
  const settings = { ...db.node.connection(), hosts: [{ host: '127.0.0.1', port }] };
  const source = sourceOf({ ...queue.route, from: { ...db.node, connection: () => settings } });
  return { ...queue, db, source, direct: queue.source };
}

test('a server that refuses connections is something to retry', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  closed.close();
  const queue = await queueOn(typeof address === 'object' && address ? address.port : 1);
  await using reading = new Reading(queue);
  await reading.ended;
  expect(reading.error).toMatchObject({ code: 'TL-5001', recovery: 'retry' });
});

test('an abort does not wait for a server that never answers', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const queue = await queueOn(typeof address === 'object' && address ? address.port : 1);
  const connected = once(silent, 'connection');
  const reading = new Reading(queue);
  await connected;
  const beganMs = performance.now();
  await reading.stop();
  expect(performance.now() - beganMs).toBeLessThan(8_000);
  expect(reading.error).toBeNull();
  for (const socket of sockets) socket.destroy();
  silent.close();
});

test('a session that the server ends is something to retry, and a heartbeat session is made anew', async () => {
  const queue = await queueOn(server.port);
  await using reading = new Reading({ ...queue, heartbeatMs: 50 });
  await reading.until(() => reading.parts.length > 0);
  await queue.db.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE '%heartbeat'`,
    [queue.db.name],
  );
  const before = reading.parts.length;
  await reading.until(() => reading.parts.length > before + 3);
  await queue.db.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1', [
    queue.db.name,
  ]);
  await reading.ended;
  expect(reading.error).toMatchObject({ recovery: 'retry' });
  await queue.direct.dropQueue();
  // Nothing of the route is left at the server.
  const sessions = 'SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()';
  await until('no session', async () => (await queue.db.query(sessions, [queue.db.name])).length === 0);
});

test('a session that the server ends while it reads beside the stream is something to retry', async () => {
  const queue = await queueOn(server.port);
  const holder = await queue.db.client();
  await holder.query('BEGIN; LOCK TABLE item');
  const reader = queue.source.reader();
  const asked = reader.hasRows({ schema: 'public', name: 'item' }).catch((error: unknown) => error);
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = $1 AND application_name LIKE '%load' AND wait_event_type = 'Lock'`;
  await until('its end', async () => (await queue.db.query(end, [queue.db.name])).length === 1);
  expect(await asked).toMatchObject({ recovery: 'retry' });
  await holder.end();
  await reader.close();
});

test('what the source keeps is measured', async () => {
  const db = await server.createDatabase();
  await db.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  await using queue = await begin(db);
  await db.query(`INSERT INTO item SELECT i, repeat('x', 100) FROM generate_series(1, 10000) i`);
  const measured: { readonly bytes: number; readonly room: QueueRoom | null }[] = [];
  await using reading = new Reading({
    ...queue,
    heartbeatMs: 50,
    acknowledge: false,
    onRetained: (bytes, room = null) => measured.push({ bytes, room }),
  });
  await reading.until(() => measured.length > 0);
  expect(measured[0]?.bytes).toBeGreaterThan(1_000_000);
  expect(measured[0]?.room).toBeNull();
  // With a limit the server tells how much of it is left.
  await db.query(`ALTER SYSTEM SET max_slot_wal_keep_size = '1GB'`);
  await db.query('SELECT pg_reload_conf()');
  await reading.until(() => measured.some(({ room }) => room !== null));
  const { leftBytes = 0, limitBytes } = measured.findLast(({ room }) => room !== null)?.room ?? {};
  expect(limitBytes).toBe(2 ** 30);
  expect(leftBytes).toBeGreaterThan(2 ** 29);
  expect((await queue.source.status()).room).toMatchObject({ limitBytes });
  await db.query('ALTER SYSTEM RESET max_slot_wal_keep_size');
  await db.query('SELECT pg_reload_conf()');
});

test('rows come over TLS as they come without, and the server is checked', async () => {
  const { uid, gid } = statSync(server.dataDir);
  const { cert } = selfSigned(server.dataDir);
  for (const file of ['cert.pem', 'key.pem']) chownSync(join(server.dataDir, file), uid, gid);
  const db = await server.createDatabase();
  for (const [name, value] of Object.entries({ ssl_cert_file: 'cert.pem', ssl_key_file: 'key.pem', ssl: 'on' }))
    await db.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await db.query('SELECT pg_reload_conf()');
  await until('TLS', async () => (await db.query('SHOW ssl'))[0]?.ssl === 'on');
  await db.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
  await using queue = await begin(db);
  const connection = (ca: string) => () => ({
    ...db.node.connection(),
    hosts: [{ host: 'localhost', port: server.port }],
    tls: { mode: 'verifyFull' as const, ca },
  });
  const source = (ca: string) => sourceOf({ ...queue.route, from: { ...db.node, connection: connection(ca) } });
  await db.query(`INSERT INTO item SELECT i, repeat(md5(i::text), 1 + i % 90) FROM generate_series(1, 3000) i`);
  await using reading = new Reading({ ...queue, source: source(cert) });
  await reading.reached(await queue.source.mark());
  const rows = await db.query('SELECT id::text, v FROM item ORDER BY item.id');
  expect(reading.rows).toEqual(rows.map(({ id, v }) => [id, v]));
  const walsender = `SELECT ssl FROM pg_stat_ssl JOIN pg_replication_slots ON active_pid = pid WHERE database = $1`;
  expect(await db.query(walsender, [db.name])).toEqual([{ ssl: true }]);
  await reading.stop();
  const folder = mkdtempSync(join(tmpdir(), 'tidelock-another-'));
  await using other = new Reading({ ...queue, source: source(selfSigned(folder).cert) });
  rmSync(folder, { recursive: true });
  await other.ended;
  expect(other.error).toMatchObject({ code: 'TL-5001' });
});
