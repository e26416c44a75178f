import { type Contest, megabytes, type Outcome, perRow, rounded, seconds, type Terms } from './contest.ts';
import { race } from './race.ts';
import { Stage } from './stage.ts';
import { subscription } from './subscription.ts';
import { tidelock } from './tidelock.ts';
import type { Workload } from './workload.ts';

/** A backlog, followed by Tidelock and by PostgreSQL's own logical replication. */
export function besideThePeer(workload: Workload): Contest {
  return { name: workload.name, title: workload.title, run: (terms) => run(workload, terms) };
}

async function run(workload: Workload, { rounds, scale, synchronousCommit, lanes, onRound }: Terms): Promise<Outcome> {
  await using stage = await Stage.open({
    tables: workload.tables,
    prepare: (source) => workload.prepare(source, scale),
    synchronousCommit,
    contenders: [
      (source, target, on) => tidelock({ source, target, lanes, ends: (end) => on.onEnd(end) }),
      (source, target, on) => subscription(source, target, on.synchronousCommit),
    ],
  });
  const laps = await race(stage, {
    rounds,
    write: (source) => workload.write(source, scale),
    tidy: async (source) => await workload.tidy?.(source),
    onRound: (line) => onRound({ workload: workload.name, ...line }),
  });
  const [own, peer] = [laps.get('tidelock'), laps.get('postgresql')];
  if (own === undefined || peer === undefined) throw new TypeError('a contender is missing');
  const ratio = peer.ms / own.ms;
  // A machine that gets slower or faster in the middle shows in both of a round.
  const ratios = own.eachMs.map((ms, round) => (peer.eachMs[round] ?? Number.NaN) / ms);
  const failed = [...laps].filter(([, { differ }]) => differ.length > 0).map(([name]) => name);
  const { must, aim, mostBytes } = workload;
  const fits = mostBytes === null || (own.peakBytes ?? 0) <= mostBytes;
  return {
    workload: workload.name,
    synchronousCommit,
    failed,
    passed: failed.length === 0 && ratio >= must && fits,
    figures: {
      tidelockMs: rounded(own.ms, 0),
      postgresqlMs: rounded(peer.ms, 0),
      rowsPerSecond: rounded(own.rowsPerSecond, 0),
      ratio: rounded(ratio),
      ratios: ratios.map((of) => rounded(of)),
      must,
      aim,
      cpuUsPerRow: rounded(own.cpuUsPerRow),
      sourceCpuUsPerRow: rounded(own.sourceCpuUsPerRow),
      targetCpuUsPerRow: rounded(own.targetCpuUsPerRow),
      peerSourceCpuUsPerRow: rounded(peer.sourceCpuUsPerRow),
      peerTargetCpuUsPerRow: rounded(peer.targetCpuUsPerRow),
      peakBytes: own.peakBytes,
      mostBytes,
    },
    text:
      `${seconds(own.ms)} / ${seconds(peer.ms)}  ${ratio.toFixed(2)} times the peer's throughput ` +
      `(must ${must}, aim ${aim}; rounds ${ratios.map((of) => of.toFixed(2)).join(', ')}), ` +
      `${perRow(own.cpuUsPerRow)}, ${megabytes(own.peakBytes)}${mostBytes === null ? '' : ` (must ${megabytes(mostBytes)})`}`,
  };
}
