import { expect, test } from 'vitest';
import {
  judgeMemory,
  type MemoryHistory,
  memoryLimitBytes,
  nearsLimit,
  noMemoryHistory,
} from '../../../src/supervisor/memory-limit.ts';

const mb = 2 ** 20;
const limitBytes = 400 * mb;
const memory = (megabytes: number) => ({ rssBytes: megabytes * mb, limitBytes });

test('the limit is the budget and four times the largest row beside the process, unless somebody has set it', () => {
  const needs = { budgetBytes: 128 * mb, largestRowBytes: 10 * mb };
  expect(memoryLimitBytes({ ...needs, setBytes: null })).toBe((256 + 128 + 40) * mb);
  expect(memoryLimitBytes({ ...needs, setBytes: 300 * mb })).toBe(300 * mb);
});

test('it warns before, and restarts only what stays above', () => {
  expect([350, 370, 400].map((megabytes) => nearsLimit(memory(megabytes)))).toEqual([false, true, true]);
  let history = noMemoryHistory;
  const restarts = [500, 500, 399, 500, 500, 500].map((megabytes, at) => {
    const judged = judgeMemory(history, memory(megabytes), at * 2_000);
    history = judged.history;
    return judged.restart;
  });
  expect(restarts).toEqual([false, false, false, false, false, true]);
});

test('a restart that does not help is not repeated before half an hour, then after twice as long each time', () => {
  let history: MemoryHistory = noMemoryHistory;
  const restartsAtMinutes: number[] = [];
  for (let nowMs = 0; nowMs < 16 * 3_600_000; nowMs += 2_000) {
    const judged = judgeMemory(history, memory(500), nowMs);
    history = judged.history;
    if (judged.restart) restartsAtMinutes.push(Math.round(nowMs / 60_000));
  }
  expect(restartsAtMinutes).toEqual([0, 30, 90, 210, 450, 930]);
});

test('without a limit nothing is judged', () => {
  expect(nearsLimit({ ...memory(9_999), limitBytes: null })).toBe(false);
  expect(judgeMemory({ ...noMemoryHistory, above: 9 }, { ...memory(9_999), limitBytes: null }, 0).restart).toBe(false);
});
