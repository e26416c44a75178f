import { until } from '../../test/support/until.ts';
import { cpuUs, median, peakBytes } from '../measure.ts';
import { type Contender, Stage } from './stage.ts';
import type { Workload } from './workload.ts';

export interface RaceOptions {
  readonly rounds: number;
  readonly scale: number;
  readonly synchronousCommit: 'off' | 'on';
  onRound(line: object): void;
}

export interface RaceResult {
  readonly workload: string;
  readonly synchronousCommit: 'off' | 'on';
  readonly changes: number;
  readonly tidelockMs: number;
  readonly postgresqlMs: number;
  /** Throughput as a multiple of the peer's. */
  readonly ratio: number;
  readonly must: number;
  readonly cpuUsPerRow: number;
  readonly peakBytes: number;
}

const followMs = 1_800_000;

/** Both follow the same backlog from the same source, one after the other, taking turns to be first. */
export async function race(workload: Workload, options: RaceOptions): Promise<RaceResult> {
  const { rounds, scale, synchronousCommit } = options;
  await using stage = await Stage.open({
    schema: workload.schema,
    prepare: (source) => workload.prepare(source, scale),
    synchronousCommit,
  });
  const { source, tidelock, peer } = stage;
  const took = { tidelock: [] as number[], postgresql: [] as number[] };
  const cpu: number[] = [];
  let changes = 0;
  let peak = 0;
  for (let round = 1; round <= rounds; round++) {
    await Promise.all([tidelock.disable(), peer.disable()]);
    changes = await workload.write(source, scale);
    await source.query(`INSERT INTO round_end VALUES (${round})`);
    await source.query('CHECKPOINT');
    for (const contender of round % 2 === 0 ? [peer, tidelock] : [tidelock, peer]) {
      const usedUs = cpuUs(contender.pids());
      took[contender.name].push(await follow(contender, round));
      if (contender !== tidelock) continue;
      cpu.push((cpuUs(contender.pids()) - usedUs) / changes);
      peak = Math.max(peak, peakBytes(contender.pids()));
      await tidelock.disable();
    }
    options.onRound({
      workload: workload.name,
      round,
      changes,
      synchronousCommit,
      tidelockMs: Math.round(took.tidelock.at(-1) ?? 0),
      postgresqlMs: Math.round(took.postgresql.at(-1) ?? 0),
      cpuUsPerRow: cpu.at(-1),
    });
  }
  const [own, others] = [median(took.tidelock), median(took.postgresql)];
  return {
    workload: workload.name,
    synchronousCommit,
    changes,
    tidelockMs: own,
    postgresqlMs: others,
    ratio: others / own,
    must: workload.must,
    cpuUsPerRow: median(cpu),
    peakBytes: peak,
  };
}

/** From enabling until the last row of the round is to be seen at the target, in milliseconds. */
async function follow(contender: Contender, round: number): Promise<number> {
  const client = await contender.target.client();
  try {
    const beganMs = performance.now();
    await contender.enable();
    await until(
      `${contender.name} to follow`,
      async () => (await client.query('SELECT FROM round_end WHERE round = $1', [round])).rowCount === 1,
      followMs,
    );
    return performance.now() - beganMs;
  } finally {
    await client.end();
  }
}
