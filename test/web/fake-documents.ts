import type { RouteView } from '../../src/control/route-view.ts';

export const tables = [
  { source: 'public.orders', target: 'dwh.orders', loadedTo: null, ignored: [] },
  { source: 'public.order_lines', target: 'dwh.order_lines', loadedTo: null, ignored: [] },
  { source: 'public.customers', target: 'dwh.customers', loadedTo: '8/AA0012F0', ignored: ['nickname'] },
];

export const findings = [
  {
    level: 'info',
    code: 'TL-3118',
    node: 'sales',
    message: 'max_slot_wal_keep_size has no limit: a route that rests fills the disk',
    remedy: 'Set a limit that the disk has room for.',
    statement: "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'",
  },
  {
    level: 'warning',
    code: 'TL-3206',
    node: 'sales',
    table: 'public.customers',
    message: 'public.customers has no full replica identity',
    remedy: 'Deletes are then applied by key only.',
    statement: 'ALTER TABLE public.customers REPLICA IDENTITY FULL',
  },
];

const unchanged = { tables: [], settings: [], refused: [], pending: false, needsConsent: false, replacedRows: [] };

export const fakePlan = {
  version: 1,
  fingerprint: '5d41402abc4b2a76b9719d911017c592',
  changes: true,
  routes: [
    { ...unchanged, name: 'sales-to-search', state: 'unchanged', problems: [] },
    {
      ...unchanged,
      name: 'sales-to-reporting',
      state: 'changed',
      needsConsent: true,
      tables: [
        { action: 'add', source: 'public.refunds', target: 'dwh.refunds', loads: true, replaced: [] },
        { action: 'reload', source: 'public.customers', target: 'dwh.customers', changed: ['where', 'columns'] },
        { action: 'drop', source: 'public.tmp_sync', target: 'dwh.tmp_sync' },
      ],
      settings: [{ name: 'apply.groupRows', before: 5000, after: 20_000 }],
      replacedRows: [{ table: 'dwh.customers', rows: 812_004, more: false }],
      problems: [
        {
          level: 'error',
          code: 'TL-2102',
          node: 'reporting',
          table: 'dwh.refunds',
          message: 'dwh.refunds is not at the target',
          remedy: 'Create it.',
          statement: 'CREATE TABLE dwh.refunds (id bigint PRIMARY KEY, total numeric(12,2))',
        },
      ],
    },
  ],
};

export function positionOf({ name, source, target }: RouteView) {
  const queue = { state: 'reserved', position: target.position, retainedBytes: 184_220_112 };
  return { version: 1, route: name, phase: 'ready', checkpoint: target.position, source: source.position, queue };
}

export function metricsOf(route: RouteView) {
  const now = Date.now();
  const steps = 720;
  const perSecond = { running: 60 + (route.name.length % 3) * 1100, loading: 18_000 }[route.state as string] ?? 0;
  const history = Array.from({ length: steps }, (_, at) => {
    const left = steps - at;
    const wave = 1 + 0.5 * Math.sin(at / 40) + 0.2 * Math.sin(at / 7);
    return {
      at: new Date(now - left * 5000).toISOString(),
      lagMs: route.lagMs === null ? null : Math.round(route.lagMs * wave * (at % 181 === 90 ? 9 : 1)),
      rows: Math.max(
        0,
        Math.round(route.rows - left * 5 * perSecond + perSecond * 40 * (Math.sin(at / 30) - Math.sin(steps / 30))),
      ),
      transactions: Math.max(
        0,
        Math.round(route.transactions - left * perSecond + perSecond * 8 * (Math.sin(at / 30) - Math.sin(steps / 30))),
      ),
      retainedBytes: Math.round(180e6 + 40e6 * Math.sin(at / 55)),
    };
  });
  const perTable = tables.map(({ target: table }, at) => {
    const rows = Math.round(route.rows / (at + 2));
    return {
      table,
      inserts: Math.round(rows * 0.7),
      updates: Math.round(rows * 0.25),
      deletes: Math.round(rows * 0.05),
      truncates: 0,
      loaded: 0,
      rows,
    };
  });
  return { version: 1, at: new Date(now).toISOString(), retainedBytes: 184_220_112, perTable, history };
}
