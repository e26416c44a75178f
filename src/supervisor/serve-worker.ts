import type { Logger } from '../core/logger.ts';
import type { RouteMetrics } from '../core/route-metrics.ts';
import type { RouteStatus } from '../core/route-status.ts';
import { VitalsWatch } from './vitals-watch.ts';
import {
  type AliveMessage,
  aliveMs,
  isStop,
  type LeaseMessage,
  type MetricsMessage,
  type StatusMessage,
  type WorkerTask,
} from './worker-protocol.ts';

/** After its Supervisor has died a worker drains this long at most. */
const orphanedMs = 3_000;

export interface WorkerRun {
  readonly task: WorkerTask;
  readonly signal: AbortSignal;
  /** Once the signal has aborted: whether the lease is to be given back. */
  releases(): boolean;
  onStatus(status: RouteStatus): void;
  onLease(epoch: bigint): void;
  onMetrics(metrics: RouteMetrics): void;
}

/**
 * The worker's side of the Supervisor's protocol. Resolves `run`'s end into this process's exit: 0 drained, 1 failed.
 *
 * Signals of a terminal or a service manager reach all processes of a group: a worker leaves them to its Supervisor and
 * ends when told over IPC, or when that breaks off, which it does when the Supervisor is killed.
 */
export async function serveWorker(
  task: WorkerTask,
  logger: Logger,
  run: (worker: WorkerRun) => Promise<void>,
): Promise<never> {
  const drain = new AbortController();
  let release = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('message', (message) => {
    if (!isStop(message)) return;
    release = message.release;
    drain.abort();
  });
  const orphaned = (): void => {
    logger.warn({}, 'the Supervisor is gone, ending');
    drain.abort();
    setTimeout(() => process.exit(1), orphanedMs).unref();
  };
  process.once('disconnect', orphaned);
  // It may have died before this process listened.
  if (!process.connected) orphaned();
  setInterval(alive, aliveMs).unref();
  const vitals = new VitalsWatch();
  const onMetrics = (metrics: RouteMetrics): void => send({ kind: 'metrics', metrics, vitals: vitals.take() });
  try {
    await run({ task, signal: drain.signal, releases: () => release, onStatus: report, onLease, onMetrics });
  } catch (error) {
    logger.error({ err: error }, 'worker failed');
    process.exit(1);
  }
  process.exit(0);
}

function alive(): void {
  send({ kind: 'alive' });
}

function report(status: RouteStatus): void {
  send({ kind: 'status', status });
}

function onLease(epoch: bigint): void {
  send({ kind: 'lease', epoch: epoch.toString() });
}

/** Where the Supervisor is gone nobody needs to know. */
function send(message: AliveMessage | StatusMessage | LeaseMessage | MetricsMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** The task of this process, as the Supervisor has written it. */
export function workerTask(): WorkerTask {
  const text = process.argv[2];
  if (text === undefined || process.send === undefined) throw new Error('this program is started by the Supervisor');
  return JSON.parse(text) as WorkerTask;
}
