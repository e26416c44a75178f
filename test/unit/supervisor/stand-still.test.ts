import { expect, test } from 'vitest';
import type { ProgressReport } from '../../../src/supervisor/sign-of-life.ts';
import { judgeProgress, moving, type StandStill } from '../../../src/supervisor/stand-still.ts';

const patience = 3;
const still: ProgressReport = { steps: 7, due: true, waits: false };

/** Signs of life until the restart, at most 1,000; null where none came. */
function looksUntilRestart(from: StandStill, report: (look: number) => ProgressReport | null) {
  let before = from;
  for (let look = 1; look <= 1_000; look++) {
    const { now, restart } = judgeProgress(before, report(look), patience);
    if (restart) return { looks: look, now };
    before = now;
  }
  return null;
}

test('a route that stands still while its source moves gets another worker, once the patience is over', () => {
  // The first look is a step: from nothing to seven.
  expect(looksUntilRestart(moving, () => still)?.looks).toBe(1 + patience);
});

test.for([
  ['moves', (look: number) => ({ ...still, steps: look })],
  ['moves now and then', (look: number) => ({ ...still, steps: Math.floor(look / patience) })],
  ['has nothing to do: its source commits nothing', () => ({ ...still, due: false })],
  ['waits for another session', () => ({ ...still, waits: true })],
  ['does not stream', () => null],
] as const)('a route is left alone that %s', ([, report]) => {
  expect(looksUntilRestart(moving, report)).toBeNull();
});

test('time that was spent in waiting does not count', () => {
  const report = (look: number): ProgressReport => ({ ...still, waits: look % patience === 0 });
  expect(looksUntilRestart(moving, report)).toBeNull();
});

test('restarts that do not help come after twice as long each time, and never end', () => {
  let from = moving;
  const looks = [];
  for (let worker = 1; worker <= 7; worker++) {
    // A few steps are no proof that it has helped.
    const end = looksUntilRestart(from, () => still);
    looks.push(end?.looks);
    from = end?.now ?? from;
  }
  expect(looks).toEqual([1, 2, 4, 8, 16, 16, 16].map((factor) => 1 + factor * patience));
});

test('a route that has moved for as long as the patience lasts is well again', () => {
  const first = looksUntilRestart(moving, () => still)?.now ?? moving;
  let before = first;
  for (let step = 1; step <= patience; step++)
    before = judgeProgress(before, { ...still, steps: 100 + step }, patience).now;
  expect(before.restarts).toBe(0);
  expect(first.restarts).toBe(1);
});
