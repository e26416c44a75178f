import type { ApplyCounts } from './consumer.ts';
import type { WorkDone } from './work-meter.ts';

/** Work since the message before: whoever adds it up has totals that go on over restarts of the worker. */
export interface RouteWorkDone extends ApplyCounts, WorkDone {}

/** What a worker measures, told to its Supervisor every two seconds and once more when it ends. Not stored. */
export interface RouteMetrics {
  /** Worker's clock, milliseconds since 1970. */
  readonly atMs: number;
  readonly done: RouteWorkDone;
  readonly lagMs: number | null;
  /** Since the last heartbeat has come through; null before the first. */
  readonly heartbeatAgeMs: number | null;
  /** When something came through to the target last, worker's clock. */
  readonly lastProgressAtMs: number | null;
  /** How far the source has written its log, and how far the target is, where positions are places in one log. */
  readonly sourceBytes: number | null;
  readonly targetBytes: number | null;
  readonly retainedBytes: number | null;
  readonly parked: number;
}

/** What a worker's process needs and how it answers. */
export interface WorkerVitals {
  readonly memory: {
    readonly rss: number;
    readonly heapUsed: number;
    readonly heapTotal: number;
    readonly external: number;
  };
  /** How much later than planned its event loop turned since the message before; `longest`: in the last minute. */
  readonly eventLoopDelayMs: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly longest: number;
  };
}
