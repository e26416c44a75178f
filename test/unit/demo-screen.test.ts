import { expect, test } from 'vitest';
import { chart, roundTop, usualTop } from '../../src/demo/chart.ts';
import { dashboard } from '../../src/demo/dashboard.ts';
import { DemoState } from '../../src/demo/demo-state.ts';
import type { Line } from '../../src/demo/screen.ts';

test('a chart fills its cells from the bottom, two values in each', () => {
  expect(chart([0, 1, 2, 3, 4, 4], { width: 4, height: 1, top: 4 })).toEqual(['⢀⣴⣿ ']);
  expect(chart([8, 4], { width: 1, height: 2, top: 8 })).toEqual(['⡇', '⣿']);
});

test('a chart shows the newest values, and more than nothing is seen', () => {
  expect(chart([9, 9, 0, 0.001], { width: 1, height: 1, top: 9 })).toEqual(['⢀']);
});

test('a value above the top stays inside', () => {
  expect(chart([100, 100], { width: 1, height: 1, top: 1 })).toEqual(['⣿']);
});

test.each([
  [0, 1],
  [1, 1],
  [1.5, 2],
  [3, 5],
  [5, 5],
  [700, 1_000],
  [1_001, 2_000],
])('the scale for %d ends at %d', (value, top) => {
  expect(roundTop(value)).toBe(top);
});

test('the scale is that of what is usual, not of the backlog that a load leaves', () => {
  const usual = Array.from({ length: 50 }, (_, at) => 700 + (at % 7));
  expect(usualTop([0, 0, 9_000, 8_000, ...usual])).toBe(1_000);
  expect(usualTop([])).toBe(1);
});

test('the clock counts from when the clients write', () => {
  const demo = new DemoState(30);
  demo.event('the servers start');
  expect(demo.clockMs).toBeNull();
  demo.clientsBegin();
  demo.event('clients write');
  expect(demo.events.map(({ atMs }) => atMs)).toEqual([null, expect.any(Number)]);
  expect(demo.events[1]?.atMs).toBeLessThan(1_000);
});

function text(line: Line): string {
  return line.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join('');
}

/** As in the middle of a demo. */
function state(): DemoState {
  const demo = new DemoState(30);
  demo.ports = { source: 40_001, target: 40_002 };
  demo.workload = { transactions: 12_345, rows: 67_890, rolledBack: 1 };
  demo.arrived = 12_340;
  demo.lagMs = 12;
  demo.bankTotal = '1000000.00';
  demo.bankChecks = 60;
  for (let step = 0; step < 100; step += 1) demo.event(`event ${step}`);
  return demo;
}

test.each([
  [100, 30],
  [60, 24],
  [60, 15],
  [200, 60],
])('a frame for %d columns and %d rows fits, with the newest events and both charts', (columns, rows) => {
  const lines = dashboard(state(), { columns, rows }).map(text);
  expect(lines.length).toBeLessThanOrEqual(rows);
  const all = lines.join('\n');
  expect(all).toContain('event 99');
  expect(all).toContain('12,345');
  expect(all).toContain('1,000,000.00');
  expect(lines.filter((line) => /^ (source|target)\b/.test(line))).toHaveLength(4);
  // Only what is wordy may be cut at the right.
  for (const line of lines.filter((one) => one.includes('/s'))) expect(line.length).toBeLessThanOrEqual(columns);
});

test('a bank that does not add up is said so', () => {
  const wrong = Object.assign(state(), { bankTotal: '999999.00', bankViolations: 3 });
  expect(dashboard(wrong, { columns: 100, rows: 30 }).map(text).join('\n')).toContain('wrong in 3 of 60');
});

test('rates are transactions a second over the samples', () => {
  const demo = new DemoState(30);
  expect(demo.rate('written', 1_000)).toBe(0);
  demo.sample();
  demo.workload = { transactions: 100, rows: 100, rolledBack: 0 };
  demo.sample();
  expect(demo.rate('written', 10_000)).toBeGreaterThan(0);
  expect(demo.rate('arrived', 10_000)).toBe(0);
});
