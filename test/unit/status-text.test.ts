import { expect, test } from 'vitest';
import { statusText } from '../../src/cli/status-text.ts';
import type { RouteView } from '../../src/control/route-view.ts';

const nowMs = Date.parse('2026-11-22T18:00:00Z');

const route: RouteView = {
  name: 'sales-to-reporting',
  state: 'failed',
  desiredState: 'running',
  askedBy: null,
  askedReason: null,
  pausedUntil: null,
  reason: {
    code: 'TL-2201',
    message:
      'route sales-to-reporting halted: update of public.orders at 0/1CF1CF8 (transaction 870) finds no such row',
    remedy: 'Find out who else writes to public.orders at the target. Mend the row, and "tidelock start".',
  },
  health: 'critical',
  source: { node: 'sales', position: '1F/2184830' },
  target: { node: 'reporting', position: '1F/2171EF8' },
  lagMs: null,
  transactions: 12_345_678,
  rows: 123_456_789,
  collisions: 0,
  parked: 0,
  parkedSince: null,
  load: null,
  restarts: 3,
  loadedRows: 0,
  restarted: null,
  engine: { host: 'ops-1', pid: 4711 },
  since: null,
  healthSince: null,
  concerns: [],
  ignored: [],
  compared: null,
};

test('every line fits a terminal of 80 columns, and nothing is left out', () => {
  const lines = statusText([route], { colours: false, columns: 80, nowMs }).trimEnd().split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.slice(2, 4)).toEqual([
    '  collisions 0, parked 0, restarts 3, engine ops-1 (4711), applied 1F/2171EF8,',
    '  source 1F/2184830',
  ]);
  const words = lines.slice(4).map((line) => line.trim());
  expect(words.join(' ')).toBe(`TL-2201 ${route.reason?.message} ${route.reason?.remedy}`);
});

test('a long name and long positions fit as well: numbers go below first, then the name gives way', () => {
  const gtids = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-99999,4f22ab58-71ca-11e1-9e33-c80aa9429562:1-7';
  const long = { ...route, name: 'a-route-with-a-name-of-thirty-c', target: { node: 'copy', position: gtids } };
  for (const columns of [60, 80, 100, 140]) {
    const text = statusText([long, route], { colours: false, columns, nowMs });
    // Positions are copied: they stay whole, on a line of their own where they are longer than one.
    for (const line of text.split('\n'))
      expect([columns, line.length <= columns || line.includes(gtids)]).toEqual([columns, true]);
    expect(text).toContain(gtids);
    expect(text).toMatch(/transactions 12,345,678|12,345,678 +123,456,789/);
  }
  expect(statusText([long], { colours: false, columns: 80, nowMs })).toContain(
    'a-route-with-a-name-of-thirty-c  failed',
  );
});

test('what is not well with a route that runs is told below it, the reason only once', () => {
  const parked = { code: 'TL-4201', message: 'is parked' };
  const waits = {
    code: 'TL-4303',
    message: 'waits for session 7',
    remedy: 'End it.',
    since: '',
    level: 'warning',
  } as const;
  const shown = {
    ...route,
    state: 'running',
    reason: parked,
    concerns: [waits, { ...parked, since: '', level: 'warning' }],
  } as const;
  expect(statusText([shown], { colours: false, columns: null, nowMs }).trimEnd().split('\n').slice(2)).toEqual([
    '  TL-4201 is parked',
    '  TL-4303 waits for session 7',
    '  End it.',
  ]);
});

test('why the last worker ended is told for an hour, and only once', () => {
  const died = { code: 'TL-4310', message: 'the worker of route sales-to-reporting died (signal SIGKILL)' };
  const restarted = { at: '2026-11-22T17:57:00Z', reason: died, recent: 3 };
  const runs = { ...route, state: 'running', health: 'ok', reason: null, restarted } as const;
  const told = (change: Partial<RouteView>) =>
    statusText([{ ...runs, ...change }], { colours: false, columns: null, nowMs })
      .trimEnd()
      .split('\n')
      .slice(2);
  expect(told({})).toEqual([`  started again 3 min ago (restart 3): TL-4310 ${died.message}`]);
  expect(told({ state: 'failed', reason: { code: 'TL-4010', message: 'no engine runs it' } })).toEqual([
    '  TL-4010 no engine runs it',
    `  started again 3 min ago (restart 3): TL-4310 ${died.message}`,
  ]);
  expect(told({ state: 'starting', reason: died })).toEqual([`  TL-4310 ${died.message}`]);
  const often = {
    code: 'TL-4314',
    message: `3 ended, the last: ${died.message}`,
    level: 'warning',
    since: '',
  } as const;
  expect(told({ concerns: [often] })).toEqual([`  TL-4314 ${often.message}`]);
  expect(told({ restarted: { ...restarted, at: '2026-11-22T17:00:00Z' } })).toEqual([]);
});

test('a wide terminal, a pipe or a file has one line for each route', () => {
  for (const columns of [200, null]) {
    const [head, line, reason] = statusText([route], { colours: false, columns, nowMs }).split('\n');
    expect(head).toMatch(/^ROUTE .* SOURCE$/);
    expect(line).toMatch(/^sales-to-reporting +failed .* 1F\/2184830$/);
    expect(reason).toBe(`  TL-2201 ${route.reason?.message}`);
  }
});

test('the tables of a route are told below it, and fit', () => {
  const tables = [
    {
      source: 'public.orders',
      target: 'crm.orders_of_all_regions_and_years',
      loadedTo: '1F/2171EF8',
      ignored: ['note', 'late'],
    },
    { source: 'public.a', target: 'public.a', loadedTo: null, ignored: [] },
  ];
  const text = statusText([{ ...route, reason: null, tables }], { colours: false, columns: 80, nowMs });
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(text).toMatch(
    /\n {2}TABLE +AT THE TARGET +LOADED TO +LEFT OUT\n {2}public.orders +crm\.orders\S+ +1F\/2171EF8 +note, late\n/,
  );
  expect(statusText([{ ...route, tables: [] }], { colours: false, columns: 80, nowMs })).toContain('tables: none yet');
});
