import type { Job, JobDocument, JobKind } from '../../core/job.ts';
import type { Logger } from '../../core/logger.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import type { Source } from '../../core/source.ts';
import type { Target } from '../../core/target.ts';
import type { LiveStream } from '../../pipeline/live-stream.ts';
import type { OtherWay } from '../compare/other-way.ts';
import type { LoadDesk } from '../load/load-desk.ts';

/** What a job has to work with, under the lease of the route's engine. */
export interface JobWork {
  readonly job: Job;
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  readonly epoch: bigint;
  readonly logger: Logger;
  /** The route's stream; `soon` where it begins by itself; null where the route rests. */
  live(): LiveStream | 'soon' | null;
  /** The route that carries rows back, as far as this engine knows. */
  otherWay(): Promise<OtherWay | null>;
  /** Where the stream of this engine is told what to load. */
  readonly loads: LoadDesk;
  /** Aborts where the job is to pause or to end, or the engine drains: what is stored is gone on from. */
  readonly signal: AbortSignal;
}

/**
 * Does one kind of job, from wherever its steps say that it is, and returns what came of it. Throws where the signal
 * aborts. An error with recovery `retry` lets it begin again from its steps.
 */
export type RunJob = (work: JobWork) => Promise<JobDocument>;

export type JobKinds = Readonly<Partial<Record<JobKind, RunJob>>>;
