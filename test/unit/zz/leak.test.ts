import { test } from 'vitest';
import { startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
test('leaks', async () => {
  const server = await startPostgres();
  const [source, target] = await Promise.all([server.createDatabase('a'), server.createDatabase('b')]);
  await Promise.all([source, target].map((db) => db.query('CREATE TABLE t (id int PRIMARY KEY)')));
  const route = new RouteFile({ source, target }).run();
  await route.state('running');
  await route.workerPid();
  if (process.env.HANG) { process.stdout.write('READY\n'); await new Promise(() => {}); }
}, 60_000);
