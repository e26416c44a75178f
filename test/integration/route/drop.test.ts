import { expect, test } from 'vitest';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

test('a drop that is interrupted is finished by the next one, and a dropped route comes back nowhere until somebody asks', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY)');
  using file = new RouteFile({ source, target });
  await using leader = file.run();
  await leader.state('running');
  await using standby = file.run();
  expect((await standby.state('standby')).reason).toMatchObject({
    code: 'TL-4012',
    remedy: expect.stringContaining('--takeover'),
  });
  const drop = (failpoints = '') =>
    file.tidelockWith({ TIDELOCK_FAILPOINTS: failpoints }, 'drop', 'here-to-there', '--yes');
  // As if ten seconds had passed.
  const expire = () => target.query(`UPDATE tidelock.leases SET expires_at = 'epoch'`);
  const holder = async () => (await target.query('SELECT pid, supervisor FROM tidelock.leases'))[0];

  await file.tidelock('stop', 'here-to-there');
  await leader.state('stopped');
  await drop('drop.queue=1:kill');
  await leader.state('fenced');
  await expire();
  // Who takes it over from the command that has died does not load it again.
  await standby.state('stopped');
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);

  expect(await target.query(`SELECT result FROM tidelock.actions WHERE action = 'drop'`)).toEqual([
    { result: 'begun' },
  ]);

  const frozen = drop('drop.leased=1:stop');
  const command = await until('the command that drops', async () => {
    const { pid, supervisor } = (await holder()) ?? {};
    return String(supervisor).startsWith('command-') ? Number(pid) : null;
  });
  await standby.state('fenced');
  await file.tidelock('start', 'here-to-there');
  await expire();
  await until('an engine', async () => !String((await holder())?.supervisor).startsWith('command-'));
  await source.query(`SELECT pg_create_logical_replication_slot('test__here_to_there', 'pgoutput')`);
  process.kill(command, 'SIGCONT');
  // Its session was ended, or its epoch is over.
  expect(await frozen).toMatchObject({ code: 2, err: expect.stringMatching(/TL-4001|TL-500[12]/) });
  expect(await target.query('SELECT key FROM tidelock.routes')).toEqual([{ key: 'test/here-to-there' }]);
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toHaveLength(1);

  await file.tidelock('stop', 'here-to-there');
  await until('its end', async () => (await file.status()).state === 'stopped');
  expect(await drop()).toMatchObject({ code: 0 });
  for (const engine of [leader, standby]) {
    await engine.reason('TL-4013');
    process.kill(await engine.workerPid(), 'SIGKILL');
    await engine.state('retrying');
    expect((await engine.state('failed')).reason?.code).toBe('TL-4013');
  }
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
  expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
  expect(await target.query(`SELECT to_regnamespace('tidelock') AS there`)).toEqual([{ there: null }]);

  expect(await file.tidelock('apply')).toMatchObject({ code: 0, out: expect.stringContaining('here-to-there: new') });
  await until('an engine', async () => (await file.status()).state === 'running');
}, 90_000);

test('a route that is dropped and begun anew at once begins as its file says by then', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY)');
  await source.query('INSERT INTO item VALUES (1)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.caughtUp();
  await file.tidelock('stop', 'here-to-there');
  await route.state('stopped');
  // As where the source gets another server: the rows are there already.
  file.configure('tables: ["public.*"]\nload: { mode: none }');
  // Faster than the engine looks.
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
  expect(await file.tidelock('start', 'here-to-there')).toMatchObject({ code: 0 });
  await source.query('INSERT INTO item VALUES (2)');
  await until('the route', async () => (await file.status()).state === 'running');
  await source.query('INSERT INTO item VALUES (3)');
  await route.caughtUp();
  expect(route.log).not.toContain('TL-2301');
  expect(await target.query('SELECT id FROM item WHERE id <> 2 ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }]);
}, 60_000);
