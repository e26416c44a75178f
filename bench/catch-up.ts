// node bench/catch-up.ts [ROUNDS]: how long a backlog takes to be applied, beside PostgreSQL's own logical replication of
// the same source, in the same run. Also the CPU time that the route's worker takes for a change. Backlog: 40,000 transactions of TPC-B (three updates and an insert) and one insert
// of 300,000 rows. Prints the median of each and their ratio.
import { readFileSync } from 'node:fs';
import { setup, teardown } from '../test/support/global-setup.ts';
import { startPostgres, type TestDatabase } from '../test/support/postgres.ts';
import { RouteFile } from '../test/support/route.ts';
import { until } from '../test/support/until.ts';

const rounds = Number(process.argv[2] ?? 3);
const transactions = 40_000;
const inserted = 300_000;
const changes = transactions * 4 + inserted;

const schema = `
  CREATE TABLE branches (bid int PRIMARY KEY, bbalance int, filler char(88));
  CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
  CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
  CREATE TABLE history (hid bigint PRIMARY KEY, tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
  CREATE TABLE bulk (id bigint PRIMARY KEY, payload text, at timestamptz);
`;

const settings = { shared_buffers: '256MB', max_wal_size: '8GB', fsync: 'on' };

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** CPU time that a process has taken, in microseconds: user and system, in ticks of 10 ms. */
function cpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function position(source: TestDatabase): Promise<string> {
  const [row] = await source.query(`SELECT pg_current_wal_lsn()::text AS lsn`);
  return String(row?.lsn);
}

async function main(): Promise<void> {
  await using sourceServer = await startPostgres({ settings });
  await using peerServer = await startPostgres({ settings });
  await using targetServer = await startPostgres({ settings });
  const source = await sourceServer.createDatabase();
  const peer = await peerServer.createDatabase();
  const target = await targetServer.createDatabase();
  for (const database of [source, peer, target]) await database.query(schema);
  await source.query(`
    INSERT INTO branches SELECT i, 0, '' FROM generate_series(1, 10) i;
    INSERT INTO tellers SELECT i, (i - 1) / 10 + 1, 0, '' FROM generate_series(1, 100) i;
    INSERT INTO accounts SELECT i, i % 10 + 1, 0, '' FROM generate_series(1, 100000) i;
    CREATE SEQUENCE hid; CREATE SEQUENCE bulk_id;
    CREATE PROCEDURE tpcb(n int) LANGUAGE plpgsql AS $$
      DECLARE a int; t int; b int; d int;
      BEGIN
        FOR i IN 1..n LOOP
          a := 1 + floor(random() * 100000); t := 1 + floor(random() * 100); b := (t - 1) / 10 + 1; d := floor(random() * 1000);
          UPDATE public.accounts SET abalance = abalance + d WHERE aid = a;
          UPDATE public.tellers SET tbalance = tbalance + d WHERE tid = t;
          UPDATE public.branches SET bbalance = bbalance + d WHERE bid = b;
          INSERT INTO public.history VALUES (nextval('public.hid'), t, b, a, d, now(), '');
          COMMIT;
        END LOOP;
      END $$;
    CREATE PUBLICATION peer FOR ALL TABLES`);
  await peer.query(
    `CREATE SUBSCRIPTION peer CONNECTION 'host=127.0.0.1 port=${sourceServer.port} dbname=${source.name} user=postgres' PUBLICATION peer`,
  );
  await until('the peer', async () => {
    const rows = await peer.query(`SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'`);
    return rows.length === 0;
  });
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running', 60_000);
  const took = { peer: [] as number[], tidelock: [] as number[] };
  const worker = await route.workerPid();
  const cpu: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await peer.query('ALTER SUBSCRIPTION peer DISABLE');
    await file.tidelock('stop', 'here-to-there');
    await route.state('stopped');
    await source.query(`CALL tpcb(${transactions})`);
    await source.query(
      `INSERT INTO bulk SELECT nextval('bulk_id'), md5(i::text) || i, now() FROM generate_series(1, ${inserted}) i`,
    );
    // An idle advance beyond it would only be stored ten seconds later.
    const end = await position(source);
    await source.query('CHECKPOINT');
    for (const who of round % 2 === 0 ? (['peer', 'tidelock'] as const) : (['tidelock', 'peer'] as const)) {
      const beganMs = performance.now();
      if (who === 'peer') {
        await peer.query('ALTER SUBSCRIPTION peer ENABLE');
        await until(
          'the peer',
          async () => {
            const [row] = await peer.query(`SELECT latest_end_lsn >= '${end}' AS yes FROM pg_stat_subscription`);
            return row?.yes === true;
          },
          300_000,
        );
      } else {
        const usedUs = cpuUs(worker);
        await target.query(`UPDATE tidelock.requests SET wanted = 'running', request = request + 1`);
        await target.query(`SELECT pg_notify('tidelock_' || id, '') FROM tidelock.routes`);
        await until(
          'the route',
          async () => {
            const [row] = await target.query(
              `SELECT max(position::pg_lsn) >= '${end}' AS yes FROM tidelock.checkpoints`,
            );
            return row?.yes === true;
          },
          300_000,
        );
        cpu.push((cpuUs(worker) - usedUs) / changes);
      }
      took[who].push(performance.now() - beganMs);
    }
    const last = (list: readonly number[]): string => `${((list.at(-1) ?? 0) / 1000).toFixed(2)} s`;
    process.stdout.write(
      `round ${round}: tidelock ${last(took.tidelock)} (${cpu.at(-1)?.toFixed(2)} us CPU a change), PostgreSQL's own ${last(took.peer)}\n`,
    );
  }
  const [own, peers] = [median(took.tidelock), median(took.peer)];
  process.stdout.write(
    `median of ${rounds}: tidelock ${(own / 1000).toFixed(2)} s (${Math.round(changes / own)} k changes/s), ` +
      `PostgreSQL's own ${(peers / 1000).toFixed(2)} s (${Math.round(changes / peers)} k changes/s), ratio ${(own / peers).toFixed(2)}; ${median(cpu).toFixed(2)} us CPU a change\n`,
  );
  await peer.query('DROP SUBSCRIPTION peer');
}

setup();
try {
  await main();
} finally {
  teardown();
}
