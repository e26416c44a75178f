import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';

const servers = twoServers();

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v int NOT NULL, filler text)';
const rows = 20_000;

/** Where, at which passing, and who dies. */
const kills: readonly (readonly [FailpointName, number, 'worker' | 'target' | 'source'])[] = [
  ['load.answerLost', 1, 'worker'],
  ['chunk.read', 2, 'worker'],
  ['chunk.sent', 3, 'worker'],
  ['chunk.sent', 2, 'target'],
  ['commit.sent', 4, 'worker'],
  ['chunk.applied', 2, 'worker'],
  ['chunk.read', 2, 'source'],
];

test.for(kills.filter((_, at) => seeds().length > 1 || at < 6))(
  'a load beside the stream goes on at its last chunk after kill -9 at %s, passing %i, of the %s',
  { timeout: 90_000 },
  async ([name, hit, victim]) => {
    const { source, target } = await servers.pair(schema);
    await source.query(`INSERT INTO item SELECT n, 0, repeat('x', 100) FROM generate_series(1, ${rows}) n`);
    using file = new RouteFile({ source, target, route: 'tables: [public.item]\nload: { wholeUpTo: 0B }' });
    const pids = { worker: '', source: `/${servers.here.pid}`, target: `/${servers.there.pid}` };
    await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=${hit}:kill${pids[victim]}` });
    const worker = await route.workerPid();
    const before = { worker, source: servers.here.pid, target: servers.there.pid }[victim];
    let isOver = false;
    const writing = (async () => {
      for (let n = 1; !isOver; n++) {
        const id = (n * 7919) % rows;
        await source
          .query(
            `UPDATE item SET v = v + 1 WHERE id BETWEEN ${id} AND ${id + 2}; DELETE FROM item WHERE id = ${id + 3};
             UPDATE item SET id = id + ${10 * rows} WHERE id = ${id + 4}`,
          )
          .catch(() => {});
        await setTimeout(5);
      }
    })();
    try {
      await until(`the end of the ${victim}`, () => !isAlive(before), 40_000);
      const server = { worker: null, source: servers.here, target: servers.there }[victim];
      await server?.kill9();
      await server?.start();
      await until(
        'the end of the load',
        async () => {
          const [load] = await target.query('SELECT done_at FROM tidelock.loads').catch(() => []);
          return (load?.done_at ?? null) !== null;
        },
        40_000,
      );
    } finally {
      isOver = true;
      await writing;
    }
    await route.caughtUp(30_000);
    expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
    const [load] = await target.query('SELECT rows::int FROM tidelock.loads');
    // Begun anew it would have read much of the table twice; what was read is told with each chunk.
    expect(load?.rows).toBeLessThan(1.2 * rows);
    expect(load?.rows).toBeGreaterThan(0.5 * rows);
  },
);
