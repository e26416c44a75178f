import { z } from 'zod';
import type { ParkedRequestDocument } from '../../control/parked/ask-parked.ts';
import type { ParkedListDocument } from '../../control/parked/list-parked.ts';
import type { ParkedDocument } from '../../control/parked/show-parked.ts';
import { count, nodePlace, position, time, version } from './common.ts';

const parkedFields = {
  id: count.describe('Grows in source order.'),
  transaction: z.string(),
  position,
  committedAt: time,
  parkedAt: time,
  cause: z.enum(['error', 'collision', 'behind', 'skip']),
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  reason: z.string().nullable(),
  askedBy: z.string().nullable(),
  behind: count.nullable().describe('The earliest that it waits for.'),
  rows: count,
  bytes: count,
  tables: z.array(z.object({ table: z.string(), inserts: count, updates: count, deletes: count, truncates: count })),
  attempts: count,
};

export const parkedList: z.ZodType<ParkedListDocument> = z
  .object({
    version,
    route: z.string(),
    target: nodePlace,
    parked: z.array(z.object(parkedFields).meta({ id: 'ParkedTransaction' })),
  })
  .meta({ id: 'Parked' });

const cell = z.union([
  z.string(),
  z.null(),
  z.object({ unchanged: z.literal(true) }),
  z.object({ absent: z.literal(true) }),
  z.object({ base64: z.string() }),
]);
const image = z.record(z.string(), cell).exactOptional();

export const parkedDocument: z.ZodType<ParkedDocument> = z
  .object({
    version,
    route: z.string(),
    ...parkedFields,
    keys: z.array(z.object({ resource: z.string(), exclusive: z.boolean(), digest: z.string().nullable() })),
    changes: z.array(
      z.object({
        change: z.string(),
        tables: z.array(z.string()),
        keys: z.array(z.string()).describe("Digests of the row's key."),
        before: image.describe('Only with values=true.'),
        after: image.describe('Only with values=true.'),
      }),
    ),
  })
  .meta({ id: 'ParkedDetail' });

export const parkedRequest: z.ZodType<ParkedRequestDocument> = z
  .object({
    version,
    route: z.string(),
    request: count.nullable().describe('To go on waiting for it.'),
    done: z.boolean().describe('False where it was not carried out in time: it is stored and will be.'),
    applied: z.array(count),
    failed: z.array(z.object({ id: count, code: z.string(), message: z.string() })),
    waiting: z.array(count),
    discarded: z.array(count),
  })
  .meta({ id: 'ParkedRequest' });
