// npm run -s bench:compare -- [ROWS] [ROUNDS]
//
// `tidelock compare` of pgbench_accounts at both sides, beside the time that both servers take, at once, for the same hash over the
// same canonical text of all rows in one statement each: its peer is what nobody who compares by hashes can do without.
import { readFileSync } from 'node:fs';
import { setup, teardown } from '../test/support/global-setup.ts';
import { startPostgres, type TestDatabase } from '../test/support/postgres.ts';
import { RouteFile } from '../test/support/route.ts';
import { machine } from './machine.ts';
import { median } from './measure.ts';

const [rows = 2_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const settings = { shared_buffers: '512MB', max_wal_size: '8GB' };
const hash = `SELECT count(*), sum(hashtextextended(row(aid, bid, abalance, filler)::text COLLATE "C", 1)) FROM ONLY pgbench_accounts`;

async function made(): Promise<{ readonly database: TestDatabase; readonly end: () => Promise<void> }> {
  const server = await startPostgres({ settings });
  const database = await server.createDatabase();
  await database.query(
    `CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
     INSERT INTO pgbench_accounts SELECT i, 1 + (i - 1) / 100000, 0, '' FROM generate_series(1, ${rows}) i`,
  );
  await database.query('VACUUM ANALYZE');
  return { database, end: () => server[Symbol.asyncDispose]() };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await run();
  return performance.now() - beganMs;
}

/** As the job has it: without the command's own start. */
async function compareMs(file: RouteFile, code = 0): Promise<number> {
  const compared = await file.tidelock('compare', 'here-to-there', '--json');
  if (compared.code !== code) throw new Error(`not equal: ${compared.out} ${compared.err}`);
  const { out } = await file.tidelock('jobs', 'list', '--limit', '1', '--json');
  const [job] = (JSON.parse(out) as { jobs: { startedAt: string; endedAt: string }[] }).jobs;
  return Date.parse(job?.endedAt ?? '') - Date.parse(job?.startedAt ?? '');
}

/** Of the worker, which streams, too: the most that it has had resident so far. */
function peakMegabytes(pid: number): number {
  const [, kilobytes = ''] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

await setup();
const [source, target] = await Promise.all([made(), made()]);
try {
  using file = new RouteFile({
    source: source.database,
    target: target.database,
    route: 'tables: [public.pgbench_accounts]\nload: { mode: none }',
  });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  process.stdout.write(`${JSON.stringify(machine())}\n`);
  const times: { readonly hashMs: number; readonly compareMs: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const hashMs = await timed(() => Promise.all([source.database.query(hash), target.database.query(hash)]));
    const both = { hashMs, compareMs: await compareMs(file) };
    times.push(both);
    process.stdout.write(`${JSON.stringify({ kind: 'round', round, rows, ...both })}\n`);
  }
  const mostMegabytes = async (): Promise<number> => peakMegabytes(await route.workerPid());
  const equalMegabytes = await mostMegabytes();
  // Every fiftieth row, which is one in each range that is cut: all of them are looked at.
  await target.database.query('DELETE FROM pgbench_accounts WHERE aid % 50 = 0');
  const differingMs = await compareMs(file, 1);
  const memory = { wanted: 256, equalMegabytes, differingMegabytes: await mostMegabytes(), differingMs };
  process.stdout.write(`${JSON.stringify({ kind: 'memory', rows, ...memory })}\n`);
  const ratio = median(times.map((time) => time.compareMs)) / median(times.map((time) => time.hashMs));
  process.stdout.write(`${JSON.stringify({ kind: 'result', rows, ratio, wanted: 1.3 })}\n`);
} finally {
  await Promise.all([source.end(), target.end()]);
  await teardown();
}
