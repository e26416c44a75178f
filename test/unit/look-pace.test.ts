import { expect, test } from 'vitest';
import { LookPace } from '../../src/core/look-pace.ts';

/** When looks begin that take so long, where it is asked every 100 ms whether one is due. */
async function begins(tookMs: readonly number[]): Promise<number[]> {
  let nowMs = 0;
  const pace = new LookPace(1_000, () => nowMs);
  const left = [...tookMs];
  const begun: number[] = [];
  while (left.length > 0) {
    await pace.look(async () => {
      begun.push(nowMs);
      nowMs += left.shift() ?? 0;
    });
    nowMs += 100 - (nowMs % 100);
  }
  return begun;
}

test('a look that had to wait, or came first, does not put the next one off', async () => {
  expect(await begins([3_000, 10, 10, 10, 4_000, 10, 10])).toEqual([0, 3_100, 4_100, 5_100, 6_100, 10_200, 11_200]);
});

test('what always takes long takes a fiftieth of the time', async () => {
  expect(await begins([100, 100, 100, 150, 100])).toEqual([0, 1_000, 2_000, 7_000, 12_000]);
});

test('a look that fails is due at once', async () => {
  const pace = new LookPace(1_000, () => 5);
  await expect(pace.look(async () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  let looks = 0;
  await pace.look(async () => void looks++);
  await pace.look(async () => void looks++);
  expect(looks).toBe(1);
});
