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

export const schema = {
  statements: [
    {
      half: 'after',
      what: 'index customers_email of dwh.customers',
      text: 'CREATE INDEX customers_email ON dwh.customers (email)',
    },
  ],
  findings: [
    {
      level: 'warning',
      code: 'TL-2102',
      node: 'reporting',
      table: 'dwh.customers',
      message: 'dwh.customers.email takes NULL and the source does not',
      remedy: 'It matters when the target takes over.',
      statement: 'ALTER TABLE dwh.customers ALTER email SET NOT NULL',
    },
  ],
  left: [{ kind: 'view', name: 'public.best_customers', isNeeded: false, text: 'SELECT 1' }],
};

const unchanged = {
  tables: [],
  settings: [],
  refused: [],
  pending: false,
  needsConsent: false,
  replacedRows: [],
  problems: [],
  target: { node: 'reporting', hosts: ['pg-dwh-1.internal:5432'], database: 'dwh' },
};

const missing = {
  level: 'error',
  code: 'TL-2102',
  node: 'search',
  table: 'search.refunds',
  message: 'search.refunds is not at the target',
  remedy: 'Create it.',
  statement: 'CREATE TABLE search.refunds (id bigint PRIMARY KEY, total numeric(12,2))',
};

export interface PlanFacts {
  /** Source tables whose rows stay. */
  readonly keepRows: readonly string[];
  readonly routes: readonly string[];
  /** What was agreed to has been asked of the engine, or carried out. */
  readonly applied: 'no' | 'pending' | 'done';
}

/** Two routes that change: one can't as it is, one wants consent unless its rows are kept. */
export function fakePlan({ keepRows, routes, applied }: PlanFacts) {
  const keeps = keepRows.includes('public.customers');
  const step = { source: 'public.customers', target: 'dwh.customers', changed: ['where', 'columns'] };
  const all = [
    {
      ...unchanged,
      name: 'sales-to-reporting',
      state: applied === 'done' ? 'unchanged' : 'changed',
      ...(applied !== 'done' && {
        needsConsent: true,
        pending: applied === 'pending',
        tables: [
          { action: 'add', source: 'public.refunds', target: 'dwh.refunds', loads: true, replaced: [] },
          keeps
            ? { ...step, action: 'remap', before: 'dwh.customers' }
            : { ...step, action: 'reload', replaced: ['dwh.customers'] },
          { action: 'drop', source: 'public.tmp_sync', target: 'dwh.tmp_sync' },
        ],
        settings: [
          {
            name: 'limits.lag.warn',
            before: 10_000,
            after: 30_000,
            text: 'limits.lag.warn: 10s -> 30s',
          },
        ],
        replacedRows: keeps ? [] : [{ table: 'dwh.customers', rows: 812_004, more: false }],
      }),
    },
    {
      ...unchanged,
      name: 'sales-to-search',
      state: 'changed',
      tables: [{ action: 'add', source: 'public.refunds', target: 'search.refunds', loads: true, replaced: [] }],
      problems: [missing],
      target: { node: 'search', hosts: ['pg-search-1.internal:5432'], database: 'search' },
    },
    { ...unchanged, name: 'stock-to-search', state: 'unchanged' },
  ];
  const chosen = all.filter(({ name }) => routes.length === 0 || routes.includes(name));
  const fingerprint = keeps ? '2e99758548972a8e8822ad47fa1017ff' : '5d41402abc4b2a76b9719d911017c592';
  return { version: 1, fingerprint, changes: true, routes: chosen };
}

export const sharedFindings = {
  nodes: [
    {
      name: 'sales',
      ok: false,
      place: { node: 'sales', hosts: ['pg-sales-1.internal:5432', 'pg-sales-2.internal:5432'], database: 'shop' },
      findings: [
        {
          level: 'info',
          code: 'postgres.clock',
          node: 'sales',
          message: 'its clock is 1.2 s ahead of this host',
          remedy: 'Let both hosts follow a time server.',
        },
        {
          level: 'error',
          code: 'postgres.slots',
          node: 'sales',
          message: 'max_replication_slots is 4, and the routes of this file want 5',
          remedy: 'Raise it; the server has to be restarted.',
          statement: 'ALTER SYSTEM SET max_replication_slots = 10',
        },
      ],
    },
    {
      name: 'reporting',
      ok: true,
      place: { node: 'reporting', hosts: ['pg-dwh-1.internal:5432'], database: 'dwh' },
      findings: [],
    },
    {
      name: 'archive',
      ok: false,
      place: { node: 'archive', hosts: ['pg-archive-1.internal:5432'], database: 'archive' },
      findings: [
        {
          level: 'error',
          code: 'TL-5001',
          node: 'archive',
          message: 'node archive: no connection: connect EHOSTUNREACH 10.0.4.7:5432 (pg-archive-1.internal:5432)',
          remedy:
            'Check that the server of archive runs and that its address, port and TLS settings (tls.mode) are right.',
        },
      ],
    },
  ],
  service: {
    ok: true,
    findings: [
      {
        level: 'warning',
        code: 'service.tls',
        message: 'the certificate expires in 12 days',
        remedy: 'Name a certificate and its key that are valid, as PEM files (service.api.tls).',
      },
    ],
  },
};

export function droppedOf({ name, source, target, parked }: RouteView, { dryRun }: { readonly dryRun: boolean }) {
  const place = (node: string) => ({ node, hosts: [`pg-${node}-1.internal:5432`], database: node });
  return {
    version: 1,
    route: name,
    dropped: !dryRun,
    source: place(source.node),
    target: place(target.node),
    queue: {
      name: `prod__${name.replaceAll('-', '_')}`,
      parts: ['slot', 'publication'],
      given: false,
      state: 'idle',
      retainedBytes: 184_220_112,
    },
    tables: 3,
    targetTables: tables.map((table) => table.target),
    parked,
    left: dryRun ? [] : [`DROP EVENT TRIGGER prod__${name.replaceAll('-', '_')}`],
  };
}

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
