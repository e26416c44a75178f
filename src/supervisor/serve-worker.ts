import { asTidelockError } from '../core/errors/defect.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { RouteMetrics } from '../core/route-metrics.ts';
import type { RouteStatus, Told } from '../core/route-status.ts';
import { SelfWatch } from './self-watch.ts';
import {
  type AliveMessage,
  aliveMs,
  type DyingMessage,
  type FencedMessage,
  isConfiguration,
  isStop,
  isTold,
  type LeaseMessage,
  type MetricsMessage,
  type PendingMessage,
  type RegisteredMessage,
  type StatusMessage,
  taskVariable,
  type WorkerTask,
} from './worker-protocol.ts';

/** A stand-still of the event loop that is worth a line in the log. */
const blockedMs = 1_000;

/** After its Supervisor has died a worker drains this long at most. */
const orphanedMs = 3_000;

/** The last message needs that long at most. */
const dyingMs = 1_000;

export interface WorkerRun {
  readonly task: WorkerTask;
  /** What the Supervisor has handed over; null: the files are to be read. */
  readonly configuration: object | null;
  readonly signal: AbortSignal;
  /** Once the signal has aborted: whether the lease is to be given back. */
  releases(): boolean;
  readonly self: SelfWatch;
  onStatus(status: RouteStatus): void;
  onRegistered(registration: string): void;
  onLease(epoch: bigint, request: number): void;
  onFenced(request: number): void;
  onMetrics(metrics: RouteMetrics): void;
  hearTold(listener: (told: Told) => void): void;
  /** Somebody has agreed to another description of the route. */
  onPending(fingerprint: string): void;
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
  const configured = Promise.withResolvers<object | null>();
  if (!task.isConfigured) configured.resolve(null);
  let told: Told | null = null;
  let onTold = (_: Told): void => {};
  process.on('message', (message) => {
    if (isTold(message)) {
      told = message.told;
      onTold(told);
    }
    if (isConfiguration(message)) configured.resolve(message.configuration);
    if (!isStop(message)) return;
    release = message.release;
    drain.abort();
    configured.resolve(null);
  });
  const orphaned = (): void => {
    logger.warn({}, 'the Supervisor is gone, ending');
    drain.abort();
    configured.resolve(null);
    setTimeout(() => process.exit(1), orphanedMs).unref();
  };
  process.once('disconnect', orphaned);
  // It may have died before this process listened.
  if (!process.connected) orphaned();
  const self = new SelfWatch(aliveMs);
  setInterval(() => alive(self, logger), aliveMs).unref();
  // What nobody catches ends the process as it does without this; the Supervisor is told of what.
  process.on('uncaughtExceptionMonitor', (error) => say({ kind: 'dying', error: nameOf(error) }));
  try {
    const configuration = await configured.promise;
    if (configuration === null && task.isConfigured) process.exit(0);
    await run({
      task,
      configuration,
      signal: drain.signal,
      releases: () => release,
      self,
      onStatus: (status) => say({ kind: 'status', status }),
      onRegistered: (registration) => say({ kind: 'registered', registration }),
      onLease: (epoch, request) => say({ kind: 'lease', epoch: epoch.toString(), request }),
      onFenced: (request) => say({ kind: 'fenced', request }),
      onMetrics: (metrics) => say({ kind: 'metrics', metrics, vitals: self.vitals }),
      // It may have been told while it began.
      hearTold: (listener) => {
        onTold = listener;
        if (told !== null) listener(told);
      },
      onPending: (fingerprint) => say({ kind: 'pending', fingerprint }),
    });
  } catch (error) {
    logger.error({ err: error }, 'worker failed');
    say({ kind: 'dying', error: nameOf(error) }, () => process.exit(1));
    await pause(dyingMs, new AbortController().signal);
    process.exit(1);
  }
  process.exit(0);
}

function alive(self: SelfWatch, logger: Logger): void {
  const sign = self.take();
  const { max } = sign.vitals.eventLoopDelayMs;
  if (max >= blockedMs) logger.warn({ blockedMs: Math.round(max) }, 'the event loop was blocked');
  say({ kind: 'alive', ...sign });
}

/** Its text may quote a value; what kind of error it is and where it was thrown does not. */
function nameOf(error: unknown): string {
  return asTidelockError(error).message;
}

type Said =
  | StatusMessage
  | RegisteredMessage
  | LeaseMessage
  | FencedMessage
  | AliveMessage
  | DyingMessage
  | MetricsMessage
  | PendingMessage;

/** Where the Supervisor is gone nobody needs to know. */
function say(message: Said, said = (): void => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, said);
  else said();
}

/** The task of this process, as the Supervisor has written it. */
export function workerTask(): WorkerTask {
  const text = process.env[taskVariable];
  if (text === undefined || process.send === undefined) throw new Error('this program is started by the Supervisor');
  return JSON.parse(text) as WorkerTask;
}
