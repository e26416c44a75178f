// npm run -s bench:load-mysql -- [ROWS] [ROUNDS]
//
// The initial load of pgbench_accounts beside the stream between two MySQL servers at their default durability, with the key in place and an idle source, beside
// `mysqldump --single-transaction | mysql`, which has no order to keep and nothing to go on from.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setup, teardown } from '../test/support/global-setup.ts';
import { type MysqlServer, startMysql } from '../test/support/mysql.ts';
import { RouteFile } from '../test/support/route.ts';
import { until } from '../test/support/until.ts';
import { type Loaded, loadRounds, say, usedBy } from './load-rounds.ts';
import { machine } from './machine.ts';
import { type MysqlClient, mysqlClient } from './mysql-client.ts';
import { mysqlSettings } from './mysql-to-mysql/mysql-contest.ts';

const [rows = 2_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const database = 'accounts';
const table = `
  CREATE DATABASE ${database}; USE ${database};
  CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84))`;
/** Rows of one INSERT of the preparation. */
const filledAtOnce = 1_000;
const mostMs = 1_800_000;

async function fill(source: MysqlServer): Promise<void> {
  // The first thousand by a list, the others by those that are there.
  const first = Array.from({ length: Math.min(rows, filledAtOnce) }, (_, at) => `(${at + 1}, 1, 0, '')`);
  await source.query(`INSERT INTO ${database}.pgbench_accounts VALUES ${first.join()}`);
  for (let there = first.length; there < rows; ) {
    const more = Math.min(there, rows - there, 100 * filledAtOnce);
    await source.query(
      `INSERT INTO ${database}.pgbench_accounts SELECT aid + ${there}, 1 + (aid + ${there} - 1) DIV 100000, 0, '' FROM ${database}.pgbench_accounts WHERE aid <= ${more}`,
    );
    there += more;
  }
  await source.query(`ANALYZE TABLE ${database}.pgbench_accounts`);
}

async function dumpMs(client: MysqlClient, source: MysqlServer, target: MysqlServer): Promise<number> {
  await target.query(`TRUNCATE ${database}.pgbench_accounts`);
  const beganMs = performance.now();
  const options = ['--single-transaction', '--quick', '--no-create-info', '--set-gtid-purged=OFF', '--no-tablespaces'];
  const start = ([file = '', ...args]: readonly string[], stdio: ['pipe' | 'ignore', 'pipe' | 'ignore']) =>
    spawn(file, args, { stdio: [...stdio, 'inherit'] });
  const from = start(
    [...client.command('mysqldump', source), ...options, database, 'pgbench_accounts'],
    ['ignore', 'pipe'],
  );
  const to = start([...client.command('mysql', target), database], ['pipe', 'ignore']);
  if (from.stdout === null || to.stdin === null) throw new Error('no pipe');
  from.stdout.pipe(to.stdin);
  const [[dumped], [written]] = await Promise.all([once(from, 'exit'), once(to, 'exit')]);
  if (dumped !== 0 || written !== 0) throw new Error(`mysqldump has ended with ${dumped}, mysql with ${written}`);
  return performance.now() - beganMs;
}

async function load(source: MysqlServer, target: MysqlServer): Promise<Loaded> {
  await target.query(`TRUNCATE ${database}.pgbench_accounts`);
  using file = new RouteFile({
    ...{ source, target, name: 'bench' },
    route: `tables: ["${database}.*"]\nload: { wholeUpTo: 0B }`,
  });
  await using route = file.run();
  // Its end is not stored: it is looked for, and the server tells how long ago it began.
  const done = async (): Promise<number | null> => {
    const [took] = await target
      .query('SELECT TIMESTAMPDIFF(MICROSECOND, begun_at, SYSDATE(6)) / 1000 AS ms FROM tidelock.loads WHERE done = 1')
      .catch(() => []);
    return took === undefined ? null : Number(took.ms);
  };
  const ms = await until('the end of the load', done, mostMs);
  const used = usedBy(route.pid, rows);
  await route.state('running', mostMs);
  await route.stop();
  const [here, there] = await Promise.all([source, target].map((server) => checksum(server)));
  if (here !== there) throw new Error('the target is not equal to the source');
  if ((await file.tidelock('drop', 'here-to-there', '--yes')).code !== 0) throw new Error('the route was not dropped');
  return { ms, ...used };
}

async function checksum(server: MysqlServer): Promise<string> {
  const [row] = await server.query(`CHECKSUM TABLE ${database}.pgbench_accounts`);
  return String(row?.Checksum);
}

await setup();
try {
  await using stack = new AsyncDisposableStack();
  const client = await mysqlClient();
  const start = async (): Promise<MysqlServer> =>
    stack.use(await startMysql({ vendor: 'mysql', settings: mysqlSettings }));
  const [source, target] = await Promise.all([start(), start()]);
  await Promise.all([source, target].map((server) => server.query(table)));
  await fill(source);
  say({ ...machine(), servers: mysqlSettings });
  await loadRounds({
    ...{ rows, rounds, peer: 'dumpMs', must: 0.8, aim: 1.5 },
    peerMs: () => dumpMs(client, source, target),
    load: () => load(source, target),
  });
} finally {
  await teardown();
}
