import { type Contest, type Outcome, perRow, rounded, seconds, type Terms } from './contest.ts';
import { delayingLink } from './delaying-link.ts';
import { race } from './race.ts';
import { Stage } from './stage.ts';
import { tidelock } from './tidelock.ts';
import { backlog } from './workloads/backlog.ts';

const eachWayMs = 10;
const must = 0.8;
const aim = 0.95;

/** The engine beside the source, the target far away: its rate, beside its own with the target next to it. */
export const farTarget: Contest = {
  name: 'G',
  title: `backlog of A, the target ${2 * eachWayMs} ms away (there and back)`,
  run,
};

async function run({ rounds, scale, synchronousCommit, lanes, onRound }: Terms): Promise<Outcome> {
  await using stage = await Stage.open({
    tables: backlog.tables,
    prepare: (source) => backlog.prepare(source, scale),
    synchronousCommit,
    contenders: [
      (source, target, on) => tidelock({ source, target, lanes, name: 'near', ends: (end) => on.onEnd(end) }),
      async (source, target, on) => {
        const link = await delayingLink(target.server.port, eachWayMs);
        on.onEnd(async () => await link[Symbol.asyncDispose]());
        return await tidelock({
          source,
          target,
          lanes,
          targetPort: link.port,
          name: 'far',
          ends: (end) => on.onEnd(end),
        });
      },
    ],
  });
  const laps = await race(stage, {
    rounds,
    write: (source) => backlog.write(source, scale),
    onRound: (line) => onRound({ workload: 'G', ...line }),
  });
  const [near, far] = [laps.get('near'), laps.get('far')];
  if (near === undefined || far === undefined) throw new TypeError('a contender is missing');
  const ratio = near.ms / far.ms;
  const failed = [...laps].filter(([, { differ }]) => differ.length > 0).map(([name]) => name);
  return {
    workload: 'G',
    synchronousCommit,
    failed,
    passed: failed.length === 0 && ratio >= must,
    figures: {
      nearMs: rounded(near.ms, 0),
      farMs: rounded(far.ms, 0),
      ratio: rounded(ratio),
      must,
      aim,
      roundTripMs: 2 * eachWayMs,
      cpuUsPerRow: rounded(far.cpuUsPerRow),
    },
    text: `${seconds(far.ms)} far / ${seconds(near.ms)} near  ${ratio.toFixed(2)} times its own rate (must ${must}, aim ${aim}), ${perRow(far.cpuUsPerRow)}`,
  };
}
