import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ConcernTimes } from '../../src/control/concern-times.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-22T10:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a concern keeps its time from look to look, and has another once it was over', () => {
  const times = new ConcernTimes();
  const first = times.look('one')('TL-4302');
  expect(first).toBe('2026-11-22T10:00:00.000Z');
  vi.advanceTimersByTime(5_000);
  expect(times.look('one')('TL-4302')).toBe(first);
  expect(times.look('two')('TL-4302')).not.toBe(first);
  times.look('one');
  expect(times.look('one')('TL-4302')).toBe('2026-11-22T10:00:05.000Z');
});

test('what the engine has told goes on when nobody but the look sees it', () => {
  const times = new ConcernTimes();
  const told = '2026-11-22T09:00:00.000Z';
  expect(times.look('one')('TL-4302', told)).toBe(told);
  expect(times.look('one')('TL-4302')).toBe(told);
});
