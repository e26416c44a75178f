import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE item (a int, b text COLLATE "C", v int NOT NULL, big text, PRIMARY KEY (a, b));
  ALTER TABLE item ALTER big SET STORAGE EXTERNAL;
  CREATE INDEX ON item (v);
  CREATE TABLE loose (x int);
  ALTER TABLE loose REPLICA IDENTITY FULL;
`;
const tables = ['item', 'loose'];
const beside = 'tables: ["public.*"]\nload: { wholeUpTo: 0B }';

async function fill(db: TestDatabase, rows: number): Promise<void> {
  await db.query(
    `INSERT INTO item SELECT n % 7, md5(n::text), n, CASE n % 50 WHEN 0 THEN repeat('x' || n, 600) END FROM generate_series(1, ${rows}) n;
     INSERT INTO loose SELECT n FROM generate_series(1, 100) n`,
  );
}

/** Changes of every kind until told to stop. Gives how many rows it has changed. */
function busy(db: TestDatabase): AsyncDisposable & { stop(): Promise<number> } {
  let isOver = false;
  const working = (async () => {
    const client = await db.client();
    let changed = 0;
    try {
      for (let n = 1; !isOver; n++) {
        const some = `v BETWEEN ${(n * 7919) % 30_000} AND ${((n * 7919) % 30_000) + 4}`;
        const { rowCount } = await client.query(
          n % 4 === 0
            ? `UPDATE item SET b = md5(b), v = v + 1 WHERE ${some}`
            : n % 4 === 1
              ? `UPDATE item SET v = v + 1 WHERE ${some}`
              : n % 4 === 2
                ? `DELETE FROM item WHERE ${some}`
                : `INSERT INTO item SELECT ${n} % 7, 'new ${n} ' || i, ${n} * 7919 % 30000 + i FROM generate_series(1, 5) i`,
        );
        // The machine has the route to carry, too.
        await setTimeout(4);
        changed += rowCount ?? 0;
      }
    } finally {
      await client.end();
    }
    return changed;
  })();
  const stop = (): Promise<number> => {
    isOver = true;
    return working;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop().catch(() => {});
    },
  };
}

test('a route loads its tables beside the stream while rows come, go, change and move', {
  timeout: 90_000,
}, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 30_000);
  using file = new RouteFile({ source, target, route: beside });
  await using route = file.run();
  await using work = busy(source);
  await route.state('loading', 30_000);
  await route.state('running', 40_000);
  expect(await work.stop()).toBeGreaterThan(100);
  await route.caughtUp(20_000);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(
    await target.query('SELECT done_at IS NOT NULL AS done, jsonb_array_length(again) AS again FROM tidelock.loads'),
  ).toEqual([{ done: true, again: 0 }]);
});

test('a table of a running route is loaded anew: refused, merged, replaced', { timeout: 90_000 }, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 8_000);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.state('running', 30_000);
  const load = (...more: string[]) => file.tidelock('load', 'here-to-there', 'public.item', '--json', ...more);

  const refused = await load();
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('TL-2301');
  expect((await load('--existing', 'replace')).err).toContain('--yes');
  expect((await file.tidelock('load', 'here-to-there', 'public.other')).err).toContain('TL-4153');
  expect((await file.tidelock('load', 'here-to-there', 'public.loose', '--existing', 'merge')).err).toContain(
    'TL-4160',
  );

  // A row that the source has not, one that has another value, and some that are missing.
  await target.query(
    `DELETE FROM item WHERE v BETWEEN 100 AND 200; UPDATE item SET v = -1 WHERE v = 300; INSERT INTO item VALUES (1, 'own', -2)`,
  );
  const merged = await load('--existing', 'merge');
  expect(JSON.parse(merged.out)).toMatchObject({ tables: [{ name: 'public.item', rows: 8_000 }] });
  expect(await target.query(`DELETE FROM item WHERE b = 'own' RETURNING v`)).toEqual([{ v: -2 }]);
  expect(await contents(target, tables)).toEqual(await contents(source, tables));

  await target.query(`INSERT INTO item VALUES (1, 'own', -2)`);
  {
    await using work = busy(source);
    expect(await load('--existing', 'replace', '--yes')).toMatchObject({ code: 0 });
    await work.stop();
  }
  await route.caughtUp();
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(await file.status()).toMatchObject({ state: 'running', load: null, health: 'ok' });
});

test('a table that is taken out of the route while it is loaded keeps no load behind that would halt it', {
  timeout: 90_000,
}, async () => {
  const { source, target } = await servers.pair(schema);
  await fill(source, 20_000);
  using file = new RouteFile({ source, target, route: beside });
  {
    await using route = file.run({ TIDELOCK_FAILPOINTS: 'chunk.applied=1:kill' });
    await route.state('loading', 30_000);
    const begun = 'SELECT FROM tidelock.loads WHERE rows > 0 AND done_at IS NULL';
    await until('a chunk', async () => (await target.query(begun)).length === 1, 20_000);
  }
  file.configure('tables: [public.loose]');
  await using route = file.run();
  // It halts until somebody agrees to the change.
  await route.state('failed', 30_000);
  expect((await file.tidelock('apply', '--yes')).code).toBe(0);
  await route.state('running', 30_000);
  expect(await target.query('SELECT FROM tidelock.loads')).toEqual([]);
});
