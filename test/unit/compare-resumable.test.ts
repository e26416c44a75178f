import { expect, test } from 'vitest';
import { lastDifferent } from '../../src/cli/compare/last-different.ts';
import { resumable } from '../../src/cli/compare/resumable.ts';
import type { Control } from '../../src/control/control.ts';
import type { JobView } from '../../src/control/jobs.ts';

function job(number: number, shown: Partial<JobView>): JobView {
  return { id: `r/${number}`, kind: 'compare', state: 'paused', askedBy: 'mira', ...shown } as JobView;
}

test('what --resume goes on with is the last compare of a person that rests, then one that is under way, then one of the route itself that rests', () => {
  const own = { askedBy: 'tidelock' };
  const jobs = [
    job(9, { state: 'running', ...own }),
    job(8, { state: 'done' }),
    job(7, { kind: 'repair' }),
    job(6, { state: 'failed', ...own }),
    job(5, { state: 'waiting' }),
    job(4, { state: 'failed' }),
    job(3, {}),
  ];
  const without = (...ids: string[]) => resumable(jobs.filter(({ id }) => !ids.includes(id)))?.id;
  expect(without()).toBe('r/4');
  expect(without('r/4')).toBe('r/3');
  expect(without('r/4', 'r/3')).toBe('r/5');
  expect(without('r/4', 'r/3', 'r/5')).toBe('r/6');
  expect(without('r/4', 'r/3', 'r/5', 'r/6')).toBeUndefined();
});

test('repair --last is of the tables that differ by the last compare, or by the one that the status tells of where that was of others', async () => {
  const table = (name: string, missing: number) => ({ name, missing, extra: 0, different: 0 });
  const results: Readonly<Record<number, object[]>> = {
    1: [table('a', 2), table('b', 0), table('c', 1)],
    2: [table('b', 0)],
  };
  const control = (numbers: readonly number[], told: string | null) =>
    ({
      jobs: async () => ({ jobs: numbers.map((number) => job(number, { state: 'done' })) }),
      job: async ({ number }: { number: number }) => ({ result: { tables: results[number] } }),
      status: async () => ({ routes: [{ name: 'r', compared: { job: told } }] }),
    }) as unknown as Control;
  expect(await lastDifferent(control([1], 'r/1'), 'r')).toEqual(['a', 'c']);
  expect(await lastDifferent(control([2, 1], 'r/1'), 'r')).toEqual(['a', 'c']);
  await expect(lastDifferent(control([2], null), 'r')).rejects.toThrow('the compare r/2 has found no differences');
  await expect(lastDifferent(control([], null), 'r')).rejects.toThrow('no compare that is done');
});
