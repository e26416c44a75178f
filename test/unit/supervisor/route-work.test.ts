import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type RouteWork, workUnderLease } from '../../../src/supervisor/route-work.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('work that has not ended some seconds after it was cut off is given up, and that is told', async () => {
  const stop = new AbortController();
  let isOver = false;
  const work = {
    definition: { name: 'r' },
    wanted: {},
    report: { state: 'starting', show: () => {} },
    keeper: { keep: (over: AbortSignal) => new Promise<void>((done) => over.addEventListener('abort', () => done())) },
    source: { endQueueSessions: () => new Promise(() => {}) },
    signal: stop.signal,
  };
  const working = workUnderLease(work as unknown as RouteWork).finally(() => {
    isOver = true;
  });
  working.catch(() => {});
  stop.abort();
  await vi.advanceTimersByTimeAsync(10_900);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  await expect(working).rejects.toMatchObject({ code: 'TL-4108', recovery: 'retry', place: { route: 'r' } });
});
