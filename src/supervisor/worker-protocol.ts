import type { RouteMetrics, WorkerVitals } from '../core/route-metrics.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { RouteStatus } from '../core/route-status.ts';

/** How a worker is told what to run: as JSON in its arguments, which everybody on the host can read. No secrets. */
export interface WorkerTask {
  readonly file: string;
  readonly route: string;
  readonly holder: LeaseHolder;
  /** Crashes of this route's workers so far. */
  readonly restarts: number;
  readonly takeover: boolean;
  /** Of the lease that this route's worker had last, in decimal; null where none had one. */
  readonly heldEpoch: string | null;
}

/** Supervisor to worker: finish the group in flight, exit. */
export interface StopMessage {
  readonly kind: 'stop';
  /** Give the lease back. False where another worker of the same Supervisor follows at once. */
  readonly release: boolean;
}

/** Worker to Supervisor. */
export interface StatusMessage {
  readonly kind: 'status';
  readonly status: RouteStatus;
}

/** Worker to Supervisor: it has the lease under this epoch. */
export interface LeaseMessage {
  readonly kind: 'lease';
  readonly epoch: string;
}

/** Worker to Supervisor, every `aliveMs`: its event loop turns. Other messages tell as much. */
export interface AliveMessage {
  readonly kind: 'alive';
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

export function isStatus(message: unknown): message is StatusMessage {
  return kindOf(message) === 'status';
}

export function isLease(message: unknown): message is LeaseMessage {
  return kindOf(message) === 'lease';
}

export function isMetrics(message: unknown): message is MetricsMessage {
  return kindOf(message) === 'metrics';
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'kind' in message ? message.kind : null;
}
