import { z } from 'zod';
import type { JobWish } from '../../core/job.ts';
import { compareDefaults } from '../../operations/compare/compare-options.ts';
import { jobDetail, jobsDocument } from '../documents/jobs.ts';
import { type Operation, operation } from '../operation.ts';
import { queryNumber } from './query-number.ts';

const reason = z.string().trim().min(1).max(1000).optional().describe('Why, for the journal.');
const share = z.number().gt(0).max(1).nullable();

const asks: readonly { readonly verb: string; readonly wish: JobWish; readonly summary: string }[] = [
  { verb: 'pause', wish: 'pause', summary: 'Let the job rest where it is' },
  { verb: 'cancel', wish: 'cancel', summary: 'End the job; what it has done stays' },
];

/** Long work on a route's tables, which its engine does beside the stream. */
export const jobOperations: readonly Operation[] = [
  operation({
    id: 'listJobs',
    method: 'GET',
    path: '/v1/jobs',
    role: 'viewer',
    summary: 'Jobs of all routes, the newest first',
    query: z.strictObject({
      route: z.string().max(100).optional().describe('Of this route only.'),
      limit: queryNumber({ least: 1, most: 1000, otherwise: 100 }).describe('Jobs at most.'),
    }),
    answer: jobsDocument,
    run: ({ control, query: { route, limit } }) => control.jobs({ limit, ...(route !== undefined && { route }) }),
  }),
  operation({
    id: 'readJob',
    method: 'GET',
    path: '/v1/routes/{route}/jobs/{id}',
    role: 'viewer',
    summary: 'One job, with what came of it',
    description: 'With values=true, which is for operators, with the values of rows where the job has kept some.',
    query: z.strictObject({
      values: z.enum(['true', 'false']).default('false').describe('With the values of its examples.'),
    }),
    answer: jobDetail,
    needs: ({ values }) => (values === 'true' ? 'operator' : 'viewer'),
    run: ({ control, route, id, query: { values } }) =>
      control.job({ route, number: numberOf(id) }, { values: values === 'true' }),
  }),
  operation({
    id: 'compareRoute',
    method: 'POST',
    path: '/v1/routes/{route}/compare',
    role: 'operator',
    summary: 'Ask for a compare of the tables of both sides; the answer is its job',
    body: z.strictObject({
      tables: z
        .array(z.string().min(1).max(300))
        .max(10_000)
        .default([])
        .describe('Source tables, `*` for any text; all of the route where none is named.'),
      where: z.string().min(1).max(10_000).nullable().default(null).describe('Only rows for which it is true.'),
      sample: share.default(null).describe('Only this share of all rows, chosen by chunks.'),
      maxLoad: share.default(null).describe('Use the databases for this share of the time.'),
      showValues: z.boolean().default(compareDefaults.showValues).describe('Keep the values of examples.'),
      reason,
    }),
    answer: jobDetail,
    run: ({ control, route, asked, body: { reason: _, ...options } }) =>
      control.addJob(route, { kind: 'compare', options }, asked),
  }),
  operation({
    id: 'repairRoute',
    method: 'POST',
    path: '/v1/routes/{route}/repair',
    role: 'admin',
    summary: "Ask for a repair: rows that differ at the target become the source's; the answer is its job",
    body: z.strictObject({
      tables: z
        .array(z.string().min(1).max(300))
        .max(10_000)
        .default([])
        .describe('Source tables, `*` for any text; all of the route where none is named.'),
      where: z.string().min(1).max(10_000).nullable().default(null).describe('Only rows for which it is true.'),
      from: z.string().max(100).optional().describe('The node that is right: wanted where a route carries rows back.'),
      dryRun: z.boolean().default(false).describe('Only tell what would be done.'),
      undo: z.number().int().min(1).nullable().default(null).describe('Take the repair of this number back instead.'),
      maxLoad: share.default(null).describe('Use the databases for this share of the time.'),
      showValues: z.boolean().default(false).describe('Keep the values of examples.'),
      reason,
    }),
    answer: jobDetail,
    run: ({ control, route, asked, body: { reason: _, ...options } }) =>
      control.addJob(route, { kind: 'repair', options }, asked),
  }),
  operation({
    id: 'loadTables',
    method: 'POST',
    path: '/v1/routes/{route}/load',
    role: 'admin',
    summary: 'Ask for tables to be loaded anew, beside the stream; the answer is the job',
    body: z.strictObject({
      tables: z.array(z.string().min(1).max(300)).min(1).max(10_000).describe('Source tables, schema and table.'),
      existing: z
        .enum(['refuse', 'merge', 'replace'])
        .default('refuse')
        .describe('Rows at the target: `replace` deletes them first, `merge` keeps those that the source has not.'),
      where: z
        .string()
        .min(1)
        .max(10_000)
        .nullable()
        .default(null)
        .describe('Only rows for which it is true: comparisons of columns of the key with constants.'),
      reason,
    }),
    answer: jobDetail,
    run: ({ control, route, asked, body: { reason: _, ...options } }) =>
      control.addJob(route, { kind: 'load', options }, asked),
  }),
  operation({
    id: 'resumeJob',
    method: 'POST',
    path: '/v1/routes/{route}/jobs/{id}/resume',
    role: 'operator',
    summary: 'Let the job go on that rests or has failed, from where it was',
    body: z.strictObject({
      maxLoad: share
        .optional()
        .describe('Of a compare or repair, also one under way: from here on this share of the time; null: all of it.'),
      reason,
    }),
    answer: jobDetail,
    run: ({ control, route, id, asked, body: { maxLoad } }) =>
      control.askJob(
        { route, number: numberOf(id) },
        { wish: 'run', ...(maxLoad !== undefined && { maxLoad }) },
        asked,
      ),
  }),
  ...asks.map(({ verb, wish, summary }) =>
    operation({
      id: `${verb}Job`,
      method: 'POST',
      path: `/v1/routes/{route}/jobs/{id}/${verb}`,
      role: 'operator',
      summary,
      body: z.strictObject({ reason }),
      answer: jobDetail,
      run: ({ control, route, id, asked }) => control.askJob({ route, number: numberOf(id) }, { wish }, asked),
    }),
  ),
];

/** What is no number names no job. */
function numberOf(id: string): number {
  return /^\d{1,15}$/.test(id) ? Number(id) : -1;
}
