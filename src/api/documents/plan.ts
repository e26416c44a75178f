import { z } from 'zod';
import type { AppliedDocument } from '../../control/apply-plan.ts';
import type { SharedCheck } from '../../control/check-shared.ts';
import type { PlanDocument } from '../../control/plan-routes.ts';
import { count, finding, nodePlace, reason, version } from './common.ts';

const step = { source: z.string(), target: z.string() };
const replaced = z.array(z.string()).describe('Target tables whose rows are deleted before the load.');
const changed = z.array(z.enum(['where', 'key', 'columns', 'transforms', 'owns']));

const tableStep = z.discriminatedUnion('action', [
  z.object({ ...step, action: z.literal('add'), loads: z.boolean(), replaced }),
  z.object({ ...step, action: z.literal('drop') }),
  z.object({ ...step, action: z.literal('move'), before: z.string(), replaced }),
  z.object({ ...step, action: z.literal('reload'), changed, replaced }),
  z.object({ ...step, action: z.literal('remap'), before: z.string(), changed }),
]);

export const planDocument: z.ZodType<PlanDocument> = z
  .object({
    version,
    fingerprint: z.string().describe('What `apply` wants where somebody has to agree.'),
    changes: z.boolean(),
    routes: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['new', 'unknown', 'unchanged', 'changed', 'unread']),
        applied: z.string().nullable(),
        configured: z.string(),
        pending: z.boolean(),
        needsConsent: z.boolean(),
        tables: z.array(tableStep),
        settings: z.array(
          z.object({
            name: z.string(),
            before: z.unknown().describe('Durations in milliseconds, sizes in bytes; null: not set.'),
            after: z.unknown(),
            text: z.string().describe('All of it in words, with units.'),
          }),
        ),
        refused: z.array(z.enum(['source', 'slot', 'publication'])),
        replacedRows: z.array(z.object({ table: z.string(), rows: count, more: z.boolean() })),
        problems: z.array(finding),
        target: nodePlace,
      }),
    ),
  })
  .meta({ id: 'Plan' });

export const appliedDocument: z.ZodType<AppliedDocument> = z
  .object({
    version,
    routes: z.array(
      z.object({
        name: z.string(),
        outcome: z.enum(['unchanged', 'applied', 'asked', 'failed', 'new']),
        reason: reason.nullable(),
        to: z.string().exactOptional().describe('What was asked for: wanted to go on waiting.'),
      }),
    ),
  })
  .meta({ id: 'Applied' });

export const sharedCheck: z.ZodType<SharedCheck> = z
  .object({
    nodes: z.array(z.object({ name: z.string(), ok: z.boolean(), findings: z.array(finding), place: nodePlace })),
    service: z.object({ ok: z.boolean(), findings: z.array(finding.omit({ node: true })) }),
  })
  .meta({ id: 'SharedCheck' });
