import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import { LocalControl } from '../../../src/control/local-control.ts';
import { contents } from '../../support/compare.ts';
import { startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

test('a password that is changed is taken up without a restart, by the route and by whoever asks for its status', async () => {
  await using here = await startPostgres();
  await using there = await startPostgres();
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  for (const database of [source, target]) {
    await database.query(
      `CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE rotating SUPERUSER LOGIN PASSWORD 'first-secret'`,
    );
    const access = join(database.server.dataDir, 'pg_hba.conf');
    writeFileSync(access, `host all,replication rotating 127.0.0.1/32 scram-sha-256\n${readFileSync(access, 'utf8')}`);
    await database.query('SELECT pg_reload_conf()');
  }
  using file = new RouteFile({ source, target });
  const node = (database: typeof source): string =>
    `{ type: postgres, hosts: ["127.0.0.1:${database.server.port}"], database: ${database.name}, user: rotating, password: "\${file:secret}" }`;
  file.write({
    secret: 'first-secret\n',
    'tidelock.yaml': `version: 1
name: test
nodes:
  here: ${node(source)}
  there: ${node(target)}
routes:
  here-to-there: { from: here, to: there, tables: [public.t] }
`,
  });
  await using route = file.run();
  await route.state('running');
  const worker = await route.workerPid();
  const configuration = loadConfiguration({ env: {}, cwd: file.folder });
  await using control = new LocalControl({ configuration: () => configuration });
  const state = async (): Promise<unknown> => (await control.status()).routes[0]?.state;
  expect(await state()).toBe('running');
  await source.query('INSERT INTO t VALUES (1)');
  await route.caughtUp();

  for (const database of [source, target]) await database.query(`ALTER ROLE rotating PASSWORD 'second-secret'`);
  file.write({ secret: 'second-secret\n' });
  for (const database of [source, target])
    await database.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'rotating' AND pid <> pg_backend_pid()`,
    );
  await source.query('INSERT INTO t VALUES (2)');
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual({ t: ['(1)', '(2)'] });
  expect(await route.workerPid()).toBe(worker);
  await route.state('running');
  expect(await state()).toBe('running');
  expect(route.log).not.toContain('secret');
});
