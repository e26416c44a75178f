import type { RouteMetrics, WorkerVitals } from '../core/route-metrics.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { Reason, Restart, RouteStatus, Told } from '../core/route-status.ts';
import type { SignOfLife } from './sign-of-life.ts';

/** How a worker is told what to run: as JSON in its environment. No secrets. */
export interface WorkerTask {
  readonly file: string;
  /** The files of the configuration come as a message, as they were when the route was taken up with them. */
  readonly isConfigured: boolean;
  readonly route: string;
  readonly holder: LeaseHolder;
  /** Crashes of this route's workers so far. */
  readonly restarts: number;
  readonly takeover: boolean;
  /** Of the lease that this route's worker had last, in decimal; null where none had one. */
  readonly heldEpoch: string | null;
  /** What had been asked for when an earlier worker was fenced under that lease: something later lets the route go on. Null where none was. */
  readonly fencedAt: number | null;
  /** Of the route at its target, as this route's worker has found it last; null where none has found it yet. */
  readonly registration: string | null;
  /** Why the worker before this one ended. */
  readonly restarted: Restart | null;
  /** The route has failed: only its lease is kept, until somebody asks for something after this request. */
  readonly halted: { readonly reason: Reason; readonly request: number | null } | null;
}

/** The environment variable with the task. Arguments could be read by everybody on the host. */
export const taskVariable = 'TIDELOCK_WORKER_TASK';

/** Supervisor to worker: finish the group in flight, exit. */
export interface StopMessage {
  readonly kind: 'stop';
  /** Give the lease back. False where another worker of the same Supervisor follows at once. */
  readonly release: boolean;
}

/** Supervisor to worker: people were told this of the route; it is stored with its status. */
export interface ToldMessage {
  readonly kind: 'told';
  readonly told: Told;
}

/**
 * Supervisor to worker, the first thing that it says: the configuration to run, whatever has become of its files since. It
 * may hold secrets that are written in them.
 */
export interface ConfigurationMessage {
  readonly kind: 'configuration';
  readonly configuration: object;
}

/** Worker to Supervisor: somebody has agreed to another description of the route than the one that it runs with. */
export interface PendingMessage {
  readonly kind: 'pending';
  readonly fingerprint: string;
}

/** Worker to Supervisor. */
export interface StatusMessage {
  readonly kind: 'status';
  readonly status: RouteStatus;
}

/** Worker to Supervisor: the route is registered at its target. Where that is another one than before, it was begun anew. */
export interface RegisteredMessage {
  readonly kind: 'registered';
  readonly registration: string;
}

/** Worker to Supervisor: it has the lease under this epoch, and what people have asked for up to this request. */
export interface LeaseMessage {
  readonly kind: 'lease';
  readonly epoch: string;
  readonly request: number;
}

/** Worker to Supervisor: another engine has taken the route; people had asked for so much by then. */
export interface FencedMessage {
  readonly kind: 'fenced';
  readonly request: number;
}

/** Worker to Supervisor, every `aliveMs`: its event loop turns. */
export interface AliveMessage extends SignOfLife {
  readonly kind: 'alive';
}

/** Worker to Supervisor, the last thing that it says: what it dies of, without values. */
export interface DyingMessage {
  readonly kind: 'dying';
  readonly error: string;
}

/** Worker to Supervisor, every `metricsMs` and once more when it has drained. */
export interface MetricsMessage {
  readonly kind: 'metrics';
  readonly metrics: RouteMetrics;
  readonly vitals: WorkerVitals;
}

export const metricsMs = 2_000;

export const aliveMs = 2_000;

export function isStop(message: unknown): message is StopMessage {
  return kindOf(message) === 'stop';
}

export function isTold(message: unknown): message is ToldMessage {
  return kindOf(message) === 'told';
}

export function isConfiguration(message: unknown): message is ConfigurationMessage {
  return kindOf(message) === 'configuration';
}

export function isPending(message: unknown): message is PendingMessage {
  return kindOf(message) === 'pending';
}

export function isStatus(message: unknown): message is StatusMessage {
  return kindOf(message) === 'status';
}

export function isLease(message: unknown): message is LeaseMessage {
  return kindOf(message) === 'lease';
}

export function isRegistered(message: unknown): message is RegisteredMessage {
  return kindOf(message) === 'registered';
}

export function isFenced(message: unknown): message is FencedMessage {
  return kindOf(message) === 'fenced';
}

export function isMetrics(message: unknown): message is MetricsMessage {
  return kindOf(message) === 'metrics';
}

export function isAlive(message: unknown): message is AliveMessage {
  return kindOf(message) === 'alive';
}

export function isDying(message: unknown): message is DyingMessage {
  return kindOf(message) === 'dying';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : null;
}
