import type { Job } from '../../core/job.ts';
import type { Existing } from '../../core/load.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';

/** The job of the load that a route begins with: whoever looks after jobs sees it, and lets it rest, as any other. */
export async function initialJob(
  { jobs }: Pick<RouteStateStore, 'jobs'>,
  { tables, existing }: { readonly tables: readonly string[]; readonly existing: Existing },
): Promise<number> {
  // Of a start that did not come to its load.
  const known = (await jobs.due()).find((job) => isInitialLoad(job) && job.wish === 'run');
  if (known !== undefined) return known.number;
  const made = await jobs.add({
    kind: 'load',
    options: { tables, existing, initial: true },
    askedBy: 'the start of the route',
  });
  return made.number;
}

/** Where the route begins without a load beside its stream: what an earlier start has asked for would be waited for. */
export async function endInitialJobs({ jobs }: Pick<RouteStateStore, 'jobs'>): Promise<void> {
  for (const job of await jobs.due()) if (isInitialLoad(job)) await jobs.end(job.number, { state: 'cancelled' });
}

export function isInitialLoad({ kind, options }: Pick<Job, 'kind' | 'options'>): boolean {
  return kind === 'load' && options.initial === true;
}
