import { expect, test } from 'vitest';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { RouteReport } from '../../../src/supervisor/route-report.ts';

const definition = {
  name: 'one',
  limits: { lag: { warnMs: 10_000, criticalMs: 60_000 }, retained: { warnBytes: 5e9, criticalBytes: 20e9 } },
} as RouteDefinition;

test('a worker that begins is running with a heartbeat of its own, not with those of the one before', () => {
  const shown: (number | null)[] = [];
  const report = new RouteReport({
    definition,
    restarts: 0,
    heartbeatMs: 2_000,
    onStatus: ({ state, lagMs }) => {
      if (state === 'running') shown.push(lagMs);
    },
  });
  const counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
  report.meter.follow({ counts: () => counts, parked: () => ({ count: 0, since: null }) });
  report.show('catchingUp');
  const beat = (sentAtMs: number): void => {
    report.meter.passed({ kind: 'heartbeat', id: 'test/one', sentAtMs });
    report.caughtUp();
  };
  // It was away for nine seconds: that is not what a change takes now.
  beat(Date.now() - 9_000);
  expect(report.state).toBe('catchingUp');
  beat(Date.now());
  expect(report.state).toBe('running');
  expect(shown).toEqual([expect.any(Number)]);
  expect(shown[0]).toBeLessThan(2_000);
});
