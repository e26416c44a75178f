import { expect, test, vi } from 'vitest';
import type { ApplyActivity } from '../../../src/core/apply-activity.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { RouteStateStore } from '../../../src/core/route-state-store.ts';
import { ApplyWatch } from '../../../src/supervisor/apply-watch.ts';
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
  expect(shown[0]).toBeLessThan(6_000);
});

test('rows are told as loaded once, when they are at the target, whatever a load goes through', () => {
  const report = new RouteReport({ definition, restarts: 0, heartbeatMs: 2_000, onStatus: () => {} });
  const told = (): number | undefined => report.status().loadedRows;
  const whole = { tablesDone: 0, tables: 1 };
  // The first attempt is rolled back.
  report.loading({ ...whole, rows: 60 });
  expect(told()).toBe(60);
  report.loading(null);
  expect(told()).toBe(0);
  report.loading({ ...whole, rows: 100 });
  report.loaded(100);
  expect(told()).toBe(100);
  report.loading(null);
  expect(told()).toBe(100);
  // Beside the stream: the session breaks in the middle, the next tells what the load has had before, and the end comes with the last chunk.
  report.loadsBeside({ ...whole, rows: 0 }, false);
  report.loaded(30);
  report.loadsBeside({ ...whole, rows: 30 }, false);
  report.loading(null);
  report.loadsBeside({ ...whole, rows: 30 }, false);
  report.loaded(20);
  report.loadsBeside(null, false);
  expect(told()).toBe(150);
});

test('a route that starts says what it starts again after, until it has done something', () => {
  const died = { code: 'TL-4310', message: 'the worker of route one died (signal SIGKILL)' };
  const restarted = { at: new Date().toISOString(), reason: died, recent: 1 };
  const report = new RouteReport({ definition, restarts: 1, heartbeatMs: 2_000, restarted, onStatus: () => {} });
  expect(report.status()).toMatchObject({ state: 'starting', health: 'warning', reason: died });
  report.show('starting');
  expect(report.status().reason).toEqual(died);
  report.show('starting', { code: 'TL-5001', message: '' });
  expect(report.status().reason?.code).toBe('TL-5001');
  report.show('stopped');
  // Somebody starts it, hours later perhaps.
  report.show('starting');
  expect(report.status()).toMatchObject({ state: 'starting', reason: null, restarted });
});

test('a halt is told once it is stored, also where it can not be', async () => {
  for (const fails of [false, true]) {
    const told: string[] = [];
    const report = new RouteReport({
      definition,
      restarts: 0,
      heartbeatMs: 2_000,
      onStatus: ({ state, reason }) => told.push(`told ${state} ${reason?.code}`),
    });
    await report.showStored('failed', { code: 'TL-1', message: '', remedy: '' }, async ({ state, reason }) => {
      await Promise.resolve();
      told.push(`stored ${state} ${reason?.code}`);
      if (fails) throw new Error('the connection is gone');
    });
    expect(told).toEqual(['stored failed TL-1', 'told failed TL-1']);
  }
});

test('a wait at the target is told from its begin, whatever the source is seen to do meanwhile', async () => {
  vi.useFakeTimers({ now: Date.parse('2026-11-22T10:00:00Z') });
  try {
    const report = new RouteReport({ definition, restarts: 0, heartbeatMs: 2_000, onStatus: () => {} });
    const counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
    report.meter.follow({ counts: () => counts, parked: () => ({ count: 0, since: null }) });
    let activity: ApplyActivity = { doing: 'idle' };
    const watch = new ApplyWatch({ applyActivity: async () => activity } as unknown as RouteStateStore, report);
    /** With a look each second. */
    const pass = async (seconds: number): Promise<string | undefined> => {
      for (let second = 0; second < seconds; second++) {
        await vi.advanceTimersByTimeAsync(1_000);
        watch.look();
        await vi.advanceTimersByTimeAsync(0);
      }
      return report.status().concerns?.find(({ code }) => code === 'TL-4303')?.message;
    };
    // Nothing came for a while, which is nobody's fault.
    expect(await pass(100)).toBeUndefined();
    report.meter.stepped();
    activity = { doing: 'waiting', what: 'lock on relation', holders: [] };
    expect(await pass(30)).toContain('has waited for 30 s');
    // The source decodes what comes behind.
    report.meter.worked();
    expect(await pass(1)).toContain('has waited for 31 s');
    expect(await pass(60)).toContain('has waited for 91 s');
    // A statement of the route runs between two waits: what it took is none.
    activity = { doing: 'working' };
    expect(await pass(40)).toBeUndefined();
    activity = { doing: 'waiting', what: 'lock on tuple', holders: [] };
    expect(await pass(20)).toContain('has waited for 20 s');
    report.meter.stepped();
    expect(await pass(1)).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
