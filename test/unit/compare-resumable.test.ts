import { expect, test } from 'vitest';
import { resumable } from '../../src/cli/compare/resumable.ts';
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
