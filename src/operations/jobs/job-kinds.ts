import { compareJob } from '../compare/compare-job.ts';
import { runLoadJob } from '../load/load-job.ts';
import { repairJob } from '../repair/repair-job.ts';
import type { JobKinds } from './job-work.ts';

/** The jobs that this engine can do. */
export const jobKinds: JobKinds = { compare: compareJob, load: runLoadJob, repair: repairJob };
