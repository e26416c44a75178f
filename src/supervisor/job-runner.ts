import { routeErrors } from '../core/errors/catalogue/route.ts';
import { asTidelockError } from '../core/errors/defect.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { Job } from '../core/job.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { Wanted } from '../core/route-state-store.ts';
import type { JobKinds, JobWork } from '../operations/jobs/job-work.ts';

export interface JobRunnerOptions extends Omit<JobWork, 'job' | 'signal'> {
  readonly kinds: JobKinds;
  /** One has come to its end. */
  onEnded?(): void;
}

interface Running {
  readonly lane: string;
  /** What it was begun with, as JSON. */
  readonly options: string;
  readonly stop: AbortController;
  /** Why it was stopped; null where the engine ends, or takes it up anew. */
  wish: 'pause' | 'cancel' | null;
  ended: Promise<void>;
}

const firstRetryMs = 500;
const longestRetryMs = 15_000;

/**
 * Does the route's jobs for as long as its lease is held, whatever the route itself does: one of each kind at a time, the
 * oldest first, and beside them one compare in the background. A job that was begun and has not ended is taken up again by whoever has the lease next.
 */
export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #logger: Logger;
  readonly #running = new Map<number, Running>();
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    this.#logger = options.logger;
  }

  /** With each renewal of the lease. */
  renewed({ jobsDue }: Wanted): void {
    if (jobsDue === true) this.#look();
  }

  /** Stops what is under way and waits for it. It stays where it is, for the next one. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { stop } of this.#running.values()) stop.abort();
    await this.#looking;
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #look(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#lookAgain().finally(() => {
      this.#looking = null;
    });
  }

  async #lookAgain(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        for (const job of await this.#options.store.jobs.due()) await this.#meet(job);
      } catch (error) {
        // Asked again with the next renewal, which tells where the lease is lost.
        this.#logger.debug({ reason: asTidelockError(error).message }, 'jobs could not be read');
      }
    }
  }

  async #meet(job: Job): Promise<void> {
    const { number, wish, kind } = job;
    const { jobs } = this.#options.store;
    const running = this.#running.get(number);
    if (running !== undefined) {
      // Somebody wants it otherwise than it was begun: it goes on from its steps.
      if (wish === 'run' && running.options === JSON.stringify(job.options)) return;
      running.wish = wish === 'run' ? null : wish;
      running.stop.abort();
    } else if (wish === 'cancel') {
      await jobs.end(number, { state: 'cancelled' });
      this.#logger.info({ job: number, kind }, 'job cancelled');
    } else if (wish === 'pause') {
      await jobs.rest(number);
    } else if (!this.#closed && ![...this.#running.values()].some((other) => other.lane === laneOf(job))) {
      const begun: Running = {
        lane: laneOf(job),
        options: JSON.stringify(job.options),
        stop: new AbortController(),
        wish: null,
        ended: Promise.resolve(),
      };
      this.#running.set(number, begun);
      begun.ended = this.#run(job, begun).then((isOurs) => {
        this.#running.delete(number);
        this.#options.onEnded?.();
        // Else the next renewal of the lease tells what has become of it.
        if (isOurs) this.#look();
      });
    }
  }

  /** False where the lease, or the route, is gone. */
  async #run(job: Job, running: Running): Promise<boolean> {
    const { number, kind } = job;
    const fields = { job: number, kind };
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#attempt(job, running.stop.signal);
        this.#logger.info(fields, 'job done');
        return true;
      } catch (reason) {
        const error = asTidelockError(reason);
        if (running.stop.signal.aborted) {
          await this.#rest(number, running);
          return true;
        }
        if (error.recovery === 'fenced' || error.code === routeErrors.notRegistered.code) return false;
        if (error.recovery !== 'retry') {
          await this.#fail(number, error);
          return true;
        }
        this.#logger.warn({ ...fields, ...error.toJSON() }, 'job interrupted, trying again');
      }
      await pause(Math.min(firstRetryMs * 2 ** attempt, longestRetryMs), running.stop.signal);
    }
  }

  async #attempt(job: Job, signal: AbortSignal): Promise<void> {
    const { kinds, onEnded: _, ...work } = this.#options;
    const { number, kind } = job;
    const run = kinds[kind];
    // Of a newer engine: it may come back.
    if (run === undefined) throw fail(routeErrors.jobUnknown, { route: work.definition.name, job: number, kind });
    await work.store.jobs.begin(number);
    this.#logger.info({ job: number, kind, askedBy: job.askedBy }, 'job begun');
    const result = await run({ ...work, job, signal });
    await work.store.jobs.end(number, { state: 'done', result });
  }

  /** What can't be stored now is met again by the next one. */
  async #rest(number: number, { wish }: Running): Promise<void> {
    const { jobs } = this.#options.store;
    try {
      if (wish === 'pause') await jobs.rest(number);
      if (wish === 'cancel') await jobs.end(number, { state: 'cancelled' });
    } catch (error) {
      this.#logger.debug({ job: number, reason: asTidelockError(error).message }, 'job not put to rest');
    }
  }

  async #fail(number: number, error: TidelockError): Promise<void> {
    const { code, message, remedy } = error;
    // What was asked for may stand in the message, and with it values of rows: that is for those who ask for the job.
    this.#logger.error({ job: number, code, recovery: error.recovery }, 'job failed');
    await this.#options.store.jobs
      .end(number, { state: 'failed', reason: { code, message, remedy } })
      .catch((reason: unknown) => {
        this.#logger.warn({ job: number, reason: asTidelockError(reason).message }, 'that a job failed is not stored');
      });
  }
}

/** Nobody waits for hours for what runs in the background. */
function laneOf({ kind, options }: Job): string {
  return options.background === true ? `${kind} in the background` : kind;
}
