import { z } from 'zod';
import type { JobDetail, JobsDocument } from '../../control/jobs.ts';
import { jobStates } from '../../core/job.ts';
import { count, reason, time, version } from './common.ts';

const free = z.record(z.string(), z.unknown());

const view = {
  id: z.string().describe('Route and number, as in `sales/12`.'),
  route: z.string(),
  kind: z.enum(['load', 'compare', 'repair']),
  state: z
    .enum(jobStates)
    .describe('`waiting`: no engine has begun it yet. `running` also while what interrupted it is got over.'),
  wish: z.enum(['run', 'pause', 'cancel']).describe('What was asked for last.'),
  tables: z.array(z.string()).describe('Empty: all tables of the route.'),
  done: count.nullable(),
  total: count.nullable().describe('In the same unit, as far as it is known.'),
  progress: free.nullable().describe('How far it is, by its kind.'),
  reason: reason.nullable().describe('Why it has failed.'),
  askedBy: z.string(),
  askedAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  attempts: count.describe('How often an engine has taken it up.'),
};

export const jobsDocument: z.ZodType<JobsDocument> = z
  .object({ version, jobs: z.array(z.object(view)) })
  .meta({ id: 'Jobs' });

export const jobDetail: z.ZodType<JobDetail> = z
  .object({
    version,
    ...view,
    engine: z.boolean().describe('An engine has the route: it does its jobs.'),
    result: free.nullable().describe('What came of it, by its kind; of a compare the document of `compare --json`.'),
  })
  .meta({ id: 'Job' });
