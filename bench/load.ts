// npm run -s bench:load -- [ROWS] [ROUNDS] [TRANSACTIONS A SECOND]
//
// The initial load of pgbench_accounts beside the stream, with the key in place. With an idle source beside `COPY | COPY` through psql, which has
// no order to keep and nothing to go on from, and beside pgcopydb where it is installed (`copy table-data`, the command as a whole; Debian: apt-get install
// pgcopydb); under transactions, how late they come to the target meanwhile.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setup, teardown } from '../test/support/global-setup.ts';
import { startPostgres, type TestDatabase } from '../test/support/postgres.ts';
import { childrenOf } from '../test/support/process-tree.ts';
import { RouteFile } from '../test/support/route.ts';
import { machine } from './machine.ts';
import { cpuUs, median, peakBytes, quantile } from './measure.ts';

const [rows = 2_000_000, rounds = 5, perSecond = 500] = process.argv.slice(2).map(Number);
const settings = { shared_buffers: '512MB', max_wal_size: '8GB', track_commit_timestamp: 'on' };
const tables = `
  CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
  CREATE TABLE probe (id int PRIMARY KEY, n int);`;

async function made(): Promise<{ readonly database: TestDatabase; readonly end: () => Promise<void> }> {
  const server = await startPostgres({ settings });
  const database = await server.createDatabase();
  await database.query(tables);
  return { database, end: () => server[Symbol.asyncDispose]() };
}

async function copyMs(source: TestDatabase, target: TestDatabase): Promise<number> {
  await target.query('TRUNCATE pgbench_accounts');
  const beganMs = performance.now();
  const psql = (database: TestDatabase, command: string, stdio: ['pipe' | 'ignore', 'pipe' | 'ignore']) =>
    spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', command, database.url()], {
      stdio: [...stdio, 'inherit'],
    });
  const from = psql(source, 'COPY pgbench_accounts TO STDOUT', ['ignore', 'pipe']);
  const to = psql(target, 'COPY pgbench_accounts FROM STDIN', ['pipe', 'ignore']);
  if (from.stdout === null || to.stdin === null) throw new Error('no pipe');
  from.stdout.pipe(to.stdin);
  const [code] = await once(to, 'exit');
  if (code !== 0) throw new Error(`psql has ended with ${code}`);
  return performance.now() - beganMs;
}

/** Null where it is not installed. */
async function pgcopydbMs(source: TestDatabase, target: TestDatabase): Promise<number | null> {
  if (spawnSync('pgcopydb', ['version'], { stdio: 'ignore' }).error !== undefined) return null;
  await target.query('TRUNCATE pgbench_accounts');
  const directory = mkdtempSync(join(tmpdir(), 'tidelock-pgcopydb-'));
  const filters = join(directory, 'filters');
  writeFileSync(filters, '[include-only-table]\npublic.pgbench_accounts\n');
  try {
    const beganMs = performance.now();
    const sides = ['--source', source.url(), '--target', target.url()];
    const command = ['copy', 'table-data', ...sides, '--dir', join(directory, 'work'), '--filters', filters];
    const [code] = await once(spawn('pgcopydb', command, { stdio: 'ignore' }), 'exit');
    if (code !== 0) throw new Error(`pgcopydb has ended with ${code}`);
    return performance.now() - beganMs;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Loaded {
  readonly ms: number;
  readonly peakBytes: number;
  readonly cpuUsPerRow: number;
  /** Of the transactions meanwhile, in milliseconds. */
  readonly lagMs: { readonly p50: number; readonly p99: number; readonly transactions: number } | null;
}

async function load(source: TestDatabase, target: TestDatabase, transactions: number): Promise<Loaded> {
  await Promise.all([source.query('TRUNCATE probe'), target.query('TRUNCATE pgbench_accounts, probe')]);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nload: { wholeUpTo: 0B }' });
  const stop = new AbortController();
  const writing = transactions === 0 ? Promise.resolve() : write(source, transactions, stop.signal);
  let result: Loaded;
  {
    await using route = file.run();
    await route.state('running', 200_000);
    const [took] = await target.query(
      `SELECT extract(epoch FROM done_at - begun_at) * 1000 AS ms, begun_at::text AS begun, done_at::text AS done FROM tidelock.loads
       WHERE source = 'public.pgbench_accounts'`,
    );
    const workers = childrenOf(route.pid);
    const used = { peakBytes: peakBytes(workers), cpuUsPerRow: cpuUs(workers) / rows };
    stop.abort();
    await writing;
    await route.caughtUp(60_000);
    const lagMs =
      transactions === 0 || took === undefined
        ? null
        : await lag(source, target, { begun: String(took.begun), done: String(took.done) });
    result = { ms: Number(took?.ms), ...used, lagMs };
    await route.stop();
  }
  const sum = 'SELECT count(*), sum(hashtextextended(a::text, 1))::text FROM pgbench_accounts a';
  const [here, there] = await Promise.all([source.query(sum), target.query(sum)]);
  if (JSON.stringify(here) !== JSON.stringify(there)) throw new Error('the target is not equal to the source');
  if ((await file.tidelock('drop', 'here-to-there', '--yes')).code !== 0) throw new Error('the route was not dropped');
  return result;
}

/** As many as asked for, as far as the machine lets it: each changes a row of the table that is loaded and notes itself. */
async function write(source: TestDatabase, transactions: number, signal: AbortSignal): Promise<void> {
  const client = await source.client();
  const beganMs = performance.now();
  for (let n = 0; !signal.aborted; n++) {
    const aheadMs = (n * 1000) / transactions - (performance.now() - beganMs);
    if (aheadMs > 1) await setTimeout(aheadMs);
    const aid = 1 + ((n * 7919) % rows);
    await client.query(
      `BEGIN; UPDATE pgbench_accounts SET abalance = ${n} WHERE aid = ${aid}; INSERT INTO probe VALUES (${n}, 0); COMMIT`,
    );
  }
  await client.end();
}

/** From commit to commit: both servers have one clock. */
async function lag(source: TestDatabase, target: TestDatabase, { begun, done }: { begun: string; done: string }) {
  const commits = `SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000 AS ms, pg_xact_commit_timestamp(xmin) BETWEEN '${begun}' AND '${done}' AS counts FROM probe`;
  const [here, there] = await Promise.all([source.query(commits), target.query(commits)]);
  const arrived = new Map(there.map(({ id, ms }) => [id, Number(ms)]));
  const lags = here.filter(({ counts }) => counts).map(({ id, ms }) => (arrived.get(id) ?? Number.NaN) - Number(ms));
  return { p50: quantile(lags, 0.5), p99: quantile(lags, 0.99), transactions: lags.length };
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

await setup();
const [source, target] = await Promise.all([made(), made()]);
try {
  const [here, there] = [source.database, target.database];
  await here.query(
    `INSERT INTO pgbench_accounts SELECT i, 1 + (i - 1) / 100000, 0, '' FROM generate_series(1, ${rows}) i`,
  );
  await here.query('VACUUM ANALYZE');
  say(machine());
  const copies: number[] = [];
  const peers: number[] = [];
  const loads: Loaded[] = [];
  for (let round = 0; round < rounds; round++) {
    const copied = await copyMs(here, there);
    const peer = await pgcopydbMs(here, there);
    const loaded = await load(here, there, 0);
    copies.push(copied);
    if (peer !== null) peers.push(peer);
    loads.push(loaded);
    say({ kind: 'round', round, rows, copyMs: copied, pgcopydbMs: peer, ...loaded });
  }
  const loadMs = median(loads.map(({ ms }) => ms));
  const ratio = median(copies) / loadMs;
  say({
    kind: 'result',
    rows,
    ratio,
    must: 0.85,
    ofPgcopydb: peers.length === 0 ? null : median(peers) / loadMs,
    peakBytes: Math.max(...loads.map((each) => each.peakBytes)),
    memoryMust: 256_000_000,
  });
  if (perSecond > 0) {
    const under = await load(here, there, perSecond);
    say({ kind: 'result', rows, perSecond, ...under, p99Must: 1000 });
  }
} finally {
  await Promise.all([source.end(), target.end()]);
  await teardown();
}
