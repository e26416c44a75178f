import { expect, test } from 'vitest';
import { SelfWatch } from '../../../src/supervisor/self-watch.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('a blocked event loop is measured, and told for a while', async () => {
  const self = new SelfWatch(250);
  await pause(250);
  self.take();
  const untilMs = performance.now() + 600;
  while (performance.now() < untilMs);
  await pause(150);
  expect(self.take().vitals.eventLoopDelayMs.max).toBeGreaterThan(400);
  await pause(250);
  // Of the last two seconds it is gone, of the last minute not: a scrape now and then is to see it.
  const { max, longest } = self.take().vitals.eventLoopDelayMs;
  expect([longest > 400, max < longest]).toEqual([true, true]);
  expect(self.blockedMs).toBe(longest);
});

test('what the route knows is part of each sign of life', () => {
  const self = new SelfWatch(250);
  expect(self.take()).toMatchObject({ memoryLimitBytes: null, progress: null });
  const progress = { steps: 1, due: true, waits: false };
  self.describe(() => ({ memoryLimitBytes: 5, progress }));
  expect(self.take()).toMatchObject({ memoryLimitBytes: 5, progress });
  expect(self.memory.rssBytes).toBeGreaterThan(10_000_000);
});
