import { expect, test } from 'vitest';
import { demandComparable, demandDirection } from '../../src/control/jobs.ts';
import type { JobWork } from '../../src/operations/jobs/job-work.ts';
import { repairJob } from '../../src/operations/repair/repair-job.ts';
import { ConfigurationFiles, caught, withRoute } from '../support/configuration-files.ts';

test('a repair of a route that does not stream ends with its code, and lets go what it has opened', async () => {
  let closed = 0;
  const work = {
    job: { number: 1, options: { tables: [], where: null } },
    definition: { name: 'r' },
    target: { repairer: async () => ({ close: async () => void closed++ }) },
    live: () => null,
    signal: new AbortController().signal,
  };
  await expect(repairJob(work as unknown as JobWork)).rejects.toMatchObject({ code: 'TL-4157', place: { route: 'r' } });
  expect(closed).toBe(1);
});

test('which side is right has to be said where rows go both ways, and be a side that the route carries rows from', () => {
  using files = new ConfigurationFiles();
  const one = files.load(withRoute('tables: [public.t]'));
  const only = one.routes.demand('r', 'route');
  expect(demandDirection(one, only, undefined)).toBeNull();
  expect(caught(() => demandDirection(one, only, 'b'))).toMatchObject({
    code: 'TL-4159',
    place: { route: 'r', from: 'a', given: 'b' },
  });
  const back = '\n  back:\n    from: b\n    to: a\n    tables: [public.t]\n';
  const two = files.load(`${withRoute('tables: [public.t]').trimEnd()}${back}`);
  const there = two.routes.demand('r', 'route');
  expect(caught(() => demandDirection(two, there, undefined))).toMatchObject({
    code: 'TL-4158',
    place: { route: 'r', from: 'a', other: 'back' },
    remedy: expect.stringContaining('"tidelock repair back --from b" where b is'),
  });
  expect(demandDirection(two, there, 'a')).toBe('back');
});

test.each([
  ['postgres', 'mysql', true, 'TL-5010'],
  ['mariadb', 'postgres', true, 'TL-5010'],
  ['postgres', 'mysql', false, null],
  ['mysql', 'mariadb', true, null],
  ['postgres', 'postgres', true, null],
])(
  'from %s to %s, with a route back: %s, is compared and repaired, or refused before anything begins',
  (from, to, isTwoWay, code) => {
    using files = new ConfigurationFiles();
    const node = (type: string): string =>
      `{ type: ${type}, url: "${type}://u:p@localhost${type === 'postgres' ? '/db' : ''}" }`;
    const back = isTwoWay ? '\n  back: { from: b, to: a, tables: [shop.t] }' : '';
    const configuration = files.load(
      `version: 1\nname: prod\nnodes:\n  a: ${node(from)}\n  b: ${node(to)}\nroutes:\n  there: { from: a, to: b, tables: [shop.t] }${back}\n`,
    );
    const route = configuration.routes.demand('there', 'route');
    for (const kind of ['compare', 'repair'] as const) {
      const asked = (): void => demandComparable(configuration, route, kind);
      if (code === null) expect(asked).not.toThrow();
      else expect(caught(asked)).toMatchObject({ code, message: expect.stringContaining('back carries rows back') });
    }
  },
);
