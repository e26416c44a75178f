import type { JobView } from '../../control/jobs.ts';

/**
 * Of a route's jobs, the newest first: what people have asked for comes before what the route begins by itself, which may be newer. One that is under way,
 * or waits for an engine, is watched on.
 */
export function resumable(jobs: readonly JobView[]): JobView | null {
  const open = jobs.filter(({ kind, state }) => kind === 'compare' && state !== 'done' && state !== 'cancelled');
  const rests = open.filter(({ state }) => state === 'paused' || state === 'failed');
  const asked = (job: JobView): boolean => job.askedBy !== 'tidelock';
  return rests.find(asked) ?? open.find(asked) ?? rests[0] ?? null;
}
