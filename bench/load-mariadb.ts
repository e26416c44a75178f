// npm run -s bench:load-mariadb -- [ROWS] [ROUNDS]
//
// A table of MariaDB to PostgreSQL, from the start of a process until its rows are there: of `tidelock run`, which follows the changes from then on, until the
// route runs, with the key in place; beside pgloader with its defaults, which needs nothing of the source's log and makes the key behind the rows.
import { setup, teardown } from '../test/support/global-setup.ts';
import { type MysqlServer, startMysql } from '../test/support/mysql.ts';
import { type PostgresServer, startPostgres } from '../test/support/postgres.ts';
import { type RouteEnd, RouteFile } from '../test/support/route.ts';
import { type Loaded, loadRounds, say, usedBy } from './load-rounds.ts';
import { machine } from './machine.ts';
import { findPgloader, type Pgloader } from './pgloader.ts';

const [rows = 2_000_000, rounds = 5] = process.argv.slice(2).map(Number);
const database = 'work';
const table = `
  CREATE DATABASE ${database}; USE ${database};
  CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84), changed datetime(6), amount decimal(12,2));
  INSERT INTO accounts SELECT seq, seq % 97, seq * 3 % 1000003, SHA2(seq, 224), '2024-01-01' + INTERVAL seq SECOND, seq / 100 FROM seq_1_to_${rows};
  ANALYZE TABLE accounts`;
const settings = {
  source: { 'innodb-buffer-pool-size': '512M', 'innodb-log-file-size': '1G' },
  target: { shared_buffers: '512MB', max_wal_size: '8GB' },
};
const mostMs = 1_800_000;

/** The same of the same rows at both vendors. */
async function sums(end: RouteEnd): Promise<string> {
  const [found = {}] = await end.query(
    `SELECT COUNT(*) AS n, SUM(aid) AS a, SUM(bid) AS b, SUM(abalance) AS c, SUM(LENGTH(filler)) AS d, SUM(amount) AS e FROM ${database}.accounts`,
  );
  return Object.values(found).map(String).join(' ');
}

async function load(source: MysqlServer, server: PostgresServer): Promise<Loaded> {
  const target = await server.createDatabase();
  using file = new RouteFile({ source, target, name: 'bench', route: `tables: ["${database}.*"]` });
  const made = await file.tidelock('schema', 'here-to-there', '--apply', 'all');
  if (made.code !== 0) throw new Error(`the table was not made: ${made.out}${made.err}`);
  const beganMs = performance.now();
  await using route = file.run();
  await route.state('running', mostMs);
  const ms = performance.now() - beganMs;
  const used = usedBy(route.pid, rows);
  const compared = await file.tidelock('compare', 'here-to-there');
  if (compared.code !== 0) throw new Error(`the target is not equal to the source: ${compared.out}${compared.err}`);
  await route.stop();
  if ((await file.tidelock('drop', 'here-to-there', '--yes')).code !== 0) throw new Error('the route was not dropped');
  return { ms, ...used };
}

async function pgloaderMs(pgloader: Pgloader, source: MysqlServer, server: PostgresServer): Promise<number> {
  const target = await server.createDatabase();
  const beganMs = performance.now();
  pgloader.load(
    `${source.url().replace('mariadb:', 'mysql:')}/${database}`,
    target.url().replace('postgres:', 'postgresql:'),
  );
  const ms = performance.now() - beganMs;
  if ((await sums(source)) !== (await sums(target))) throw new Error('pgloader has not loaded all');
  return ms;
}

await setup();
try {
  const pgloader = await findPgloader();
  await using source = await startMysql({ vendor: 'mariadb', settings: settings.source });
  await using server = await startPostgres({ settings: settings.target });
  await source.query(table);
  say({ ...machine(), pgloader: pgloader.version, servers: settings });
  await loadRounds({
    ...{ rows, rounds, peer: 'pgloaderMs', must: 1.2, aim: 1.5 },
    peerMs: () => pgloaderMs(pgloader, source, server),
    load: () => load(source, server),
  });
} finally {
  await teardown();
}
