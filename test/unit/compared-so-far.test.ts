import { expect, test } from 'vitest';
import type { Job } from '../../src/core/job.ts';
import { comparedSoFar } from '../../src/operations/compare/compared-so-far.ts';
import { nextAtMs } from '../../src/supervisor/compare-watch.ts';

const table = (name: string, counts: object) => ({
  name,
  target: name,
  rows: 10,
  missing: 0,
  extra: 0,
  different: 0,
  undecided: 0,
  unverified: null,
  examples: [],
  ...counts,
});

function job(number: number, shown: Partial<Job> & { readonly tables?: readonly object[] }): Job {
  const { tables, ...more } = shown;
  const at = `2026-11-0${number}T00:00:00.000Z`;
  return {
    number,
    kind: 'compare',
    options: {},
    state: 'done',
    wish: 'run',
    progress: null,
    reason: null,
    askedBy: 'tidelock',
    askedAt: at,
    begunAt: at,
    endedAt: at,
    attempts: 1,
    result: tables === undefined ? null : { tables },
    ...more,
  };
}

const stored = (...names: string[]) => names.map((name) => ({ source: name, target: name }));
const carried = stored('a', 'b', 'c');

test('of each table the last compare of all of its rows counts, and a repair after it', () => {
  const first = job(1, { tables: [table('a', { missing: 2 }), table('b', { different: 1 }), table('c', {})] });
  const one = comparedSoFar('r', [first], carried);
  expect(one).toMatchObject({ tables: 3, rows: 30, missing: 2, different: 1, job: 'r/1' });
  // Parts of the rows, a rehearsal and what was never finished say nothing of the others.
  const parts = [
    job(5, { options: { where: 'id = 1' }, tables: [table('a', {})] }),
    job(4, { options: { sample: 0.1 }, tables: [table('a', {})] }),
    job(3, { state: 'cancelled' }),
    job(2, { kind: 'repair', result: { dryRun: true, tables: [table('a', { left: 0 })] } }),
  ];
  expect(comparedSoFar('r', [...parts, first], carried)).toEqual(one);
  const repaired = job(6, { kind: 'repair', result: { dryRun: false, tables: [table('a', { missing: 2, left: 0 })] } });
  expect(comparedSoFar('r', [repaired, ...parts, first], carried)).toMatchObject({
    missing: 0,
    different: 1,
    job: 'r/1',
  });
  const mended = job(7, { tables: [table('b', {})] });
  expect(comparedSoFar('r', [mended, repaired, first], carried)).toMatchObject({
    missing: 0,
    different: 0,
    job: null,
    at: '2026-11-07T00:00:00.000Z',
    oldest: '2026-11-01T00:00:00.000Z',
  });
  expect(comparedSoFar('r', parts, carried)).toBe(null);
});

test('what was found in a table that has left the route is not told any more', () => {
  const jobs = [job(1, { tables: [table('a', { missing: 2 }), table('b', {})] })];
  expect(comparedSoFar('r', jobs, carried)).toMatchObject({ tables: 2, missing: 2, job: 'r/1' });
  expect(comparedSoFar('r', jobs, stored('b', 'c'))).toMatchObject({ tables: 1, rows: 10, missing: 0, job: null });
  expect(comparedSoFar('r', jobs, stored('c'))).toBe(null);
  // One that has another target by now; and one of several.
  expect(comparedSoFar('r', jobs, [{ source: 'a', target: 'aa' }])).toBe(null);
  expect(comparedSoFar('r', jobs, [{ source: 'a', target: 'aa, a' }])).toMatchObject({ missing: 2 });
});

test('the next compare in the background comes in its time, and never beside one that has not ended', () => {
  const day = 86_400_000;
  const begun = Date.parse('2026-11-01T00:00:00.000Z');
  expect(nextAtMs(null, null)).toBe(null);
  expect(nextAtMs(day, null)).toBe(0);
  expect(nextAtMs(day, job(1, {}))).toBe(begun + day);
  for (const state of ['waiting', 'running', 'paused'] as const)
    expect(nextAtMs(day, job(1, { state, endedAt: null }))).toBe(null);
  // Not again and again at once what fails at once.
  expect(nextAtMs(1_000, job(1, { state: 'failed' }))).toBe(begun + 60_000);
});
