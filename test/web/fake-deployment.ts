import type { RouteView } from '../../src/control/route-view.ts';

/** A deployment that is made up: nodes, routes in all kinds of states, what is parked and what was asked for. */
export interface FakeDeployment {
  readonly nodes: readonly { name: string; type: string; hosts: string[]; database: string }[];
  routes: RouteView[];
  readonly parked: Map<string, FakeParked[]>;
  readonly journal: FakeEntry[];
}

export interface FakeEntry {
  readonly id: number;
  readonly at: string;
  readonly route: string;
  readonly action: string;
  readonly by: string;
  readonly via: string;
  readonly reason: string | null;
  readonly details: Record<string, unknown>;
  readonly result: string;
  readonly code: string | null;
  readonly message: string | null;
}

export type FakeParked = ReturnType<typeof parkedTransaction>;

const hour = 3_600_000;

export function fakeDeployment(now = Date.now()): FakeDeployment {
  const node = (name: string, type: string, host: string, database: string) => ({
    name,
    type,
    hosts: [host],
    database,
  });
  return {
    nodes: [
      {
        ...node('sales', 'postgres', 'pg-sales-1.internal:5432', 'shop'),
        hosts: ['pg-sales-1.internal:5432', 'pg-sales-2.internal:5432'],
      },
      node('stock', 'postgres', 'pg-stock-1.internal:5432', 'stock'),
      node('reporting', 'postgres', 'pg-dwh-1.internal:5432', 'dwh'),
      node('search', 'postgres', 'pg-search-1.internal:5432', 'search'),
      node('archive', 'postgres', 'pg-archive-1.internal:5432', 'archive'),
    ],
    routes: [
      route('sales-to-reporting', 'sales', 'reporting', { lagMs: 84, rows: 48_211_907, transactions: 9_120_441 }),
      route('sales-to-search', 'sales', 'search', {
        lagMs: 212,
        rows: 30_118_220,
        loadedRows: 1_204_331,
        transactions: 9_119_876,
        restarts: 1,
        since: new Date(now - 0.2 * hour).toISOString(),
        healthSince: new Date(now - 0.2 * hour).toISOString(),
        restarted: {
          at: new Date(now - 0.2 * hour).toISOString(),
          reason: { code: 'TL-4130', message: 'route sales-to-search: its worker has used more than 512 MB' },
        },
      }),
      route('stock-to-reporting', 'stock', 'reporting', {
        health: 'warning',
        since: new Date(now - 74 * hour).toISOString(),
        healthSince: new Date(now - 3 * hour).toISOString(),
        concerns: [
          {
            level: 'warning',
            code: 'TL-4119',
            message: 'route stock-to-reporting: stock keeps 6.1 GB of its log for it, a warning comes at 5 GB',
            remedy: 'Let it run, or drop it: the disk of the source fills.',
            since: new Date(now - 0.6 * hour).toISOString(),
          },
        ],
        lagMs: 430,
        rows: 8_204_113,
        transactions: 1_233_004,
        parked: 3,
        parkedSince: '7/41A8C0D8',
        reason: {
          code: 'TL-4113',
          message:
            'route stock-to-reporting: 3 transactions are parked, the target is not what the source was since 7/41A8C0D8',
          remedy: 'Look at them with "tidelock parked list stock-to-reporting", mend what they met, and retry them.',
        },
      }),
      route('sales-to-archive', 'sales', 'archive', {
        state: 'failed',
        health: 'critical',
        lagMs: null,
        rows: 112_004_312,
        transactions: 8_730_001,
        restarts: 2,
        reason: {
          code: 'TL-2104',
          message:
            'route sales-to-archive halted: column public.orders.total is numeric(20,6) and the target’s is numeric(10,2): the value at 9/1A2B3C8 doesn’t fit',
          remedy: 'Widen the target column, or allow rounding for it by name (docs/types.md).',
          transaction: { id: '8812403', position: '9/1A2B3C8' },
        },
      }),
      route('stock-to-search', 'stock', 'search', {
        state: 'paused',
        desiredState: 'paused',
        lagMs: null,
        rows: 1_020_334,
        transactions: 220_871,
        reason: {
          code: 'TL-4102',
          message: 'route stock-to-search was paused on request',
          remedy: 'Resume it with "tidelock resume stock-to-search".',
        },
      }),
      route('archive-backfill', 'reporting', 'archive', {
        state: 'loading',
        lagMs: null,
        rows: 2_400_112,
        transactions: 0,
        load: {
          tablesDone: 11,
          tables: 26,
          rows: 2_400_112,
          bytes: 311_000_000,
          leftMs: 95_000,
          waits: 'rate',
          loading: [
            {
              table: 'public.orders',
              rows: 1_200_000,
              bytes: 160_000_000,
              expectedRows: 4_000_000,
              expectedBytes: 530_000_000,
              rowsPerSecond: 30_000,
              leftMs: 93_000,
            },
            {
              table: 'public.notes',
              rows: 12,
              bytes: 4_000,
              expectedRows: 0,
              expectedBytes: 0,
              rowsPerSecond: null,
              leftMs: null,
              rests: true,
            },
          ],
        },
      }),
    ],
    parked: new Map([
      [
        'stock-to-reporting',
        [
          parkedTransaction(1, now, {
            rows: 4,
            code: 'TL-2201',
            cause: 'error',
            message:
              'the target refused an insert into dwh.stock_levels: violates check constraint "quantity_positive"',
          }),
          parkedTransaction(2, now, {
            rows: 1,
            code: 'TL-2201',
            cause: 'behind',
            behind: 1,
            message: 'it touches rows of parked transaction 1',
          }),
          parkedTransaction(3, now, {
            rows: 120,
            code: 'TL-2205',
            cause: 'skip',
            message: 'a foreign key at the target has no row',
            reason: 'supplier feed sent twice',
            askedBy: 'mira@ops-1',
          }),
        ],
      ],
    ]),
    journal: [
      entry(7, now - 0.05 * hour, 'sales-to-reporting', 'apply', {
        by: 'dba',
        reason: 'refunds for the month-end report',
        details: {
          from: '7c5aba41f53293b712fd86d08ed5b36e9b1c0d6f2f9d0f4b3e2d1c0b9a887766',
          to: 'b1946ac92492d2347c6235b4d2611184e5f6a7b8c9d0e1f2a3b4c5d6e7f80910',
          plan: [
            '+ public.refunds    loaded into dwh.refunds',
            '~ public.customers  where: loaded again, the rows of dwh.customers are replaced',
            '  limits.lag.warn: 10s -> 30s',
          ],
          request: 12,
        },
      }),
      entry(6, now - 0.2 * hour, 'stock-to-search', 'pause', {
        by: 'mira',
        reason: 'index rebuild on search',
        details: { forMs: 7_200_000, request: 11, pausedUntil: new Date(now + 1.8 * hour).toISOString() },
      }),
      entry(5, now - 1.1 * hour, 'sales-to-archive', 'start', {
        by: 'jon@ops-1',
        via: 'cli',
        result: 'failed',
        details: { takeover: false, acceptSchemaChange: false },
        code: 'TL-2104',
        message: 'column public.orders.total is numeric(20,6) and the target’s is numeric(10,2)',
      }),
      entry(4, now - 2 * hour, 'stock-to-reporting', 'skip', {
        by: 'mira',
        reason: 'supplier feed sent twice',
        details: { transaction: '771203' },
      }),
      entry(3, now - 5 * hour, 'sales-to-reporting', 'stop', {
        by: 'deploy-bot',
        result: 'refused',
        code: 'TL-5103',
        message: 'the token of deploy-bot is a viewer’s',
      }),
      entry(2, now - 26 * hour, 'sales-to-search', 'restart', { by: 'jon@ops-1', via: 'cli', reason: 'new release' }),
      entry(1, now - 27 * hour, 'sales-to-reporting', 'sequences', { by: 'jon@ops-1', via: 'cli' }),
    ],
  };
}

export function route(name: string, from: string, to: string, shown: Partial<RouteView> = {}): RouteView {
  return {
    name,
    state: 'running',
    desiredState: 'running',
    reason: null,
    health: 'ok',
    source: { node: from, position: '9/1F00A3D0' },
    target: { node: to, position: '9/1F00A0B8' },
    lagMs: 50,
    transactions: 0,
    rows: 0,
    collisions: 0,
    parked: 0,
    parkedSince: null,
    load: null,
    loadedRows: 0,
    restarts: 0,
    restarted: null,
    engine: { host: 'ops-1', pid: 4711 },
    since: null,
    healthSince: null,
    concerns: [],
    ignored: [],
    compared: null,
    askedBy: null,
    askedReason: null,
    pausedUntil: null,
    ...shown,
  };
}

function entry(id: number, atMs: number, name: string, action: string, shown: Partial<FakeEntry>): FakeEntry {
  return {
    id,
    at: new Date(atMs).toISOString(),
    route: name,
    action,
    by: 'mira',
    via: 'api',
    reason: null,
    details: {},
    result: 'done',
    code: null,
    message: null,
    ...shown,
  };
}

interface ParkedFacts {
  readonly rows: number;
  readonly code: string;
  readonly cause: string;
  readonly message: string;
  readonly behind?: number;
  readonly reason?: string;
  readonly askedBy?: string;
}

function parkedTransaction(
  id: number,
  now: number,
  { rows, code, cause, message, behind, reason, askedBy }: ParkedFacts,
) {
  return {
    id,
    transaction: String(771_200 + id),
    position: `7/41A8C0${(0xd8 + id * 16).toString(16).toUpperCase()}`,
    committedAt: new Date(now - 3 * hour + id * 61_000).toISOString(),
    parkedAt: new Date(now - 3 * hour + id * 61_000 + 250).toISOString(),
    cause,
    code,
    message,
    remedy: 'Mend the row or the constraint at the target, and retry.',
    reason: reason ?? null,
    askedBy: askedBy ?? null,
    behind: behind ?? null,
    rows,
    bytes: rows * 214,
    tables: [{ table: 'dwh.stock_levels', inserts: rows, updates: 0, deletes: 0, truncates: 0 }],
    attempts: id === 1 ? 2 : 0,
  };
}
