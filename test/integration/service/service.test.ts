import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Notice } from '../../../src/notify/notice.ts';
import { freePort, type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { until } from '../../support/until.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

async function databases(): Promise<[source: TestDatabase, target: TestDatabase]> {
  const [source, target] = [await server.createDatabase(), await server.createDatabase()];
  for (const database of [source, target]) await database.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  return [source, target];
}

/** A configuration with probes, and what they tell. */
async function probed(source: TestDatabase, target: TestDatabase) {
  const port = await freePort();
  const file = new RouteFile({ source, target });
  file.append(`service:\n  probes: { listen: "127.0.0.1:${port}" }\n`);
  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  const metric = async (series: string): Promise<number | null> => {
    const line = (await get('/metrics')).body.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length));
  };
  return { port, file, get, metric, [Symbol.dispose]: () => file[Symbol.dispose]() };
}

test('a service tells its probes how its route is, and /metrics what it does', async () => {
  const [source, target] = await databases();
  await source.query(`INSERT INTO item SELECT i, 'loaded' FROM generate_series(1, 100) i`);
  using probes = await probed(source, target);
  const { file, get, metric } = probes;
  await using route = file.run();
  await route.state('running');
  expect(await get('/health/routes/here-to-there')).toMatchObject({ status: 200 });
  expect(await get('/readyz')).toMatchObject({ status: 200 });

  await source.query(`INSERT INTO item SELECT i, 'new' FROM generate_series(101, 150) i`);
  await source.query(`UPDATE item SET t = 'changed' WHERE id <= 3`);
  await source.query('DELETE FROM item WHERE id = 4');
  await route.caughtUp();
  const rows = (operation: string) =>
    metric(`tidelock_rows_total{route="here-to-there",table="public.item",operation="${operation}"}`);
  await until('the counts', async () => (await rows('delete')) === 1);
  expect(await Promise.all(['load', 'insert', 'update', 'delete'].map(rows))).toEqual([100, 50, 3, 1]);
  expect(await metric('tidelock_transactions_total{route="here-to-there"}')).toBe(3);
  expect(await metric('tidelock_lag_seconds{route="here-to-there"}')).toBeLessThan(10);
  await until('what is kept', async () => Number(await metric('tidelock_retained_bytes{route="here-to-there"}')) > 0);
  expect(await metric('tidelock_source_position_bytes{route="here-to-there"}')).toBeGreaterThan(1_000_000);
  expect(await metric('tidelock_worker_memory_bytes{route="here-to-there",kind="rss"}')).toBeGreaterThan(10_000_000);
  const stage = (name: string) => metric(`tidelock_stage_seconds_total{route="here-to-there",stage="${name}"}`);
  // Some are told with the next message only.
  for (const name of ['decode', 'map', 'apply', 'commit', 'wait', 'flush'])
    await until(`stage ${name}`, async () => Number(await stage(name)) > 0);

  // Totals go on over a worker that is killed; it is told to be gone at once, and what it was is not shown any more.
  process.kill(await route.workerPid(), 'SIGKILL');
  await until('503', async () => (await get('/health/routes/here-to-there')).status === 503);
  await until('the next worker', async () => (await get('/health/routes/here-to-there')).status === 200);
  await source.query(`UPDATE item SET t = 'again' WHERE id <= 3`);
  await route.caughtUp();
  await until('the counts', async () => (await rows('update')) === 6);
  expect(await rows('load')).toBe(100);
  expect(await metric('tidelock_worker_restarts_total{route="here-to-there"}')).toBe(1);
});

test('of a route that is stopped what its source keeps goes on being measured; a taken address is told', async () => {
  const [source, target] = await databases();
  using probes = await probed(source, target);
  const { port, file, get, metric } = probes;
  await using route = file.run();
  await route.state('running');
  // Stopped on purpose is not healthy, paused would be.
  await file.tidelock('stop', 'here-to-there');
  await until('503', async () => (await get('/health/routes/here-to-there')).body.includes('stopped'));
  expect(await get('/readyz')).toMatchObject({ status: 200 });
  await route.kill9();
  await source.query('SELECT pg_logical_emit_message(false, $1, repeat($2, 20000000))', ['x', 'y']);
  await using again = file.run();
  await again.state('stopped');
  const kept = () => metric('tidelock_retained_bytes{route="here-to-there"}');
  await until('what the source keeps', async () => Number(await kept()) > 20_000_000);

  using other = new RouteFile({ source, target });
  other.append(`service:\n  probes: { listen: "127.0.0.1:${port}" }\n`);
  await using second = other.run();
  expect(await second.exit()).toBe(2);
  expect(second.log).toContain('TL-1030');
});

test('a failure is told once, also where another engine takes the route over, which tells that', async () => {
  const [source, target] = await databases();
  await target.query(`ALTER TABLE item ADD CONSTRAINT good CHECK (t <> 'bad')`);
  const received: Notice[] = [];
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      received.push(JSON.parse(body) as Notice);
      response.end();
    });
  });
  const port = await new Promise<number>((resolve) =>
    hook.listen(0, '127.0.0.1', () => resolve((hook.address() as AddressInfo).port)),
  );
  try {
    using file = new RouteFile({ source, target });
    file.append(`notify: [{ webhook: "http://127.0.0.1:${port}/\${HOOK}" }]\n`);
    const env = { HOOK: 'of-a-secret' };
    await using first = file.run(env);
    await first.state('running');
    await using second = file.run(env);
    await second.state('standby');
    await source.query(`INSERT INTO item VALUES (1, 'bad')`);
    await first.state('failed');
    await until('the failure', () => received.length === 1);
    await until('its being stored', async () => {
      const [lease] = await target.query(
        `SELECT status -> 'told' -> 'health' ->> 'severity' AS told FROM tidelock.leases`,
      );
      return lease?.told === 'critical';
    });
    await first.kill9();
    await second.state('failed');
    await until('the takeover', () => received.length === 2);
    // Another failure is news.
    await target.query('ALTER TABLE item DROP CONSTRAINT good; ALTER TABLE item DROP COLUMN t');
    expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
    await until('the other failure', () => received.length === 3);
    expect(received.map(({ event, pid }) => [event, pid])).toEqual([
      ['problem', first.pid],
      ['takeover', second.pid],
      ['problem', second.pid],
    ]);
    expect(received[0]?.reason?.code).not.toBe(received[2]?.reason?.code);
    expect(received[1]?.text).toContain(`process ${first.pid}`);
    expect(`${first.log}${second.log}`).not.toContain('of-a-secret');
  } finally {
    hook.closeAllConnections();
    hook.close();
  }
});
