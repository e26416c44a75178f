import { z } from 'zod';
import type { AdoptedPosition, PositionDocument } from '../../control/adopt-position.ts';
import type { CheckedRoute } from '../../control/check-route.ts';
import type { DroppedLeftovers } from '../../control/drop-left.ts';
import type { DroppedRoute } from '../../control/drop-route.ts';
import type { LifecycleDocument } from '../../control/lifecycle.ts';
import type { PreparedDocument } from '../../control/prepare-route.ts';
import type { JournalDocument } from '../../control/read-journal.ts';
import type { TablesDocument } from '../../control/read-tables.ts';
import type { RenamedRoute } from '../../control/rename-route.ts';
import type { AppliedSchema, SchemaDocument } from '../../control/route-schema.ts';
import type { SequencesDocument } from '../../control/sequences-now.ts';
import type { SkippedTransaction } from '../../control/skip-transaction.ts';
import type { WaitDocument } from '../../control/wait-for-route.ts';
import { count, finding, nodePlace, reason, routeState, time, version, wantedState } from './common.ts';

const queueState = z.enum(['missing', 'idle', 'active', 'lost']);

export const tablesDocument: z.ZodType<TablesDocument> = z
  .object({
    version,
    route: z.string(),
    tables: z.array(
      z.object({
        source: z.string(),
        target: z.string(),
        loadedTo: z.string().nullable(),
        ignored: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'Tables' });

export const checkedRoute: z.ZodType<CheckedRoute> = z
  .object({
    name: z.string(),
    ok: z.boolean().describe('Nothing keeps the route from running.'),
    findings: z.array(finding),
    source: nodePlace,
    target: nodePlace,
  })
  .meta({ id: 'Check' });

export const positionDocument: z.ZodType<PositionDocument> = z
  .object({
    version,
    route: z.string(),
    sourceNode: z.string(),
    targetNode: z.string(),
    phase: z.enum(['creating', 'ready']).nullable(),
    checkpoint: z.string().nullable(),
    source: z.string().describe("The end of the source's log."),
    queue: z.object({ state: queueState, position: z.string().nullable(), retainedBytes: z.number().nullable() }),
  })
  .meta({ id: 'Position' });

export const journalDocument: z.ZodType<JournalDocument> = z
  .object({
    version,
    journal: z.array(
      z.object({
        id: count.describe('Unique within the target.'),
        route: z.string(),
        at: time,
        action: z.string(),
        by: z.string(),
        via: z.enum(['cli', 'api', 'signal']),
        reason: z.string().nullable(),
        details: z.record(z.string(), z.unknown()),
        result: z.enum(['begun', 'done', 'refused', 'failed']),
        code: z.string().nullable(),
        message: z.string().nullable(),
      }),
    ),
    before: z.string().nullable().describe('To ask for what was done before; null where there is nothing more.'),
    missing: z.array(z.object({ node: z.string(), reason })).describe('Targets that could not be asked.'),
  })
  .meta({ id: 'Journal' });

export const lifecycleDocument: z.ZodType<LifecycleDocument> = z
  .object({
    name: z.string(),
    desiredState: wantedState,
    request: count,
    changed: z.boolean().describe('False where the route was left as it was.'),
    engine: z.boolean().describe('An engine has the route and does what was asked.'),
    rested: z.boolean().describe('It had halted or was stopped before.'),
    unapplied: z
      .boolean()
      .describe('It is to run, and what is configured is neither what it was applied with last nor asked for yet.'),
    pausedUntil: time.nullable(),
    holder: z
      .object({ host: z.string(), pid: count })
      .nullable()
      .exactOptional()
      .describe('After a takeover: who has the route; null where nobody has taken it in time.'),
    retention: z
      .object({
        retainedBytes: z.number().nullable(),
        lost: z.literal(true).exactOptional(),
        warnBytes: z.number(),
        criticalBytes: z.number(),
      })
      .nullable()
      .exactOptional()
      .describe('What the source keeps for a route that rests.'),
  })
  .meta({ id: 'Request' });

export const waitDocument: z.ZodType<WaitDocument> = z
  .object({
    version,
    route: z.string(),
    caughtUp: z.boolean().describe('Everything up to `mark` is at the target, and nothing is parked.'),
    passed: z.boolean().describe('The checkpoint covers `mark`.'),
    mark: z.string(),
    position: z.string().nullable(),
    parked: count,
    waitedMs: z.number(),
    state: routeState.exactOptional(),
    reason: reason.nullable().exactOptional(),
  })
  .meta({ id: 'Wait' });

export const preparedDocument: z.ZodType<PreparedDocument> = z
  .object({
    version,
    route: z.string(),
    source: nodePlace,
    position: z.string().describe('What is committed behind it is kept for the route.'),
    copiedAt: z.string().nullable().describe('Where the route will begin, if that was told and is another position.'),
    snapshot: z.string().nullable().describe('Null here: only the command keeps one (--hold).'),
    loads: z
      .boolean()
      .describe('The route is configured to load its tables itself: load.mode has to be none before it is started.'),
  })
  .meta({ id: 'Prepared' });

export const skippedTransaction: z.ZodType<SkippedTransaction> = z
  .object({
    version,
    route: z.string(),
    transaction: z.string(),
    position: z.string().nullable(),
    desiredState: wantedState,
  })
  .meta({ id: 'Skipped' });

const statementShape = {
  half: z.enum(['before', 'after']).describe('Before the rows are copied, or after.'),
  what: z.string(),
  text: z.string().describe('SQL, without a semicolon.'),
};

const schemaStatement = z.object(statementShape);

const schemaShape = {
  version,
  route: z.string(),
  target: nodePlace,
  statements: z.array(schemaStatement).describe('What the target lacks, in the order in which it is made.'),
  findings: z.array(finding).describe('What is there and is not as at the source.'),
  left: z
    .array(
      z.object({
        kind: z.string(),
        name: z.string(),
        isNeeded: z.boolean().describe('A statement uses it.'),
        text: z.string().nullable().describe('As the source writes it, to port by hand.'),
        why: z.string().exactOptional(),
      }),
    )
    .describe('What is not made at the target.'),
};

export const schemaDocument: z.ZodType<SchemaDocument> = z.object(schemaShape).meta({ id: 'Schema' });

export const appliedSchema: z.ZodType<AppliedSchema> = z
  .object({
    ...schemaShape,
    applied: z.array(schemaStatement).describe('What was begun so far, the last of it perhaps still under way.'),
    refused: z
      .array(z.object({ ...statementShape, code: z.string(), message: z.string(), remedy: z.string() }))
      .describe('What the server has refused, when all is done; what does not need it was carried out all the same.'),
    done: z.boolean().describe('All that was asked for is carried out, or refused.'),
  })
  .meta({ id: 'AppliedSchema' });

export const sequencesDocument: z.ZodType<SequencesDocument> = z
  .object({
    version,
    route: z.string(),
    target: nodePlace,
    sequences: z.array(
      z.object({
        source: z.string(),
        column: z.string().nullable().describe('Null for one that the route names itself.'),
        target: z.string().nullable(),
        outcome: z.enum(['carried', 'same', 'ahead', 'missing', 'outOfRange', 'notCarried', 'refused']),
        sourceValue: z.string(),
        targetValue: z.string().nullable(),
        value: z.string().nullable(),
        reason: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'Sequences' });

export const adoptedPosition: z.ZodType<AdoptedPosition> = z
  .object({
    version,
    route: z.string(),
    position: z.string(),
    before: z.string().nullable(),
    target: nodePlace,
    adopted: z.boolean().describe('False for a dry run.'),
  })
  .meta({ id: 'Adopted' });

export const droppedLeftovers: z.ZodType<DroppedLeftovers> = z
  .object({
    version,
    leftovers: z.array(
      z.object({
        name: z.string(),
        node: z.string(),
        hosts: z.array(z.string()),
        database: z.string(),
        parts: z.array(z.enum(['slot', 'publication', 'capture', 'state'])),
        retainedBytes: z.number(),
        usedBy: z.string().nullable().describe('Who is at work with it: then it stays.'),
        dropped: z.boolean(),
        statements: z.array(z.string()).describe('For an administrator: what was not, or could not be, removed.'),
        waitsFor: z
          .array(z.string())
          .exactOptional()
          .describe('Nodes that did not answer and may have its state: then it stays.'),
      }),
    ),
    failed: z
      .array(
        z.object({
          node: z.string().nullable().describe('The node that could not be asked.'),
          route: z.string().nullable().describe('The route that could not be dropped.'),
          error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }),
        }),
      )
      .exactOptional()
      .describe('What could not be done. All else was.'),
    journalled: z
      .boolean()
      .exactOptional()
      .describe('Of a node that was forgotten: false where no other target answers whose journal could have it.'),
  })
  .meta({ id: 'Leftovers' });

export const renamedRoute: z.ZodType<RenamedRoute> = z
  .object({
    version,
    route: z.string(),
    name: z.string(),
    renamed: z.literal(true),
    configured: z.boolean().describe('The configuration names it like that already.'),
  })
  .meta({ id: 'Renamed' });

export const droppedRoute: z.ZodType<DroppedRoute> = z
  .object({
    version,
    route: z.string(),
    dropped: z.boolean().describe('False for a dry run.'),
    source: nodePlace,
    target: nodePlace,
    queue: z.object({
      name: z.string(),
      parts: z
        .array(z.enum(['slot', 'publication', 'capture', 'state']))
        .describe('What goes; empty where the source keeps nothing for one route alone.'),
      given: z.boolean().describe('The slot was given to the route, and stays.'),
      state: queueState,
      retainedBytes: z.number().nullable(),
    }),
    tables: count,
    targetTables: z.array(z.string()),
    parked: count.describe('Parked transactions, which are lost with it.'),
    left: z.array(z.string()).describe('Statements for what the user of the source may not drop.'),
  })
  .meta({ id: 'Dropped' });
