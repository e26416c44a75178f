import { childrenOf } from '../test/support/process-tree.ts';
import { cpuUs, median, peakBytes } from './measure.ts';

/** What one load has taken. */
export interface Loaded {
  readonly ms: number;
  readonly peakBytes: number;
  readonly cpuUsPerRow: number;
}

export interface LoadRounds {
  readonly rows: number;
  readonly rounds: number;
  /** Under which name the rounds tell how long the peer took. */
  readonly peer: 'dumpMs' | 'pgloaderMs';
  readonly must: number;
  readonly aim: number;
  peerMs(): Promise<number>;
  load(): Promise<Loaded>;
}

export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Of the processes of a route, by the id of its Supervisor. */
export function usedBy(supervisor: number, rows: number): Omit<Loaded, 'ms'> {
  const workers = childrenOf(supervisor);
  return { peakBytes: peakBytes(workers), cpuUsPerRow: cpuUs(workers) / rows };
}

/** The peer and the load in turns: a line for each round, and one for the medians. */
export async function loadRounds({ rows, rounds, peer, must, aim, peerMs, load }: LoadRounds): Promise<void> {
  const peers: number[] = [];
  const loads: Loaded[] = [];
  for (let round = 0; round < rounds; round++) {
    const ofPeer = await peerMs();
    const loaded = await load();
    peers.push(ofPeer);
    loads.push(loaded);
    say({ kind: 'round', round, rows, [peer]: ofPeer, ...loaded });
  }
  say({
    ...{ kind: 'result', rows, ratio: median(peers) / median(loads.map(({ ms }) => ms)), must, aim },
    peakBytes: Math.max(...loads.map((each) => each.peakBytes)),
    memoryMust: 256_000_000,
  });
}
