import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

test('in a two-way set-up no change comes back, and an idle pair stays idle', async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE item (id int PRIMARY KEY, n int, side text)');
  await source.query(`INSERT INTO item VALUES (0, 0, 'loaded')`);
  using file = new RouteFile({
    source,
    target,
    back: 'tables: ["public.*"]\nload: { mode: none }\ncollisions: { default: { resolve: halt } }',
  });
  await using route = file.run();
  await route.state('running');
  await route.state('running', 30_000, 'there-to-here');
  for (let i = 1; i <= 50; i++) {
    await source.query(`INSERT INTO item VALUES (${i}, 0, 'here')`);
    await target.query(`INSERT INTO item VALUES (${-i}, 0, 'there')`);
    // A counter that a returning change would run away with, or set back.
    await source.query(`UPDATE item SET n = n + 1 WHERE side = 'here'`);
    await target.query(`UPDATE item SET n = n + 1 WHERE side = 'there'`);
  }
  await source.query(`DELETE FROM item WHERE id = 7`);
  for (const way of ['there', 'back'] as const) await route.caughtUp(undefined, way);
  const ends = await contents(source, ['item']);
  expect(await contents(target, ['item'])).toEqual(ends);
  expect(ends.item).toHaveLength(100);
  expect(await source.query(`SELECT n FROM item WHERE id IN (1, -1) ORDER BY id`)).toEqual([{ n: 50 }, { n: 50 }]);

  // Several heartbeats on, neither side has stored more than its own idle position now and then.
  const stored = async () =>
    Number((await target.query('SELECT max(sequence) AS n FROM tidelock.checkpoints'))[0]?.n) +
    Number((await source.query('SELECT max(sequence) AS n FROM tidelock.checkpoints'))[0]?.n);
  const before = await stored();
  const [from] = await source.query('SELECT pg_current_wal_lsn()::text AS lsn');
  await until('four heartbeats', async () => {
    const [row] = await source.query(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid = pg_backend_pid()`);
    const [wal] = await source.query(`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn)::int AS bytes`, [
      from?.lsn,
    ]);
    return row?.n === 1 && Number(wal?.bytes) > 4 * 200;
  });
  expect((await stored()) - before).toBeLessThanOrEqual(4);
  const { rows } = (await file.status()) as { rows: number };
  expect(rows).toBeLessThan(5_000);
});
