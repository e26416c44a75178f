import { expect, test } from 'vitest';
import { freePort, startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { until } from '../../support/until.ts';

test('a service tells its probes how its route is, and /metrics what it does', async () => {
  await using server = await startPostgres();
  const [source, target] = [await server.createDatabase(), await server.createDatabase()];
  for (const database of [source, target]) await database.query('CREATE TABLE item (id int PRIMARY KEY, t text)');
  await source.query(`INSERT INTO item SELECT i, 'loaded' FROM generate_series(1, 100) i`);
  const port = await freePort();
  using file = new RouteFile({ source, target });
  file.append(`service:\n  probes: { listen: "127.0.0.1:${port}" }\n`);
  await using route = file.run();
  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  const metric = async (series: string): Promise<number | null> => {
    const line = (await get('/metrics')).body.split('\n').find((one) => one.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length));
  };
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
  expect(await metric('tidelock_retained_bytes{route="here-to-there"}')).toBeGreaterThan(0);
  expect(await metric('tidelock_source_position_bytes{route="here-to-there"}')).toBeGreaterThan(1_000_000);
  expect(await metric('tidelock_worker_memory_bytes{route="here-to-there",kind="rss"}')).toBeGreaterThan(10_000_000);
  const stage = (name: string) => metric(`tidelock_stage_seconds_total{route="here-to-there",stage="${name}"}`);
  for (const name of ['decode', 'map', 'apply', 'commit', 'wait', 'flush'])
    expect(await stage(name), name).toBeGreaterThan(0);

  // Totals go on over a worker that is killed; it is told to be gone at once, and what it was is not shown any more.
  process.kill(await route.workerPid(), 'SIGKILL');
  await until('503', async () => (await get('/health/routes/here-to-there')).status === 503);
  await until('the next worker', async () => (await get('/health/routes/here-to-there')).status === 200);
  await source.query(`UPDATE item SET t = 'again' WHERE id <= 3`);
  await route.caughtUp();
  await until('the counts', async () => (await rows('update')) === 6);
  expect(await rows('load')).toBe(100);
  expect(await metric('tidelock_worker_restarts_total{route="here-to-there"}')).toBe(1);

  // Stopped on purpose is not healthy, paused would be; what is kept for it goes on being measured.
  await file.tidelock('stop', 'here-to-there');
  await until('503', async () => (await get('/health/routes/here-to-there')).body.includes('stopped'));
  expect(await get('/readyz')).toMatchObject({ status: 200 });

  using other = new RouteFile({ source, target });
  other.append(`service:\n  probes: { listen: "127.0.0.1:${port}" }\n`);
  await using second = other.run();
  expect(await second.exit()).toBe(2);
  expect(second.log).toContain('TL-1030');
});
