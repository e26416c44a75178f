import { fork } from 'node:child_process';
import { once } from 'node:events';
import { heapFlags } from '../../src/supervisor/worker-process.ts';
import { begin } from '../../test/integration/collector/reading.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { median } from '../measure.ts';
import type { Workload } from '../pg-to-pg/workload.ts';
import type { DecodeRound, DecodeTask } from './task.ts';

export interface DecodeOptions {
  readonly rounds: number;
  readonly scale: number;
  /** A folder for V8's profile of the reading process. */
  readonly profile: string | null;
  onRound(line: object): void;
}

/**
 * A workload's backlog, read from a server again and again by a process with a worker's settings: through Collector, mapping and Channel, into
 * a target that takes everything at once. What a row costs before anything is applied, in CPU time; the server's walsender limits the speed.
 */
export async function decode(workload: Workload, { rounds, scale, profile, onRound }: DecodeOptions): Promise<object> {
  await using server = await startPostgres({ settings: { shared_buffers: '256MB', max_wal_size: '8GB' } });
  const database = await server.createDatabase();
  await database.query(workload.tables);
  await workload.prepare(database, scale);
  await using queue = await begin(database, { name: 'decode' });
  await workload.write(database, scale);
  const end = await queue.source.mark();
  await database.query('CHECKPOINT');
  const task: DecodeTask = {
    port: server.port,
    database: database.name,
    stored: queue.stored,
    start: queue.start.position,
    end,
    rounds,
  };
  const found = await readInWorker(task, profile, (round) => onRound({ workload: workload.name, ...round }));
  const of = (value: (round: DecodeRound) => number): number => median(found.map(value));
  return {
    workload: workload.name,
    decodeUsPerRow: of(({ userUs, systemUs, rows }) => (userUs + systemUs) / rows),
    userUsPerRow: of(({ userUs, rows }) => userUs / rows),
    systemUsPerRow: of(({ systemUs, rows }) => systemUs / rows),
    collectedUsPerRow: of(({ collectedMs, rows }) => (collectedMs * 1_000) / rows),
    rowsPerSecond: Math.round(of(({ rows, ms }) => (rows * 1_000) / ms)),
    peakBytes: Math.max(...found.map((round) => round.peakBytes)),
  };
}

async function readInWorker(
  task: DecodeTask,
  profile: string | null,
  onRound: (round: DecodeRound) => void,
): Promise<DecodeRound[]> {
  const profiling = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const reader = fork(new URL('./reader.ts', import.meta.url), { execArgv: [...heapFlags, ...profiling] });
  const found: DecodeRound[] = [];
  reader.on('message', (round: DecodeRound) => {
    found.push(round);
    onRound(round);
  });
  reader.send(task);
  const [exitCode] = await once(reader, 'exit');
  if (exitCode !== 0 || found.length < task.rounds) throw new Error(`the reading process ended with ${exitCode}`);
  return found;
}
