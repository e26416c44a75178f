import { z } from 'zod';
import type { StatusDocument } from '../../control/read-status.ts';
import type { RouteView } from '../../control/route-view.ts';
import { roles } from '../role.ts';
import { count, health, reason, routeState, time, version, wantedState } from './common.ts';

const side = z.object({ node: z.string(), position: z.string().nullable() });

const tableProgress = z.object({
  table: z.string(),
  rows: count.describe('Read of the source; `loadedRows` are those that came of them to the target.'),
  bytes: count.describe('Read of the source.'),
  expectedRows: count.describe('What the source thinks that there is, without counting.'),
  expectedBytes: count,
  rowsPerSecond: z.number().nullable(),
  leftMs: z.number().nullable(),
  rests: z
    .literal(true)
    .optional()
    .describe('Its job was paused or cancelled, or has failed: rows are missing until somebody goes on.'),
  emptying: z.literal(true).optional().describe('Rows of the target that the load replaces still go.'),
  keyless: z.literal(true).optional().describe('Nothing but all of their values tells its rows apart.'),
  unfollowed: z
    .literal(true)
    .optional()
    .describe(
      'No change of it is applied until it is loaded anew, which empties the table of the target: by itself once the loads of other tables without a key have ended, or, where `rests`, when somebody goes on.',
    ),
});

const loadProgress = z.object({
  tablesDone: count,
  tables: count,
  rows: count.describe('Read of the source by a load beside the stream; written to the target by one in one piece.'),
  bytes: count.optional().describe('Of a load beside the stream, as are those below: bytes read of the source.'),
  rowsPerSecond: z.number().nullable().optional().describe('In all. Null where it can not be told, as below.'),
  leftMs: z.number().nullable().optional(),
  waits: z
    .enum(['lag', 'rate', 'share'])
    .optional()
    .describe('Why nothing is read now: changes are late at the target, or a limit of load.limits is reached.'),
  loading: z.array(tableProgress).optional().describe('The tables that are not done.'),
});

export const routeView: z.ZodType<RouteView> = z
  .object({
    name: z.string(),
    state: routeState,
    desiredState: z.union([wantedState, z.literal('unknown')]),
    askedBy: z.string().nullable().describe('Who has asked for it; null where nobody has.'),
    askedReason: z.string().nullable(),
    pausedUntil: time.nullable().describe('When the pause ends by itself.'),
    reason: reason.nullable(),
    health,
    engine: z
      .object({ host: z.string(), pid: count })
      .nullable()
      .describe('The engine that has the route now; null where none has, or that can not be asked.'),
    since: time.nullable().describe('Since when the state is what it is.'),
    healthSince: time.nullable(),
    concerns: z
      .array(reason.and(z.object({ level: z.enum(['warning', 'critical']), since: time })))
      .describe('Why the health is not ok besides the state, worst first.'),
    source: side,
    target: side,
    lagMs: z.number().nullable(),
    transactions: count,
    rows: count,
    collisions: count,
    parked: count.describe('Transactions that are set aside.'),
    parkedSince: z.string().nullable().describe('Since this position the target is not what the source was.'),
    load: loadProgress.nullable(),
    loadedRows: count.describe('Rows that loads have written to the target; `rows` are those of the stream.'),
    restarts: count,
    restarted: z
      .object({
        at: time,
        reason,
        recent: count
          .optional()
          .describe('So many workers have ended for a reason within a quarter of an hour, that one too.'),
      })
      .nullable()
      .describe('Why the worker before this one ended; null where it was told to, or was the first.'),
    ignored: z.array(z.string()).describe('Columns that are left out, as schema.table.column.'),
    compared: z
      .object({
        at: time.describe('When the last compare ended.'),
        oldest: time.describe('When that of the table ended that was compared longest ago.'),
        job: z.string().nullable().describe('The last one that has found a difference which is still there.'),
        tables: count,
        rows: count,
        missing: count,
        extra: count,
        different: count,
        undecided: count,
        unverified: count.describe('Tables that could not be compared.'),
      })
      .nullable()
      .describe('What the last compare or repair of all rows of each table has found; null before the first.'),
  })
  .meta({ id: 'Route' });

export const statusDocument: z.ZodType<StatusDocument> = z
  .object({ version, routes: z.array(routeView) })
  .meta({ id: 'Status' });

export const serviceDocument = z
  .object({
    version: z.string().describe('Of Tidelock.'),
    name: z.string().describe('The deployment.'),
    host: z.string(),
    pid: count,
    startedAt: time,
    state: z.enum(['starting', 'leading', 'standby', 'draining']),
    nodes: z.array(z.object({ name: z.string(), type: z.string(), hosts: z.array(z.string()), database: z.string() })),
    routes: z.array(z.string()),
    role: z.enum(roles).describe('Of the token that asks.'),
  })
  .meta({ id: 'Service' });

const sample = z.object({
  at: time,
  lagMs: z.number().nullable(),
  rows: count,
  transactions: count,
  retainedBytes: z.number().nullable(),
});

export const metricsDocument = z
  .object({
    at: time,
    lagMs: z.number().nullable(),
    retainedBytes: z.number().nullable(),
    transactions: count.describe('Since this service was started, as all counts here.'),
    rows: count,
    rates: z
      .object({ rowsPerSecond: z.number(), transactionsPerSecond: z.number() })
      .nullable()
      .describe('Of the last minute.'),
    perTable: z.array(
      z.object({
        table: z.string(),
        inserts: count,
        updates: count,
        deletes: count,
        truncates: count,
        loaded: count,
        rows: count,
      }),
    ),
    history: z.array(sample).describe('The last hour, a sample every five seconds, the oldest first.'),
  })
  .meta({ id: 'Metrics' });
