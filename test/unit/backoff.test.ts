import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crashesInRow, restartDelayMs, steadyMs } from '../../src/supervisor/backoff.ts';

test('a restart waits 0.2 s to 60 s, and about twice as long after each crash', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (crashes, random) => {
        const delayMs = restartDelayMs({ crashes, random });
        expect(delayMs).toBeGreaterThanOrEqual(200);
        expect(delayMs).toBeLessThanOrEqual(60_000);
        expect(restartDelayMs({ crashes: crashes + 1, random })).toBeGreaterThanOrEqual(delayMs);
      },
    ),
  );
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((crashes) => restartDelayMs({ crashes, random: 0 }))).toEqual([
    200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
  ]);
});

test('routes that die together do not come back together', () => {
  const delays = new Set([0, 0.25, 0.5, 0.75].map((random) => restartDelayMs({ crashes: 1, random })));
  expect(delays.size).toBe(4);
});

test('a worker that was steady begins to count anew', () => {
  expect(crashesInRow(5, steadyMs - 1)).toBe(6);
  expect(crashesInRow(5, steadyMs)).toBe(1);
});
