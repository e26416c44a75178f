import { setTimeout as delay } from 'node:timers/promises';
import { MysqlServer, startMysql } from '../../test/support/mysql.ts';
import { startPostgres, type TestDatabase } from '../../test/support/postgres.ts';
import { type RouteEnd, RouteFile } from '../../test/support/route.ts';
import { cpuUs, median, peakBytes, serverCpuUs } from '../measure.ts';
import { mysqlSettings } from '../mysql-to-mysql/mysql-contest.ts';
import { followed, mysqlWorkloads } from '../mysql-to-mysql/workloads.ts';
import { startMs } from '../pg-to-pg/contender.ts';
import { megabytes, perRow, rounded, seconds } from '../pg-to-pg/contest.ts';
import { settings } from '../pg-to-pg/stage.ts';
import { backlog } from '../pg-to-pg/workloads/backlog.ts';
import { type TargetServer, targetCeiling } from './ceiling.ts';

/** Changes a second that a route between vendors has to carry on two processors, or this share of what its target takes. */
export const wantedPerSecond = 60_000;
const wantedShare = 0.85;

export interface VendorTerms {
  readonly rounds: number;
  readonly scale: number;
  onRound(line: object): void;
}

export interface VendorOutcome {
  readonly passed: boolean;
  readonly failed: boolean;
  readonly figures: object;
  readonly text: string;
}

interface Side {
  readonly end: RouteEnd;
  readonly server: TargetServer;
}

/** From one vendor to the other: the same transactions at either source. */
export interface VendorWay {
  readonly name: string;
  source(stack: AsyncDisposableStack, scale: number): Promise<Side>;
  target(stack: AsyncDisposableStack): Promise<Side>;
  readonly tables: string;
  /** The last change of a round, and whether a target has it. */
  readonly marks: string;
  write(source: RouteEnd, scale: number): Promise<number>;
}

async function postgres(stack: AsyncDisposableStack): Promise<Side & { readonly end: TestDatabase }> {
  const server = stack.use(await startPostgres({ settings }));
  return { end: await server.createDatabase(), server };
}

async function mysql(stack: AsyncDisposableStack): Promise<Side & { readonly end: MysqlServer }> {
  const server = stack.use(await startMysql({ vendor: 'mysql', settings: mysqlSettings }));
  return { end: server, server };
}

const [tpcb] = mysqlWorkloads;

export const vendorWays: readonly VendorWay[] = [
  {
    name: 'mysql-to-postgres',
    source: async (stack, scale) => {
      const side = await mysql(stack);
      const connection = await side.end.connect({ multipleStatements: false });
      const statements = [
        `CREATE DATABASE ${followed}`,
        `USE ${followed}`,
        'SET SESSION cte_max_recursion_depth = 100000000',
      ];
      const tables = tpcb?.tables.split(';').filter((one) => one.trim() !== '') ?? [];
      for (const statement of [...statements, ...tables, ...(tpcb?.prepare(scale) ?? [])])
        await connection.query(statement);
      await connection.end();
      return side;
    },
    target: postgres,
    tables: `${followed}.*`,
    marks: `${followed}.round_end`,
    write: async (source, scale) => (await tpcb?.write(source as MysqlServer, scale)) ?? 0,
  },
  {
    name: 'postgres-to-mysql',
    source: async (stack, scale) => {
      const side = await postgres(stack);
      await side.end.query(backlog.tables);
      await backlog.prepare(side.end, scale);
      return side;
    },
    target: mysql,
    tables: 'public.*',
    marks: 'public.round_end',
    write: (source, scale) => backlog.write(source as TestDatabase, scale),
  },
];

async function write(way: VendorWay, source: Side, scale: number, round: number): Promise<number> {
  const rows = await way.write(source.end, scale);
  await source.end.query(`INSERT INTO ${way.marks} VALUES (${round})`);
  return rows;
}

interface Lap {
  readonly ms: number;
  readonly cpuUsPerRow: number;
  readonly targetCpuUsPerRow: number;
  readonly peakBytes: number;
}

const followMs = 1_800_000;

/** A backlog that is written while the route is stopped; what counts is the time from its start until the last change is at the target. */
export async function vendorContest(way: VendorWay, { rounds, scale, onRound }: VendorTerms): Promise<VendorOutcome> {
  await using stack = new AsyncDisposableStack();
  const source = await way.source(stack, scale);
  const target = await way.target(stack);
  await source.end.query(`CREATE TABLE ${way.marks} (round int PRIMARY KEY)`);
  const options = { source: source.end, target: target.end, name: 'bench', route: `tables: ["${way.tables}"]` };
  const file = stack.use(new RouteFile(options));
  const command = async (...words: string[]): Promise<number> => (await file.tidelock(...words)).code ?? 3;
  if ((await command('schema', 'here-to-there', '--apply', 'all')) > 1) throw new Error('the tables could not be made');
  const service = stack.use(file.run());
  await service.state('running', startMs);
  const laps: Lap[] = [];
  let rows = 0;
  for (let round = 1; round <= rounds; round++) {
    await command('stop', 'here-to-there');
    await service.state('stopped', startMs);
    rows = await write(way, source, scale, round);
    const targetUs = serverCpuUs(target.server.pid);
    await command('start', 'here-to-there');
    await service.state('starting', startMs);
    const beganMs = performance.now();
    const workers = [await service.workerPid()];
    // It may have carried the round before, and the copy.
    const workerUs = cpuUs(workers);
    await isShown(target, way, round);
    const lap: Lap = {
      ms: performance.now() - beganMs,
      cpuUsPerRow: (cpuUs(workers) - workerUs) / rows,
      targetCpuUsPerRow: (serverCpuUs(target.server.pid) - targetUs) / rows,
      peakBytes: peakBytes(workers),
    };
    laps.push(lap);
    onRound({ way: way.name, round, rows, ...lap });
  }
  const failed = (await command('compare', 'here-to-there')) !== 0;
  await service.stop();
  const ceiling = await targetCeiling(target, async (targetPort) => {
    const round = rounds + 1;
    rows = await write(way, source, scale, round);
    using through = new RouteFile({ ...options, targetPort });
    await using again = through.run();
    await isShown(target, way, round);
    await again.stop();
  });
  const ceilingPerSecond = (rows / ceiling.ms) * 1_000;
  const wanted = Math.min(wantedPerSecond, wantedShare * ceilingPerSecond);
  const ms = median(laps.map((lap) => lap.ms));
  const perSecond = (rows / ms) * 1_000;
  const cpu = median(laps.map(({ cpuUsPerRow }) => cpuUsPerRow));
  const peak = Math.max(...laps.map((lap) => lap.peakBytes));
  return {
    failed,
    passed: !failed && perSecond >= wanted,
    figures: {
      ...{ way: way.name, rows, ms: rounded(ms, 0), perSecond: rounded(perSecond, 0), must: rounded(wanted, 0) },
      ceilingPerSecond: rounded(ceilingPerSecond, 0),
      shareOfCeiling: rounded(perSecond / ceilingPerSecond),
      ceilingTargetCpuUsPerRow: rounded(ceiling.targetCpuUs / rows),
      cpuUsPerRow: rounded(cpu),
      targetCpuUsPerRow: rounded(median(laps.map(({ targetCpuUsPerRow }) => targetCpuUsPerRow))),
      peakBytes: peak,
    },
    text: `${seconds(ms)}  ${Math.round(perSecond).toLocaleString('en')} changes a second (must ${Math.round(wanted).toLocaleString('en')}; the target takes ${Math.round(ceilingPerSecond).toLocaleString('en')} from prepared data), ${perRow(cpu)}, ${megabytes(peak)}`,
  };
}

async function isShown({ end }: Side, way: VendorWay, round: number): Promise<void> {
  const [ask, close] = await looking(end, `SELECT 1 AS found FROM ${way.marks} WHERE round = ${round}`);
  const beganMs = performance.now();
  try {
    while (!(await ask())) {
      if (performance.now() - beganMs > followMs) throw new Error('the route does not come to an end');
      await delay(10);
    }
  } finally {
    await close();
  }
}

/** Over a session that is kept. */
async function looking(
  end: RouteEnd,
  question: string,
): Promise<readonly [() => Promise<boolean>, () => Promise<unknown>]> {
  if (end instanceof MysqlServer) {
    const connection = await end.connect();
    return [
      async () => {
        const [rows] = await connection.query(question);
        return (rows as unknown[]).length > 0;
      },
      () => connection.end(),
    ];
  }
  const client = await end.client();
  return [async () => (await client.query(question)).rows.length > 0, () => client.end()];
}
