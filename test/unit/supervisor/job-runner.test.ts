import { expect, test } from 'vitest';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Wanted } from '../../../src/core/route-state-store.ts';
import { JobRunner, type JobRunnerOptions } from '../../../src/supervisor/job-runner.ts';

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
