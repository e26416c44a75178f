import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SharedAnswers } from '../../src/api/shared-answers.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function asking() {
  const answers = new SharedAnswers(1_000);
  const begun: { resolve(answer: object): void; reject(error: Error): void }[] = [];
  const ask = (question = 'schema of one') =>
    answers.ask(question, () => {
      const run = Promise.withResolvers<object>();
      begun.push(run);
      return run.promise;
    });
  return { begun, ask };
}

const still = { code: 'TL-1050', recovery: 'retry' };

test('who asks while others wait shares the next run with them, which began after all had asked', async () => {
  const { begun, ask } = asking();
  const first = ask();
  const others = [ask(), ask(), ask()];
  await vi.advanceTimersByTimeAsync(500);
  expect(begun).toHaveLength(1);
  begun[0]?.resolve({ as: 'before' });
  expect(await first).toEqual({ as: 'before' });
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toHaveLength(2);
  begun[1]?.resolve({ as: 'after' });
  expect(await Promise.all(others)).toEqual([{ as: 'after' }, { as: 'after' }, { as: 'after' }]);
  // Nothing is told twice.
  void ask();
  expect(begun).toHaveLength(3);
});

test('nobody waits without end, what takes longer goes on, and who asks again gets it', async () => {
  const { begun, ask } = asking();
  const waiting = [ask(), ask()].map((one) => expect(one).rejects.toMatchObject(still));
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all(waiting);
  const again = expect(ask()).rejects.toMatchObject(still);
  await vi.advanceTimersByTimeAsync(1_000);
  await again;
  expect(begun).toHaveLength(1);
  begun[0]?.resolve({ as: 'late' });
  await vi.advanceTimersByTimeAsync(59_000);
  expect(await ask()).toEqual({ as: 'late' });
  void ask().catch(() => {});
  expect(begun).toHaveLength(2);
  // What is older than a minute is asked anew.
  await vi.advanceTimersByTimeAsync(1_000);
  begun[1]?.resolve({ as: 'old' });
  await vi.advanceTimersByTimeAsync(61_000);
  void ask().catch(() => {});
  expect(begun).toHaveLength(3);
});

test('an error is told to those who waited for this run, and other questions have runs of their own, up to a number', async () => {
  const { begun, ask } = asking();
  const first = ask();
  const second = ask();
  begun[0]?.reject(new Error('refused'));
  await expect(first).rejects.toThrow('refused');
  await vi.advanceTimersByTimeAsync(1);
  begun[1]?.resolve({ as: 'mended' });
  expect(await second).toEqual({ as: 'mended' });
  for (let i = 0; i < 16; i++) void ask(`question ${i}`).catch(() => {});
  await expect(ask('one more')).rejects.toMatchObject({ code: 'TL-1048' });
  for (const run of begun.slice(2)) run.resolve({});
  await vi.advanceTimersByTimeAsync(1);
  void ask('one more').catch(() => {});
  expect(begun).toHaveLength(19);
});
