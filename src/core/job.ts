import type { MakeEntry } from './action.ts';
import type { JournalLimits } from './route.ts';
import type { Reason } from './route-status.ts';

/** Long work on a route's tables that its engine does beside the stream. */
export type JobKind = 'load' | 'compare' | 'repair';

/**
 * `waiting`: no engine has begun it; `running`: one has, and goes on with it after whatever interrupts it; `paused` and
 * `cancelled` on request; `failed`: it can't go on until somebody has mended what `reason` says.
 */
export const jobStates = ['waiting', 'running', 'paused', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export type JobWish = 'run' | 'pause' | 'cancel';

/** JSON. */
export type JobDocument = Readonly<Record<string, unknown>>;

export interface Job {
  /** Unique within the target; grows. */
  readonly number: number;
  readonly kind: JobKind;
  /** What was asked for. May hold values of rows (keys, conditions): never logged. */
  readonly options: JobDocument;
  readonly state: JobState;
  readonly wish: JobWish;
  /** For people: how far it is. */
  readonly progress: JobDocument | null;
  /** What came of it. */
  readonly result: JobDocument | null;
  /** Why it has failed. */
  readonly reason: Reason | null;
  readonly askedBy: string;
  /** Target clock, ISO 8601. */
  readonly askedAt: string;
  readonly begunAt: string | null;
  readonly endedAt: string | null;
  /** How often an engine has taken it up. */
  readonly attempts: number;
}

export interface JobRequest {
  readonly kind: JobKind;
  readonly options: JobDocument;
  readonly askedBy: string;
  /** Stored in the same transaction, with the job's number. */
  readonly entry?: MakeEntry;
}

export interface JobChange {
  /** Stored in the same transaction. */
  readonly entry?: MakeEntry;
  /** These of its options are others from here on; an engine that has it under way takes it up anew with them. */
  readonly options?: JobDocument;
}

export interface JobEnd {
  readonly state: 'done' | 'failed' | 'cancelled';
  readonly result?: JobDocument;
  readonly reason?: Reason;
}

/**
 * The jobs of a route, at its target, with what each needs to go on where it was: a document for each of its steps (a
 * table, a chunk), as the job names them. What an engine stores counts only under the lease's epoch: a fenced one throws.
 */
export interface JobStore {
  add(request: JobRequest): Promise<Job>;
  /** The newest first; none where the state is of an older engine. */
  list(limit: number): Promise<readonly Job[]>;
  read(number: number): Promise<Job | null>;
  /** Null where there is no such job, or it has ended. */
  ask(number: number, wish: JobWish, change?: JobChange): Promise<Job | null>;

  /** By the engine: what is to be done, the oldest first, and what is to be paused or cancelled. */
  due(): Promise<readonly Job[]>;
  begin(number: number): Promise<void>;
  setProgress(number: number, progress: JobDocument): Promise<void>;
  /** All or nothing. Null: the step is forgotten. */
  storeSteps(number: number, steps: Readonly<Record<string, JobDocument | null>>): Promise<void>;
  /** By the name of the step. */
  steps(number: number): Promise<ReadonlyMap<string, JobDocument>>;
  /** Secret of this target that digests of row keys are keyed with: the same for as long as its state is there. */
  digestKey(): Promise<string>;
  /** Nothing more is done until somebody asks for it. Its steps stay. */
  rest(number: number): Promise<void>;
  /** Its steps stay where it has failed, for whoever resumes it. */
  end(number: number, end: JobEnd): Promise<void>;
  /** What has ended and is too old, or too much. */
  prune(limits: JournalLimits): Promise<void>;
}

/** How people name it: jobs of several targets have the same numbers. */
export function jobName(route: string, number: number): string {
  return `${route}/${number}`;
}
