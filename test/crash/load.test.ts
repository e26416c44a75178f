import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { isThorough } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import { killText } from './kill-at.ts';
import { killedBesideStream, loadEachAlone, loadInTurn } from './killed-load.ts';
import { killedWhileRepairing, repairKills } from './killed-repair.ts';

const servers = twoServers();

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v int NOT NULL, filler text)';

test.for((isThorough ? loadEachAlone : loadInTurn).map((kills) => [killText(kills), kills] as const))(
  'a load beside the stream goes on at its last chunk after kill -9 %s',
  { timeout: 240_000 },
  ([, kills]) => killedBesideStream(servers, kills),
);

test.for(repairKills.filter((_, at) => seeds().length > 1 || at < 1))(
  'a repair of rows without a key that dies at %s, and is taken back over a kill at %s, has done each row once',
  { timeout: 240_000 },
  (kills) => killedWhileRepairing(servers, kills),
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
