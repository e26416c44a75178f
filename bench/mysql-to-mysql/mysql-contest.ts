import { setTimeout as delay } from 'node:timers/promises';
import { type MysqlServer, startMysql } from '../../test/support/mysql.ts';
import { cpuUs, median, peakBytes, serverCpuUs } from '../measure.ts';
import { megabytes, perRow, rounded, seconds } from '../pg-to-pg/contest.ts';
import { type MysqlContender, replica, tidelock } from './contenders.ts';
import { followed, type MysqlWorkload } from './workloads.ts';

/** Default durability: each commit is flushed, in the engine's log and in the binlog. */
export const mysqlSettings = {
  'innodb-buffer-pool-size': '512M',
  'innodb-redo-log-capacity': '2G',
  'sync-binlog': '1',
  'innodb-flush-log-at-trx-commit': '1',
};

export interface MysqlTerms {
  readonly rounds: number;
  readonly scale: number;
  onRound(line: object): void;
}

export interface MysqlOutcome {
  readonly workload: string;
  /** Contenders whose target was not equal to the source: what they took counts for nothing. */
  readonly failed: readonly string[];
  readonly passed: boolean;
  readonly figures: object;
  readonly text: string;
}

interface Lap {
  readonly ms: number;
  readonly cpuUsPerRow: number | null;
  readonly targetCpuUsPerRow: number;
  readonly peakBytes: number | null;
  readonly equal: boolean;
}

const followMs = 1_800_000;
const lookMs = 5;

/** A backlog, followed by Tidelock and by MySQL's own replica, each to a server of its own, taking turns to be first. */
export async function mysqlContest(
  workload: MysqlWorkload,
  { rounds, scale, onRound }: MysqlTerms,
): Promise<MysqlOutcome> {
  await using stack = new AsyncDisposableStack();
  const start = async (): Promise<MysqlServer> =>
    stack.use(await startMysql({ vendor: 'mysql', settings: mysqlSettings }));
  const [source, own, other] = [await start(), await start(), await start()];
  // From the first transaction on: it gets tables and rows as any other change.
  const peer = await replica(source, other);
  const tables = `CREATE DATABASE ${followed}; USE ${followed}; ${workload.tables} CREATE TABLE round_end (round int PRIMARY KEY);`;
  for (const server of [source, own]) await server.query(tables);
  for (const statement of workload.prepare(scale)) await run(source, statement);
  const contenders = [await tidelock(source, own, (end) => stack.defer(async () => void (await end()))), peer];
  const laps = new Map<string, Lap[]>(contenders.map(({ name }) => [name, []]));
  let rows = 0;
  for (let round = 1; round <= rounds; round++) {
    await end(source, contenders, -round);
    for (const contender of contenders) await contender.disable();
    rows = await workload.write(source, scale);
    await source.query(`INSERT INTO ${followed}.round_end VALUES (${round})`);
    const wanted = await contents(source);
    const done: Record<string, Lap> = {};
    for (const contender of round % 2 === 0 ? contenders.toReversed() : contenders) {
      const lap = await follow(contender, round, rows);
      done[contender.name] = { ...lap, equal: (await contents(contender.target)) === wanted };
      await contender.disable();
      laps.get(contender.name)?.push(done[contender.name] as Lap);
    }
    for (const contender of contenders) await contender.enable();
    onRound({ workload: workload.name, round, rows, ...done });
  }
  return outcome(workload, laps, rows);
}

/** Sessions keep their settings over the statements of a preparation. */
async function run(source: MysqlServer, statement: string): Promise<void> {
  const connection = await source.connect({ database: followed, multipleStatements: false });
  try {
    await connection.query('SET SESSION cte_max_recursion_depth = 100000000');
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** All of them are where the source is. */
async function end(source: MysqlServer, contenders: readonly MysqlContender[], round: number): Promise<void> {
  await source.query(`INSERT INTO ${followed}.round_end VALUES (${round})`);
  for (const contender of contenders) await shown(contender.target, round);
}

async function shown(target: MysqlServer, round: number): Promise<void> {
  const connection = await target.connect();
  const beganMs = performance.now();
  try {
    for (;;) {
      const [found] = await connection
        .query(`SELECT 1 FROM ${followed}.round_end WHERE round = ${round}`)
        .catch(() => [[]]);
      if ((found as unknown[]).length > 0) return;
      if (performance.now() - beganMs > followMs) throw new Error('a contender does not come to an end');
      await delay(lookMs);
    }
  } finally {
    await connection.end();
  }
}

async function follow(contender: MysqlContender, round: number, rows: number): Promise<Omit<Lap, 'equal'>> {
  await contender.enable();
  const beganMs = performance.now();
  const workers = contender.workers();
  const usedUs = cpuUs(workers);
  const targetUs = serverCpuUs(contender.target.pid);
  await shown(contender.target, round);
  const isOwn = workers.length > 0;
  return {
    ms: performance.now() - beganMs,
    cpuUsPerRow: isOwn ? (cpuUs(workers) - usedUs) / rows : null,
    targetCpuUsPerRow: (serverCpuUs(contender.target.pid) - targetUs) / rows,
    peakBytes: isOwn ? peakBytes(workers) : null,
  };
}

/** Of each table, whatever the order of its rows: how many, and sums of their checksums. */
async function contents(server: MysqlServer): Promise<string> {
  const columns = await server.query(
    `SELECT table_name AS t, GROUP_CONCAT(CONCAT('\`', column_name, '\`') ORDER BY ordinal_position) AS c FROM information_schema.columns WHERE table_schema = '${followed}' GROUP BY table_name ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { t, c } of columns) {
    const row = `CONCAT_WS('|', ${c})`;
    const [sum] = await server.query(
      `SELECT COUNT(*) AS n, COALESCE(SUM(CRC32(${row})), 0) AS a, COALESCE(BIT_XOR(CONV(LEFT(SHA2(${row}, 256), 15), 16, 10)), 0) AS b FROM ${followed}.${t}`,
    );
    found.push(`${t} ${sum?.n} ${sum?.a} ${sum?.b}`);
  }
  return found.join('\n');
}

function outcome(workload: MysqlWorkload, laps: ReadonlyMap<string, readonly Lap[]>, rows: number): MysqlOutcome {
  const of = (name: string, value: (lap: Lap) => number | null): number =>
    median((laps.get(name) ?? []).map((lap) => value(lap) ?? Number.NaN));
  const [own, peer] = [of('tidelock', ({ ms }) => ms), of('replica', ({ ms }) => ms)];
  const ratio = peer / own;
  const failed = [...laps].filter(([, some]) => some.some(({ equal }) => !equal)).map(([name]) => name);
  const { must, aim } = workload;
  const cpu = of('tidelock', ({ cpuUsPerRow }) => cpuUsPerRow);
  const peak = of('tidelock', (lap) => lap.peakBytes);
  return {
    workload: workload.name,
    failed,
    passed: failed.length === 0 && ratio >= must,
    figures: {
      ...{ tidelockMs: rounded(own, 0), replicaMs: rounded(peer, 0), ratio: rounded(ratio), must, aim, rows },
      cpuUsPerRow: rounded(cpu),
      targetCpuUsPerRow: rounded(of('tidelock', ({ targetCpuUsPerRow }) => targetCpuUsPerRow)),
      peerTargetCpuUsPerRow: rounded(of('replica', ({ targetCpuUsPerRow }) => targetCpuUsPerRow)),
      peakBytes: peak,
    },
    text: `${seconds(own)} / ${seconds(peer)}  ${ratio.toFixed(2)} times the peer's throughput (must ${must}), ${perRow(cpu)}, ${megabytes(peak)}`,
  };
}
