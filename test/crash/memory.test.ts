import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RouteFile } from '../support/route.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';

const servers = twoServers();

/** 160 MB in one transaction; with `npm run test:full` the 5 million rows of the project's aims. */
const [rows, repeats] = process.env.TIDELOCK_TEST_FULL ? [5_000_000, 1] : [400_000, 12];

function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

test('a transaction larger than the budget, and a target that does not move, stay within the memory', {
  timeout: 900_000,
}, async () => {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE t (id int PRIMARY KEY, v text)');
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  const worker = await route.workerPid();
  const blocker = await target.client();
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  await source.query(`INSERT INTO t SELECT i, repeat(md5(i::text), ${repeats}) FROM generate_series(1, ${rows}) i`);
  // The Collector stops reading: the walsender's position stands still, with most of the transaction unsent.
  let last = '';
  let still = 0;
  await until('a reader that waits', async () => {
    const [row] = await source.query(`SELECT r.sent_lsn::text AS lsn FROM pg_stat_replication r
      JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.database = current_database()`);
    const [waits] = await target.query(`SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`);
    still = row !== undefined && row.lsn === last && Number(waits?.n) > 0 ? still + 1 : 0;
    last = String(row?.lsn);
    return still > 60;
  });
  await blocker.query('COMMIT');
  await blocker.end();
  await route.caughtUp(600_000);
  expect(await target.query('SELECT count(*)::int AS n, sum(length(v))::int AS l FROM t')).toEqual([
    { n: rows, l: rows * repeats * 32 },
  ]);
  const peaks = [worker, Number(route.pid)].map(peakBytes);
  expect(Math.max(...peaks)).toBeLessThan(256 * 2 ** 20);
});
