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

/** Changes a second that a route between vendors has to carry on two processors. */
export const wantedPerSecond = 60_000;

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
  readonly pid: number;
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
  return { end: await server.createDatabase(), pid: server.pid };
}

async function mysql(stack: AsyncDisposableStack): Promise<Side & { readonly end: MysqlServer }> {
  const server = stack.use(await startMysql({ vendor: 'mysql', settings: mysqlSettings }));
  return { end: server, pid: server.pid };
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
  const file = stack.use(
    new RouteFile({ source: source.end, target: target.end, name: 'bench', route: `tables: ["${way.tables}"]` }),
  );
  const command = async (...words: string[]): Promise<number> => (await file.tidelock(...words)).code ?? 3;
  if ((await command('schema', 'here-to-there', '--apply', 'all')) > 1) throw new Error('the tables could not be made');
  const service = stack.use(file.run());
  await service.state('running', startMs);
  const laps: Lap[] = [];
  let rows = 0;
  for (let round = 1; round <= rounds; round++) {
    await command('stop', 'here-to-there');
    await service.state('stopped', startMs);
    rows = await way.write(source.end, scale);
    await source.end.query(`INSERT INTO ${way.marks} VALUES (${round})`);
    const targetUs = serverCpuUs(target.pid);
    await command('start', 'here-to-there');
    await service.state('starting', startMs);
    const beganMs = performance.now();
    const workers = [await service.workerPid()];
    await shown(target.end, `SELECT 1 AS found FROM ${way.marks} WHERE round = ${round}`);
    const lap: Lap = {
      ms: performance.now() - beganMs,
      cpuUsPerRow: cpuUs(workers) / rows,
      targetCpuUsPerRow: (serverCpuUs(target.pid) - targetUs) / rows,
      peakBytes: peakBytes(workers),
    };
    laps.push(lap);
    onRound({ way: way.name, round, rows, ...lap });
  }
  const failed = (await command('compare', 'here-to-there')) !== 0;
  const ms = median(laps.map((lap) => lap.ms));
  const perSecond = (rows / ms) * 1_000;
  const cpu = median(laps.map(({ cpuUsPerRow }) => cpuUsPerRow));
  const peak = Math.max(...laps.map((lap) => lap.peakBytes));
  return {
    failed,
    passed: !failed && perSecond >= wantedPerSecond,
    figures: {
      ...{ way: way.name, rows, ms: rounded(ms, 0), perSecond: rounded(perSecond, 0), must: wantedPerSecond },
      cpuUsPerRow: rounded(cpu),
      targetCpuUsPerRow: rounded(median(laps.map(({ targetCpuUsPerRow }) => targetCpuUsPerRow))),
      peakBytes: peak,
    },
    text: `${seconds(ms)}  ${Math.round(perSecond).toLocaleString('en')} changes a second (must ${wantedPerSecond.toLocaleString('en')}), ${perRow(cpu)}, ${megabytes(peak)}`,
  };
}

async function shown(end: RouteEnd, question: string): Promise<void> {
  const [ask, close] = await looking(end, question);
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
