import type { WorkerVitals } from '../core/route-metrics.ts';

/** What a worker tells its Supervisor every two seconds. */
export interface SignOfLife {
  /** Of the time since the sign before. */
  readonly vitals: WorkerVitals;
  /** Resident memory above which it is to be started again; null where that is not known yet. */
  readonly memoryLimitBytes: number | null;
  /** Null while no route streams. */
  readonly progress: ProgressReport | null;
}

/** Evidence that a streaming route moves on, or has no reason to. */
export interface ProgressReport {
  /** Grows with everything that was applied, and while a server works on it. */
  readonly steps: number;
  /** Heartbeats were committed at the source since the last step, which should have come through by now, and the target has nothing to do for the route. */
  readonly due: boolean;
  /** Another session holds it up at the target. */
  readonly waits: boolean;
}
