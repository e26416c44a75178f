import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const servers = twoServers();

test('of a transaction that is parked the definition is followed all the same', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY, note text)');
  await source.query(`INSERT INTO t VALUES (1, 'a'), (2, 'b')`);
  await using file = new RouteFile({
    source,
    target,
    route: 'tables: ["public.*"]\nschemaChanges: evolve\napply: { onError: park }',
  });
  await using route = file.run();
  await route.state('running');
  await target.query(`ALTER TABLE t ADD CONSTRAINT refuses CHECK (note <> 'bad')`);
  // First in its transaction, and behind a row of it.
  await source.query(`BEGIN; ALTER TABLE t ADD c int DEFAULT 7; INSERT INTO t VALUES (3, 'bad', 1); COMMIT`);
  await source.query(`INSERT INTO t VALUES (4, 'good', 2)`);
  await source.query(
    `BEGIN; INSERT INTO t VALUES (5, 'good', 3); ALTER TABLE t ADD d int DEFAULT 8; INSERT INTO t VALUES (6, 'bad', 4, 5); COMMIT`,
  );
  await source.query(`INSERT INTO t VALUES (7, 'good', 5, 6)`);
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual({ t: ['(1,a,7,8)', '(2,b,7,8)', '(4,good,2,8)', '(7,good,5,6)'] });
  expect(await file.status()).toMatchObject({ state: 'running', parked: 2 });
  await target.query('ALTER TABLE t DROP CONSTRAINT refuses');
  expect(await file.tidelock('parked', 'retry', 'here-to-there', '--all')).toMatchObject({ code: 0 });
  expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));

  // A retry goes by names: columns keep theirs while something is parked.
  await target.query(`ALTER TABLE t ADD CONSTRAINT refuses CHECK (note <> 'worse')`);
  await source.query(`INSERT INTO t VALUES (8, 'worse', 1, 2)`);
  await source.query(
    `BEGIN; ALTER TABLE t DROP c; ALTER TABLE t ADD c int; INSERT INTO t VALUES (9, 'good', 3, 4); COMMIT`,
  );
  expect((await route.state('failed')).reason?.code).toBe('TL-2222');
  await target.query('ALTER TABLE t DROP CONSTRAINT refuses');
  expect(await file.tidelock('parked', 'retry', 'here-to-there', '--all')).toMatchObject({ code: 0 });
  expect(await file.tidelock('start', 'here-to-there')).toMatchObject({ code: 0 });
  await route.caughtUp();
  expect(await contents(target, ['t'])).toEqual(await contents(source, ['t']));
});
