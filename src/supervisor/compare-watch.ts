import { asTidelockError } from '../core/errors/defect.ts';
import type { Job } from '../core/job.ts';
import type { Logger } from '../core/logger.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import { comparedSoFar } from '../operations/compare/compared-so-far.ts';
import type { RouteReport } from './route-report.ts';

export interface CompareWatchOptions {
  readonly definition: RouteDefinition;
  readonly store: Pick<RouteStateStore, 'jobs' | 'tables'>;
  readonly report: RouteReport;
  readonly logger: Logger;
}

/** Results of so many jobs tell what is known of the tables. */
const lookedAt = 50;
/** A compare that has failed is not begun again at once, whatever `every` says. */
const leastMs = 60_000;
const retryMs = 15_000;
/** Tables leave the route while none of its jobs ends. */
const lookAgainMs = 60_000;

/**
 * Begins the compares in the background that the route is configured for, one after the other, and tells what all compares have found.
 * The last one is known by the jobs alone: whichever engine has the route goes on where another was.
 */
export class CompareWatch {
  readonly #options: CompareWatchOptions;
  /** Null: not known, or one is under way. */
  #nextAtMs: number | null = null;
  #isDue = true;
  /** Null: nothing was ever compared. */
  #lookAgainAtMs: number | null = null;
  #looking = false;

  constructor(options: CompareWatchOptions) {
    this.#options = options;
  }

  /** A job has come to an end. */
  ended(): void {
    this.#isDue = true;
  }

  /** With each renewal of the lease. */
  renewed(): void {
    const isTime = [this.#nextAtMs, this.#lookAgainAtMs].some((atMs) => atMs !== null && Date.now() >= atMs);
    if (this.#looking || !(this.#isDue || isTime)) return;
    this.#looking = true;
    this.#isDue = false;
    void this.#look()
      .catch((error: unknown) => {
        // Asked again a little later.
        this.#nextAtMs = Date.now() + retryMs;
        this.#options.logger.debug({ reason: asTidelockError(error).message }, 'compares could not be read');
      })
      .finally(() => {
        this.#looking = false;
      });
  }

  async #look(): Promise<void> {
    const { definition, store, report } = this.#options;
    const { jobs } = store;
    const known = await jobs.list(lookedAt);
    const last = known.find(isBackground) ?? null;
    const found = comparedSoFar(definition.name, known, await store.tables());
    report.compared(found, last?.state === 'failed' ? last.reason : null);
    this.#lookAgainAtMs = found === null ? null : Date.now() + lookAgainMs;
    this.#nextAtMs = nextAtMs(definition.compare.everyMs, last);
    if (this.#nextAtMs === null || Date.now() < this.#nextAtMs) return;
    this.#nextAtMs = null;
    const { maxLoad } = definition.compare;
    await jobs.add({ kind: 'compare', options: { background: true, maxLoad }, askedBy: 'tidelock' });
  }
}

function isBackground({ kind, options }: Job): boolean {
  return kind === 'compare' && options.background === true;
}

/** Null where none is wanted, or the last one has not come to its end: what somebody has paused rests until it is resumed. */
export function nextAtMs(everyMs: number | null, last: Job | null): number | null {
  if (everyMs === null) return null;
  if (last === null) return 0;
  const { endedAt, askedAt, state } = last;
  if (endedAt === null) return null;
  const next = Date.parse(askedAt) + everyMs;
  return state === 'failed' ? Math.max(next, Date.parse(endedAt) + leastMs) : next;
}
