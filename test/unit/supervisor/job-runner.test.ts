import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import type { JobWork } from '../../../src/operations/jobs/job-work.ts';
import { JobRunner, type JobRunnerOptions } from '../../../src/supervisor/job-runner.ts';
import { until } from '../../support/until.ts';

test('an engine that has lost its lease leaves jobs alone until the next renewal', async () => {
  let asked = 0;
  const jobs = {
    due: async () => {
      asked++;
      return asked > 50 ? [] : [{ number: 1, kind: 'compare', wish: 'run', askedBy: 'test' }];
    },
    begin: async () => {
      throw fail(routeErrors.fenced, { route: 'r', epoch: '1' });
    },
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;
  const options = { definition: { name: 'r' }, store: { jobs }, logger, kinds: { compare: async () => ({}) } };
  const runner = new JobRunner(options as unknown as JobRunnerOptions);
  runner.renewed({ jobsDue: true } as Wanted);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await runner.close();
  expect(asked).toBe(1);
});

test('a job of a kind that only a newer engine knows fails with its code, and is not begun', async () => {
  const due = [{ number: 7, kind: 'later', wish: 'run', options: {}, askedBy: 'test' }];
  const ended = Promise.withResolvers<object>();
  const begun: number[] = [];
  const jobs = {
    due: async () => due.splice(0),
    begin: async (number: number) => void begun.push(number),
    end: async (number: number, outcome: object) => ended.resolve({ number, ...outcome }),
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;
  const options = { definition: { name: 'r' }, store: { jobs }, logger, kinds: { compare: async () => ({}) } };
  const runner = new JobRunner(options as unknown as JobRunnerOptions);
  runner.renewed({ jobsDue: true } as Wanted);
  const reason = { code: 'TL-4150', message: expect.stringContaining('r/7'), remedy: expect.stringContaining('r/7') };
  expect(await ended.promise).toEqual({ number: 7, state: 'failed', reason });
  await runner.close();
  expect(begun).toEqual([]);
});

test('a job that somebody wants otherwise than it was begun is taken up anew with that, and only then', async () => {
  let options: object = { maxLoad: 0.1 };
  const begun: unknown[] = [];
  let looks = 0;
  const jobs = {
    due: async () => {
      looks++;
      return [{ number: 1, kind: 'compare', wish: 'run', askedBy: 'test', options: { ...options } }];
    },
    begin: async () => {},
  };
  const compare = async ({ job, signal }: JobWork): Promise<object> => {
    begun.push(job.options);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    throw new Error('aborted');
  };
  const logger = { debug() {}, info() {}, warn() {}, error() {} } as unknown as Logger;
  const given = { definition: { name: 'r' }, store: { jobs }, logger, kinds: { compare } };
  const runner = new JobRunner(given as unknown as JobRunnerOptions);
  const look = (): void => runner.renewed({ jobsDue: true } as Wanted);
  look();
  await until('the job', () => begun.length === 1);
  const before = looks;
  look();
  await until('another look', () => looks > before);
  await setImmediate();
  expect(begun).toEqual([{ maxLoad: 0.1 }]);
  options = { maxLoad: 1 };
  look();
  for (let turn = 0; turn < 100 && begun.length < 2; turn++) await setImmediate();
  expect(begun[1]).toEqual({ maxLoad: 1 });
  await runner.close();
  expect(begun).toHaveLength(2);
});
