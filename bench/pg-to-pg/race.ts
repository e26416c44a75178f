import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '../../test/support/postgres.ts';
import { type Busiest, busiest, processesOf, scheduled } from '../busiest.ts';
import { cpuUs, median, peakBytes, serverCpuUs } from '../measure.ts';
import type { Contender } from './contender.ts';
import { contents, differences } from './equality.ts';
import type { Stage } from './stage.ts';

/** One contender in one round. */
export interface Lap {
  readonly ms: number;
  /** Rows that it had to carry. */
  readonly rows: number;
  /** Null for one whose processes are the database's. */
  readonly cpuUsPerRow: number | null;
  /** Of all processes of the source's server and of the target's. */
  readonly sourceCpuUsPerRow: number;
  readonly targetCpuUsPerRow: number;
  readonly peakBytes: number | null;
  /** Of the workers, of the source's server and of the target's. */
  readonly busiest: Readonly<Record<'worker' | 'source' | 'target', Busiest | null>>;
  /** Tables that were not as they are at the source when it was done. */
  readonly differ: readonly string[];
}

/** Of all rounds of one contender. */
export interface Laps {
  readonly ms: number;
  /** Of each round, in their order. */
  readonly eachMs: readonly number[];
  readonly rowsPerSecond: number;
  readonly cpuUsPerRow: number | null;
  readonly sourceCpuUsPerRow: number;
  readonly targetCpuUsPerRow: number;
  readonly peakBytes: number | null;
  readonly differ: readonly string[];
}

export interface RaceOptions {
  readonly rounds: number;
  /** Writes one round into all schemas. Returns the number of changed rows in each. */
  write(source: TestDatabase): Promise<number>;
  /** Between two rounds; what it changes is followed with the next one. */
  tidy?(source: TestDatabase): Promise<void>;
  onRound(line: object): void;
}

const followMs = 1_800_000;

/** How exactly a lap is measured. */
const lookMs = 5;

/** All follow the same backlog from the same source, one after the other, taking turns to be first. */
export async function race(stage: Stage, options: RaceOptions): Promise<ReadonlyMap<string, Laps>> {
  const { source, contenders } = stage;
  const schemas = [...new Set(contenders.flatMap((contender) => contender.schemas))];
  const laps = new Map<string, Lap[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= options.rounds; round++) {
    for (const contender of contenders) {
      await readToTheEnd(contender, source);
      await contender.disable();
    }
    for (const database of [source, ...contenders.map(({ target }) => target)]) await database.query('VACUUM ANALYZE');
    const rows = await options.write(source);
    for (const schema of schemas) await source.query(`INSERT INTO ${schema}.round_end VALUES (${round})`);
    await source.query('CHECKPOINT');
    const order = round % 2 === 0 ? [...contenders].reverse() : contenders;
    const wanted = await contents(source, schemas);
    const done: Record<string, Lap> = {};
    for (const contender of order) {
      const lap = await follow(contender, { source, round, rows: rows * contender.schemas.length });
      await contender.disable();
      const found = await contents(contender.target, contender.schemas);
      const own = new Map([...wanted].filter(([name]) => contender.schemas.includes(name.split('.')[0] ?? '')));
      done[contender.name] = { ...lap, differ: differences(own, found) };
      laps.get(contender.name)?.push(done[contender.name] as Lap);
    }
    options.onRound({ round, synchronousCommit: stage.synchronousCommit, ...done });
    // With the next round, for whoever follows first as for whoever follows last.
    if (round < options.rounds) await options.tidy?.(source);
  }
  return new Map([...laps].map(([name, of]) => [name, summary(of)]));
}

/** A moment for each look. */
const restLookMs = 100;
const restMs = 30_000;

/**
 * Until the slots of whoever follows have nothing to read once more when they begin again. A slot starts to read where the server logged a snapshot that was confirmed
 * since (every 15 s, with each checkpoint); it was chance whether a round began with the rows of the one before, or of two, which are
 * decoded and thrown away.
 */
async function readToTheEnd(contender: Contender, source: TestDatabase): Promise<void> {
  await contender.enable();
  const beganMs = performance.now();
  const [now] = await source.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  const behind = `SELECT FROM pg_replication_slots WHERE active AND restart_lsn < '${now?.lsn}'`;
  const idle = `SELECT FROM pg_replication_slots HAVING count(*) FILTER (WHERE active) = 0`;
  while (performance.now() - beganMs < restMs) {
    contender.demandAlive();
    // A change for whoever stores its position with changes only, and a snapshot.
    for (const schema of contender.schemas) await source.query(`UPDATE ${schema}.round_rest SET looks = looks + 1`);
    await source.query('CHECKPOINT');
    await delay(restLookMs);
    if ((await source.query(`${behind} UNION ALL ${idle}`)).length === 0) return;
  }
}

function summary(laps: readonly Lap[]): Laps {
  const ms = median(laps.map((lap) => lap.ms));
  const cpu = laps.flatMap(({ cpuUsPerRow }) => cpuUsPerRow ?? []);
  const peaks = laps.flatMap((lap) => lap.peakBytes ?? []);
  return {
    ms,
    eachMs: laps.map((lap) => lap.ms),
    rowsPerSecond: median(laps.map((lap) => (lap.rows * 1_000) / lap.ms)),
    cpuUsPerRow: cpu.length === 0 ? null : median(cpu),
    sourceCpuUsPerRow: median(laps.map((lap) => lap.sourceCpuUsPerRow)),
    targetCpuUsPerRow: median(laps.map((lap) => lap.targetCpuUsPerRow)),
    peakBytes: peaks.length === 0 ? null : Math.max(...peaks),
    differ: [...new Set(laps.flatMap((lap) => lap.differ))],
  };
}

interface Following {
  readonly source: TestDatabase;
  readonly round: number;
  readonly rows: number;
}

/** From enabling until the last row of the round is to be seen at the target, in each schema. */
async function follow(contender: Contender, { source, round, rows }: Following): Promise<Omit<Lap, 'differ'>> {
  const workers = contender.workers();
  const ends = contender.schemas.map((schema) => `(SELECT count(*) FROM ${schema}.round_end WHERE round = ${round})`);
  return await contender.target.session(async (client) => {
    const usedUs = cpuUs(workers);
    const sourceUs = serverCpuUs(source.server.pid);
    const targetUs = serverCpuUs(contender.target.server.pid);
    const times = {
      worker: () => scheduled(workers),
      source: () => scheduled(processesOf(source.server.pid)),
      target: () => scheduled(processesOf(contender.target.server.pid)),
    };
    const before = { worker: times.worker(), source: times.source(), target: times.target() };
    const beganMs = performance.now();
    await contender.enable();
    for (;;) {
      const { rows: found } = await client.query<{ ends: string }>(`SELECT ${ends.join(' + ')} AS ends`);
      if (Number(found[0]?.ends) === ends.length) break;
      contender.demandAlive();
      if (performance.now() - beganMs > followMs) throw new Error(`${contender.name} does not come to an end`);
      await delay(lookMs);
    }
    const ms = performance.now() - beganMs;
    const own = workers.length > 0;
    return {
      ms,
      rows,
      cpuUsPerRow: own ? (cpuUs(workers) - usedUs) / rows : null,
      sourceCpuUsPerRow: (serverCpuUs(source.server.pid) - sourceUs) / rows,
      targetCpuUsPerRow: (serverCpuUs(contender.target.server.pid) - targetUs) / rows,
      peakBytes: own ? peakBytes(workers) : null,
      busiest: {
        worker: busiest(before.worker, times.worker()),
        source: busiest(before.source, times.source()),
        target: busiest(before.target, times.target()),
      },
    };
  });
}
