import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { isThorough } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import { writerRestMs } from '../support/writer-rest.ts';
import { dieInTurn, type Kill, killList, killText } from './kill-at.ts';

const servers = twoServers();

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v int NOT NULL, filler text)';
const rows = 20_000;

/** Of the last ones some chunks have to be left. */
const inTurn: readonly (readonly Kill[])[] = [
  [
    { name: 'load.answerLost', victim: 'worker', hit: 1 },
    { name: 'chunk.read', victim: 'worker', hit: 2 },
    { name: 'chunk.sent', victim: 'worker', hit: 1 },
    { name: 'chunk.sent', victim: 'target', hit: 2 },
  ],
  [
    { name: 'commit.sent', victim: 'worker', hit: 4 },
    { name: 'chunk.applied', victim: 'worker', hit: 1 },
    { name: 'chunk.read', victim: 'source', hit: 1 },
  ],
];

const eachAlone: readonly (readonly Kill[])[] = [
  [{ name: 'load.answerLost', victim: 'worker', hit: 1 }],
  [{ name: 'chunk.read', victim: 'worker', hit: 2 }],
  [{ name: 'chunk.sent', victim: 'worker', hit: 3 }],
  [{ name: 'chunk.sent', victim: 'target', hit: 2 }],
  [{ name: 'commit.sent', victim: 'worker', hit: 4 }],
  [{ name: 'chunk.applied', victim: 'worker', hit: 2 }],
  [{ name: 'chunk.read', victim: 'source', hit: 2 }],
  [{ name: 'chunk.read', victim: 'source', hit: 3 }],
];

test.for((isThorough ? eachAlone : inTurn).map((kills) => [killText(kills), kills] as const))(
  'a load beside the stream goes on at its last chunk after kill -9 %s',
  { timeout: 240_000 },
  async ([, kills]) => {
    const { source, target } = await servers.pair(schema);
    await source.query(`INSERT INTO item SELECT n, 0, repeat('x', 100) FROM generate_series(1, ${rows}) n`);
    using file = new RouteFile({ source, target, route: 'tables: [public.item]\nload: { wholeUpTo: 0B }' });
    await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
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
        await setTimeout(writerRestMs);
      }
    })();
    try {
      await dieInTurn({ route, servers, kills });
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

/** In the repair, and in what takes it back. */
const repairs: readonly (readonly [FailpointName, FailpointName])[] = [
  ['repair.written', 'undo.committed'],
  ['repair.committed', 'undo.written'],
];

test.for(repairs.filter((_, at) => seeds().length > 1 || at < 1))(
  'a repair of rows without a key that dies at %s, and is taken back over a kill at %s, has done each row once',
  { timeout: 240_000 },
  async ([repairing, undoing]) => {
    const { source, target } = await servers.pair(
      'CREATE TABLE loose (n int, s text); ALTER TABLE loose REPLICA IDENTITY FULL',
    );
    await source.query(`INSERT INTO loose SELECT i % 40, 'text ' || i % 40 FROM generate_series(1, 2000) i`);
    using file = new RouteFile({ source, target, route: 'tables: [public.loose]' });
    await using route = file.run({ TIDELOCK_FAILPOINTS: `${repairing}=2:kill,${undoing}=1:kill@1` });
    await route.caughtUp();
    // More than go at once: missing ones, changed ones, and some that are there too often.
    await target.query(`DELETE FROM loose WHERE n = 1; UPDATE loose SET s = 'spoilt' WHERE n = 2;
      INSERT INTO loose SELECT 3, 'text 3' FROM generate_series(1, 120)`);
    const rowsOf = (end: typeof target): Promise<unknown> =>
      end.query('SELECT n, s, count(*)::int AS rows FROM loose GROUP BY n, s ORDER BY n, s');
    const spoilt = await rowsOf(target);
    const first = await route.workerPid();
    const { code, out } = await file.tidelock('repair', 'here-to-there', '--yes', '--json');
    expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 0, equal: true, tables: [{ repaired: 270, left: 0 }] });
    expect(isAlive(first)).toBe(false);
    expect(await rowsOf(target)).toEqual(await rowsOf(source));
    const compared = await file.tidelock('compare', 'here-to-there', '--json');
    expect({ code: compared.code, ...JSON.parse(compared.out) }).toMatchObject({ code: 0, equal: true });
    const second = await route.workerPid();
    const undone = await file.tidelock('repair', 'here-to-there', '--undo', '1', '--yes', '--json');
    expect(isAlive(second)).toBe(false);
    expect(await rowsOf(target)).toEqual(spoilt);
    // Of both workers together.
    expect({ code: undone.code, ...JSON.parse(undone.out) }).toMatchObject({
      code: 0,
      rows: 270,
      changed: 0,
      refused: {},
    });
  },
);

test('what an engine before has applied, while its COMMIT still waits for another standby of the source, is not undone by a repair', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO item SELECT n, 0, 'x' FROM generate_series(1, 100) n`);
  using file = new RouteFile({ source, target, route: 'tables: [public.item]' });
  const admin = await source.client();
  await admin.query('SET synchronous_commit = local');
  const standbys = async (names: string): Promise<void> => {
    await admin.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await admin.query('SELECT pg_reload_conf()');
  };
  const [writer, probe] = [await source.client(), await source.client()];
  let waiting: Promise<unknown> = Promise.resolve();
  const { rows: probes } = await probe.query('SELECT pg_backend_pid() AS pid');
  try {
    const first = file.run();
    await first.state('running');
    await standbys('FIRST 2 ("test/here-to-there", nobody)');
    // The server takes the setting up some time after it was given: from then on commits wait, until they are told not to.
    await until('a commit that waits', async () => {
      const commit = probe.query('UPDATE item SET v = v WHERE id = 100').then(() => true);
      const isThrough = await Promise.race([commit, setTimeout(300, false)]);
      if (!isThrough) await admin.query('SELECT pg_cancel_backend($1)', [probes[0]?.pid]);
      await commit;
      return !isThrough;
    });
    // The last transaction of all, where it comes at once behind a heartbeat: no id that is over is behind it.
    const newest = async (): Promise<unknown> =>
      (await admin.query('SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS id')).rows[0]?.id;
    const before = await newest();
    await until('a heartbeat', async () => (await newest()) !== before);
    waiting = writer.query('UPDATE item SET v = 1 WHERE id = 7');
    const atTarget = async (): Promise<unknown> => (await target.query('SELECT v FROM item WHERE id = 7'))[0]?.v;
    await until('the change at the target', async () => (await atTarget()) === 1);
    const { rows: written } = await admin.query('SELECT pg_current_wal_flush_lsn() AS lsn');
    await until('an acknowledgement, behind which it is not brought again', async () => {
      const { rows } = await admin.query('SELECT FROM pg_replication_slots WHERE confirmed_flush_lsn >= $1', [
        written[0]?.lsn,
      ]);
      return rows.length > 0;
    });
    await first.kill9();
    await using route = file.run();
    await route.state('running');
    expect((await admin.query('SELECT v FROM item WHERE id = 7')).rows).toEqual([{ v: 0 }]);
    let isOver = false;
    const repair = file.tidelock('repair', 'here-to-there', '--yes', '--json').finally(() => {
      isOver = true;
    });
    await until('a reader that looks again, or has not', async () => {
      const { rows: looking } = await admin.query(
        `SELECT FROM pg_stat_activity WHERE application_name LIKE 'test/here-to-there %' AND query = 'ROLLBACK'`,
      );
      return isOver || looking.length > 0;
    });
    await standbys('');
    expect(await repair).toMatchObject({ code: 0 });
    expect(await atTarget()).toBe(1);
    await route.caughtUp();
    expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
  } finally {
    await standbys('');
    await waiting;
    await Promise.all([writer.end(), probe.end(), admin.end()]);
  }
});
