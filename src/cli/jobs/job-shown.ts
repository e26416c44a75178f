import type { JobDetail } from '../../control/jobs.ts';
import { compareProgressText } from '../compare/compare-progress-text.ts';
import { loadProgressText } from '../load/load-text.ts';
import { jobLine } from './job-text.ts';

/** How far a job is, as it stands on a terminal while it runs. */
export function jobShown(job: JobDetail, colours: boolean): string {
  if (job.kind === 'load') return loadProgressText(job, colours);
  return job.kind === 'compare' || job.kind === 'repair' ? compareProgressText(job) : jobLine(job);
}
