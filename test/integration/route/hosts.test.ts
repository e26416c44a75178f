import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

let here: PostgresServer;
let there: PostgresServer;
let standby: PostgresServer;

beforeAll(async () => {
  [here, there, standby] = await Promise.all([startPostgres(), startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there, standby].map((server) => server[Symbol.asyncDispose]()));
});

test('of several hosts a standby is passed over, at both sides', async () => {
  const [source, target] = [await here.createDatabase('shop'), await there.createDatabase('shop')];
  await standby.createDatabase('shop');
  await standby.stop('fast');
  standby.standBy();
  await standby.start();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY)');
  await using file = new RouteFile({ source, target });
  const path = join(file.folder, 'tidelock.yaml');
  const written = readFileSync(path, 'utf8');
  const listed = [here, there].reduce(
    (text, { port }) => text.replace(`127.0.0.1:${port}`, `127.0.0.1:${standby.port},127.0.0.1:${port}`),
    written,
  );
  expect(listed).not.toBe(written);
  writeFileSync(path, listed);
  expect(await file.tidelock('check')).toMatchObject({ code: 0 });
  await using route = file.run();
  await route.state('running');
  await source.query('INSERT INTO t SELECT generate_series(1, 10)');
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));
});
