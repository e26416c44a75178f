import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leftoverLines } from '../../src/web/actions/leftover-actions.ts';
import { routeActions } from '../../src/web/actions/route-actions.ts';
import { EventStreamParser } from '../../src/web/api/event-stream.ts';
import { chartSummary } from '../../src/web/charts/chart-summary.ts';
import { condensed } from '../../src/web/charts/series.ts';
import { foundText } from '../../src/web/format/found-text.ts';
import { journalFacts } from '../../src/web/format/journal-facts.ts';
import { duration, parseDuration } from '../../src/web/format/times.ts';
import { placeOf } from '../../src/web/state/place.ts';
import { currentRates, RouteHistory } from '../../src/web/state/route-history.ts';
import { layOutColumn } from '../../src/web/topology/column.ts';
import { route } from './fake-deployment.ts';

const text = fc.string({ unit: 'grapheme' }).map((one) => one.replaceAll(/[\r\n]/g, ' '));

test('events are the same wherever the stream is cut', () => {
  const events = fc.array(
    fc.record({ event: fc.constantFrom('status', 'journal', ''), lines: fc.array(text, { minLength: 1 }) }),
  );
  const ends = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(events, ends, fc.array(fc.nat()), (sent, end, cuts) => {
      const stream = sent
        .map(({ event, lines }) =>
          [
            ': a comment',
            ...(event === '' ? [] : [`event: ${event}`]),
            ...lines.map((line) => `data: ${line}`),
            '',
            '',
          ].join(end),
        )
        .join('');
      const parser = new EventStreamParser();
      const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const found = at.slice(1).flatMap((to, index) => parser.push(stream.slice(at[index], to)));
      // A lone \r at the end of what has come may be half of a \r\n.
      found.push(...parser.push('\n'));
      expect(found).toEqual(sent.map(({ event, lines }) => ({ event: event || 'message', data: lines.join('\n') })));
    }),
  );
});

test('durations are read as people write them, and refused where they are none', () => {
  expect(['30m', '2h', '1h30m', ' 90 s', '1d'].map(parseDuration)).toEqual([
    1_800_000, 7_200_000, 5_400_000, 90_000, 86_400_000,
  ]);
  expect(['', '2', 'soon', '-1h', '0s', '1.5h', '2h!'].map(parseDuration)).toEqual(Array(7).fill(null));
  expect([0, 84, 999.6, 4200, 59_999, 185_000, 7_200_000, 356_400_000].map(duration)).toEqual([
    '0 ms',
    '84 ms',
    '1.0 s',
    '4.2 s',
    '60 s',
    '3 min 5 s',
    '2 h',
    '4 d 3 h',
  ]);
});

test('rates are made of what one counter has told, and a counter that begins anew is none of less than nothing', () => {
  const history = new RouteHistory();
  const sample = (at: number, rows: number) => ({
    at: new Date(at).toISOString(),
    lagMs: 1,
    rows,
    transactions: rows,
    retainedBytes: null,
  });
  history.add(route('a', 'b', 'c', { rows: 1_000_000, transactions: 10 }), 100_000);
  history.remember([sample(90_000, 0), sample(95_000, 50), sample(101_000, 999)]);
  expect(currentRates(history)).toEqual({ rows: 10, transactions: 10 });
  history.add(route('a', 'b', 'c', { rows: 1_000_020, transactions: 12 }), 102_000);
  expect(currentRates(history)).toEqual({ rows: 10, transactions: 1 });
  history.add(route('a', 'b', 'c', { rows: 5, transactions: 0 }), 104_000);
  expect(currentRates(history)).toEqual({ rows: 0, transactions: 0 });
});

test('an address leads where it says, and nowhere where it says nothing', () => {
  expect(placeOf('')).toEqual({ page: 'overview', filter: '' });
  expect(placeOf('#/?filter=a%20%3E%20b')).toEqual({ page: 'overview', filter: 'a > b' });
  expect(placeOf('#/routes/a-to-b/check')).toEqual({ page: 'route', route: 'a-to-b', section: 'check' });
  for (const wrong of ['#/routes', '#/routes/a/nothing', '#/routes/a/check/x', '#/journal/x', '#/x'])
    expect(placeOf(wrong), wrong).toEqual({ page: 'unknown' });
});

test('a small line has a point for each piece of time that was looked at, and none that was not', () => {
  const points = [0, 1, 2, 50, 100].map((atMs) => ({ atMs, value: atMs === 50 ? null : atMs }));
  expect(condensed(points, 10)).toEqual([1, null, 100]);
  expect(condensed(points, 1000)).toEqual([0, 1, 2, null, 100]);
  expect(condensed([], 10)).toEqual([]);
  expect(condensed([{ atMs: 5, value: 7 }], 10)).toEqual([7]);
});

test('a line that has come to its end tells its last value as such', () => {
  const points = [4, 8].map((value, at) => ({ atMs: at * 1000, value }));
  const plain = (value: number) => `${value} ms`;
  expect(chartSummary(points, plain)).toMatch(/^Now 8 ms · mean 6 ms · highest 8 ms at /);
  expect(chartSummary([...points, { atMs: 2000, value: null }], plain)).toMatch(/^Last 8 ms at .+ · mean 6 ms · /);
});

test('the journal tells what was asked for, without what is for machines and what was not asked for', () => {
  const facts = (action: string, details: Record<string, unknown>) => journalFacts({ action, details });
  const plan = ['+ public.item  loaded into public.item'];
  const apply = { from: 'a'.repeat(64), to: 'b'.repeat(64), plan, request: 4 };
  expect(facts('apply', apply)).toEqual({ facts: [], plan });
  const start = { takeover: false, acceptSchemaChange: true, request: 3, holder: { host: 'ops-1', pid: 7 } };
  expect(facts('start', start).facts).toEqual(['accept schema change', 'taken over by ops-1 (process 7)']);
  expect(facts('pause', { forMs: 7_200_000, request: 1, pausedUntil: null }).facts).toEqual(['for 2 h']);
  expect(facts('stop', { changed: false, desiredState: 'stopped' }).facts).toEqual(['left as it was']);
  const retried = { ids: ['1', '2'], applied: [1], failed: [{ id: 2, code: 'TL-2201', message: 'm' }], waiting: [] };
  expect(facts('retry', retried).facts).toEqual(['of 1, 2', 'applied 1', 'failed 2 TL-2201']);
  expect(facts('rename', { from: 'a-to-b' }).facts).toEqual(['from a-to-b']);
  expect(facts('sequences', { outcomes: { carried: 3, notCarried: 1 } }).facts).toEqual(['carried 3, not carried 1']);
  expect(facts('drop', { tables: 1, parked: 0 }).facts).toEqual(['1 table', '0 parked transactions']);
});

test('a route of which nothing is stored can be begun, and nothing else', () => {
  const dropped = route('one', 'here', 'there', {
    state: 'stopped',
    desiredState: 'running',
    reason: { code: 'TL-4008', message: 'route one was never started' },
  });
  expect(routeActions(dropped).map(({ id }) => id)).toEqual(['start']);
  // Its state has another name: what begins here is another route.
  const renamed = route('one', 'here', 'there', {
    state: 'stopped',
    desiredState: 'running',
    reason: { code: 'TL-4139', message: 'route one was renamed to two' },
  });
  expect(routeActions(renamed)).toEqual([]);
  expect(routeActions(route('one', 'here', 'there')).map(({ id }) => id)).toContain('pause');
});

test('what is left behind is told before it goes: what is kept for it, and what somebody uses', () => {
  const place = { hosts: ['db1:5432'], database: 'shop' };
  const one = { name: 'one', node: 'here', ...place, parts: ['slot', 'publication'], dropped: false, statements: [] };
  expect(
    leftoverLines({
      leftovers: [
        { ...one, retainedBytes: 5_000_000_000, usedBy: null },
        { ...one, node: 'there', parts: ['state'], retainedBytes: 0, usedBy: 'db2 (process 7)' },
      ],
    }),
  ).toEqual([
    'one at here (db1:5432, database shop): slot, publication, for which 5 GB are kept.',
    'one at there (db1:5432, database shop): state; in use by db2 (process 7), stays.',
  ]);
  const error = { code: 'TL-5001', message: 'node there does not answer' };
  const failed = [{ node: 'there', route: null, error }];
  expect(
    leftoverLines({ leftovers: [{ ...one, retainedBytes: 0, usedBy: null, waitsFor: ['there'] }], failed }),
  ).toEqual([
    'one at here (db1:5432, database shop): slot, publication; its state may be at there, stays until that answers.',
    'TL-5001 node there does not answer',
  ]);
  expect(leftoverLines({ leftovers: [], failed })[0]).toBe('Nothing is left behind at the nodes that have answered.');
});

test('on a phone each route is drawn once, from its source to its target, and no node is left out', () => {
  const names = ['a', 'b', 'c', 'alone'];
  const nodes = names.map((name) => ({ name, type: 'postgres', hosts: [], database: name }));
  const between = (from: string, to: string) => {
    const one = route(`${from}-to-${to}`, from, to);
    return { ...one, source: { ...one.source, node: from }, target: { ...one.target, node: to } };
  };
  const routes = [between('a', 'b'), between('b', 'a'), between('a', 'c'), between('b', 'new')];
  const { edges, nodes: placed, width, height } = layOutColumn(nodes, routes);
  expect(edges.map(({ from, to }) => `${from}-to-${to}`).sort()).toEqual(routes.map(({ name }) => name).sort());
  expect([...new Set(placed.map(({ node }) => node.name))].sort()).toEqual([...names, 'new'].sort());
  expect(width).toBeLessThanOrEqual(360);
  for (const { x, y, size } of placed)
    expect([x + size.width <= width, y + size.height <= height]).toEqual([true, true]);
  expect(new Set(placed.map(({ key }) => key)).size).toBe(placed.length);
});

test('a compare that is done tells what it has found, and no other job does', () => {
  const found = (tables: readonly object[], job: object = {}) =>
    foundText({ kind: 'compare', state: 'done', progress: { tables }, ...job } as Parameters<typeof foundText>[0]);
  expect(found([{ rows: 5, missing: 0, unverified: null }])).toEqual({ text: 'no row differs', differs: false });
  expect(found([{ rows: 5, missing: 1 }])).toEqual({ text: '1 row differs', differs: true });
  const more = [
    { rows: 5, missing: 1, extra: 2, undecided: 3 },
    { rows: 0, unverified: 'its key is not carried' },
  ];
  expect(found(more)).toEqual({ text: '3 rows differ, 3 undecided, 1 table not compared', differs: true });
  expect(found(more.slice(1))).toEqual({ text: '1 table not compared', differs: false });
  expect([found(more, { state: 'running' }), found(more, { kind: 'load' }), found([])]).toEqual([null, null, null]);
});
