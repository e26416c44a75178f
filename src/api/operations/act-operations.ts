import { z } from 'zod';
import { serviceErrors } from '../../core/errors/catalogue/service.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { parkedRequest } from '../documents/parked.ts';
import { appliedDocument } from '../documents/plan.ts';
import {
  adoptedPosition,
  appliedSchema,
  droppedLeftovers,
  droppedRoute,
  lifecycleDocument,
  preparedDocument,
  renamedRoute,
  sequencesDocument,
  skippedTransaction,
  waitDocument,
} from '../documents/route.ts';
import { type Operation, operation } from '../operation.ts';

const why = z.string().trim().min(1).max(1000);
const reason = why.optional().describe('Why, for status and the journal.');
const onlyReason = z.strictObject({ reason });
const timeoutMs = z
  .number()
  .int()
  .min(0)
  .max(60_000)
  .default(30_000)
  .describe('How long the answer may take; ask again to go on waiting.');
const ids = z
  .union([
    z
      .array(z.union([z.string().regex(/^\d{1,15}$/), z.number().int().min(0)]))
      .min(1)
      .max(10_000),
    z.literal('all'),
  ])
  .optional()
  .describe('Their numbers, or "all".');
const all = z.literal(true).optional().describe('The same as ids: "all".');

const parkedBody = { ids, all, reason, timeoutMs, request: z.number().int().min(0).optional() };
type ChosenIds = z.output<typeof ids>;

/** What operators do. */
export const actOperations: readonly Operation[] = [
  operation({
    id: 'startRoute',
    method: 'POST',
    path: '/v1/routes/{route}/start',
    role: 'operator',
    summary: 'Let the route run that was stopped or has halted',
    body: z.strictObject({
      reason,
      takeover: z
        .boolean()
        .default(false)
        .describe('Take the route from the engine that has it, at once, for one that stands by.'),
      acceptSchemaChange: z
        .boolean()
        .default(false)
        .describe('The changed table definitions are the same at the target now.'),
    }),
    answer: lifecycleDocument,
    run: ({ control, route, asked, signal, body: { takeover, acceptSchemaChange } }) =>
      control.start(route, { takeover, acceptSchemaChange }, asked, signal),
  }),
  operation({
    id: 'stopRoute',
    method: 'POST',
    path: '/v1/routes/{route}/stop',
    role: 'operator',
    summary: 'Stop the route until it is started again',
    body: onlyReason,
    answer: lifecycleDocument,
    run: ({ control, route, asked }) => control.stop(route, asked),
  }),
  operation({
    id: 'pauseRoute',
    method: 'POST',
    path: '/v1/routes/{route}/pause',
    role: 'operator',
    summary: 'Stop the route for a while, with alerts silent; one that is stopped stays so',
    body: z.strictObject({
      reason,
      forMs: z
        .number()
        .int()
        .min(1)
        .max(366 * 86_400_000)
        .nullable()
        .default(null)
        .describe('It goes on by itself after so long.'),
    }),
    answer: lifecycleDocument,
    run: ({ control, route, asked, body: { forMs } }) => control.pause(route, { forMs }, asked),
  }),
  operation({
    id: 'resumeRoute',
    method: 'POST',
    path: '/v1/routes/{route}/resume',
    role: 'operator',
    summary: 'Let the route go on that is paused; another is left as it is',
    body: onlyReason,
    answer: lifecycleDocument,
    run: ({ control, route, asked }) => control.resume(route, asked),
  }),
  operation({
    id: 'restartRoute',
    method: 'POST',
    path: '/v1/routes/{route}/restart',
    role: 'operator',
    summary: "End the route's worker in order and start another",
    body: onlyReason,
    answer: lifecycleDocument,
    run: ({ control, route, asked }) => control.restart(route, asked),
  }),
  operation({
    id: 'waitForRoute',
    method: 'POST',
    path: '/v1/routes/{route}/wait',
    role: 'operator',
    summary: 'Answer when everything committed at the source before the call is at the target',
    body: z.strictObject({
      timeoutMs,
      mark: z.string().max(1000).optional().describe('Of an earlier answer, to go on waiting for the same.'),
    }),
    answer: waitDocument,
    run: ({ control, route, signal, body: { timeoutMs, mark } }) =>
      control.wait(route, { timeoutMs, ...(mark !== undefined && { mark }) }, signal),
  }),
  operation({
    id: 'skipTransaction',
    method: 'POST',
    path: '/v1/routes/{route}/skip',
    role: 'operator',
    summary: 'Set the transaction aside that the route has halted at, and go on',
    body: z.strictObject({ transaction: z.string().min(1).max(100), reason: why.describe('Why, for the journal.') }),
    answer: skippedTransaction,
    run: ({ control, route, asked, body: { transaction } }) => control.skip(route, transaction, asked),
  }),
  operation({
    id: 'applySchema',
    method: 'POST',
    path: '/v1/routes/{route}/schema',
    role: 'admin',
    summary: "Make at the target what it lacks of the source's schema",
    description: 'It goes on when nobody waits: ask again until `done`. What was refused is told to whoever asks next.',
    body: z.strictObject({
      half: z
        .enum(['before', 'after', 'all'])
        .nullable()
        .default(null)
        .describe('Null: before, and after, too, where the tables are loaded.'),
      forMs: z.number().int().min(0).max(60_000).default(25_000),
      reason,
    }),
    answer: appliedSchema,
    run: ({ control, route, asked, signal, body: { half, forMs } }) =>
      control.applySchema(route, { half, forMs }, asked, signal),
  }),
  operation({
    id: 'carrySequences',
    method: 'POST',
    path: '/v1/routes/{route}/sequences',
    role: 'operator',
    summary: "Carry the values of the source's sequences over now",
    body: onlyReason,
    answer: sequencesDocument,
    run: ({ control, route, asked }) => control.sequences(route, asked),
  }),
  operation({
    id: 'retryParked',
    method: 'POST',
    path: '/v1/routes/{route}/parked/retry',
    role: 'operator',
    summary: 'Apply what is parked, in source order',
    body: z.strictObject({
      ...parkedBody,
      withEarlier: z.boolean().default(false).describe('Also those that they wait for.'),
    }),
    answer: parkedRequest,
    run: ({ control, route, asked, signal, body: { withEarlier, ...body } }) =>
      control.askParked(route, { action: 'retry', withEarlier, ...parkedAsked(body) }, asked, signal),
  }),
  operation({
    id: 'discardParked',
    method: 'POST',
    path: '/v1/routes/{route}/parked/discard',
    role: 'operator',
    summary: 'Give parked transactions up for good; the target stays without them',
    body: z.strictObject({
      ...parkedBody,
      reason: why.optional().describe('Why, for the journal. Wanted where something is asked for.'),
    }),
    answer: parkedRequest,
    run: ({ control, route, asked, signal, body }) => {
      if (asked.reason === null && body.request === undefined)
        throw fail(serviceErrors.invalidRequest, { why: 'reason: wanted for what is given up for good' });
      return control.askParked(route, { action: 'discard', withEarlier: false, ...parkedAsked(body) }, asked, signal);
    },
  }),
  operation({
    id: 'prepareRoute',
    method: 'POST',
    path: '/v1/routes/{route}/prepare',
    role: 'admin',
    summary: "Make the route's queue for a copy by other means, and tell where the copy has to stand",
    description:
      'Waits for the transactions that are open at the source; given up in between it is begun anew by the next call. The source keeps its log from then on.',
    body: z.strictObject({
      copiedAt: z
        .string()
        .min(1)
        .max(1000)
        .nullable()
        .default(null)
        .describe('The copy that was made since has everything up to this position.'),
      reason,
    }),
    answer: preparedDocument,
    run: ({ control, route, asked, signal, body: { copiedAt } }) => control.prepare(route, { copiedAt }, asked, signal),
  }),
  operation({
    id: 'adoptPosition',
    method: 'POST',
    path: '/v1/routes/{route}/position',
    role: 'admin',
    summary: 'Accept where the route goes on',
    description:
      'What the source committed between the checkpoint and the position is left out, or applied a second time. With dryRun it only tells what would be.',
    body: z.strictObject({
      adopt: z
        .union([z.string().min(1).max(1000), z.literal(true)])
        .describe("A position, or true for the queue's own."),
      dryRun: z.boolean().default(false),
      reason,
    }),
    answer: adoptedPosition,
    run: ({ control, route, asked, body: { adopt, dryRun } }) =>
      control.adopt(route, { position: adopt, dryRun }, asked),
  }),
  operation({
    id: 'dropRoute',
    method: 'DELETE',
    path: '/v1/routes/{route}',
    role: 'admin',
    summary: "Remove the route's slot, publication and stored state; rows stay as they are",
    description: 'With dryRun it only tells what would be removed.',
    body: z.strictObject({
      confirm: z.string().max(100).optional().describe("The route's name, typed once more. Not for a dry run."),
      dryRun: z.boolean().default(false),
      reason,
    }),
    answer: droppedRoute,
    run: ({ control, route, asked, body: { confirm, dryRun } }) => {
      if (!dryRun && confirm !== route)
        throw fail(serviceErrors.invalidRequest, { why: 'confirm: wants the name of the route' });
      return control.drop(route, { dryRun }, asked);
    },
  }),
  operation({
    id: 'dropOrphans',
    method: 'DELETE',
    path: '/v1/orphans',
    role: 'admin',
    summary: 'Remove what bears the name of the deployment and no route of the configuration names',
    description: 'What somebody uses stays. With dryRun it only tells what would be removed.',
    body: z.strictObject({
      confirm: z.string().max(100).optional().describe('The word orphans. Not for a dry run.'),
      dryRun: z.boolean().default(false),
      reason,
    }),
    answer: droppedLeftovers,
    run: ({ control, asked, body: { confirm, dryRun } }) => {
      if (!dryRun && confirm !== 'orphans')
        throw fail(serviceErrors.invalidRequest, { why: 'confirm: wants the word orphans' });
      return control.dropOrphans({ dryRun }, asked);
    },
  }),
  operation({
    id: 'dropUnreachable',
    method: 'DELETE',
    path: '/v1/nodes/{id}',
    role: 'admin',
    summary: 'Forget a node that is gone for good: remove what its routes have at their other side',
    description: 'A node that answers is refused. With dryRun it only tells what would be removed.',
    body: z.strictObject({
      confirm: z.string().max(100).optional().describe("The node's name, typed once more. Not for a dry run."),
      dryRun: z.boolean().default(false),
      reason,
    }),
    answer: droppedLeftovers,
    run: ({ control, id, asked, body: { confirm, dryRun } }) => {
      if (!dryRun && confirm !== id)
        throw fail(serviceErrors.invalidRequest, { why: 'confirm: wants the name of the node' });
      return control.dropUnreachable(id, { dryRun }, asked);
    },
  }),
  operation({
    id: 'renameRoute',
    method: 'POST',
    path: '/v1/routes/{route}/rename',
    role: 'admin',
    summary: 'Give the route another name; it keeps its position',
    description:
      'The route has to run, and to be named so in the configuration next. Interrupted it can be asked for again.',
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
        .max(30),
      timeoutMs,
      reason,
    }),
    answer: renamedRoute,
    run: ({ control, route, asked, signal, body: { name, timeoutMs: ms } }) =>
      control.rename(route, { name, timeoutMs: ms }, asked, signal),
  }),
  operation({
    id: 'applyPlan',
    method: 'POST',
    path: '/v1/apply',
    role: 'admin',
    summary: 'Do what the plan says, all of it or nothing',
    body: z.strictObject({
      fingerprint: z
        .string()
        .max(200)
        .nullable()
        .default(null)
        .describe('Of the plan that was seen and agreed to; null does only what needs no agreement.'),
      routes: z.array(z.string().max(100)).min(1).max(10_000).optional().describe('All where left out.'),
      keepRows: z.array(z.string().max(300)).max(10_000).default([]).describe('Tables whose rows stay as they are.'),
      timeoutMs,
      waitFor: z
        .array(z.strictObject({ name: z.string().max(100), to: z.string().max(200) }))
        .min(1)
        .max(10_000)
        .optional()
        .describe('`name` and `to` of an earlier answer, to go on waiting: nothing is asked for again.'),
      reason,
    }),
    answer: appliedDocument,
    run: ({ control, asked, signal, body: { fingerprint, routes, keepRows, timeoutMs: ms, waitFor } }) =>
      control.apply(
        { fingerprint, keepRows, timeoutMs: ms, ...(routes && { routes }), ...(waitFor && { waitFor }) },
        asked,
        signal,
      ),
  }),
];

function parkedAsked({
  ids: named,
  all: everything,
  timeoutMs: ms,
  request,
}: {
  readonly ids?: ChosenIds;
  readonly all?: true | undefined;
  readonly timeoutMs: number;
  readonly request?: number | undefined;
}) {
  if (request !== undefined) return { ids: [], timeoutMs: ms, request };
  if ((named === undefined) === (everything === undefined))
    throw fail(serviceErrors.invalidRequest, { why: 'give ids or all, one of the two' });
  return { ids: named === undefined || named === 'all' ? ('all' as const) : named.map(String), timeoutMs: ms };
}
