import type { JobDetail } from '../../src/control/jobs.ts';

/** Jobs of one route: a compare that has found differences, one that runs in the background, a load that has failed. */
export function fakeJobs(route: string, now = Date.now()): readonly JobDetail[] {
  const at = (minutesAgo: number): string => new Date(now - minutesAgo * 60_000).toISOString();
  const job = (number: number, shown: Partial<JobDetail>): JobDetail => ({
    version: 1,
    id: `${route}/${number}`,
    route,
    kind: 'compare',
    state: 'done',
    wish: 'run',
    tables: [],
    done: null,
    total: null,
    progress: null,
    reason: null,
    askedBy: 'mira',
    askedAt: at(90),
    startedAt: at(90),
    endedAt: at(84),
    attempts: 1,
    engine: true,
    result: null,
    ...shown,
  });
  const table = (name: string, counts: object) => ({
    name: `public.${name}`,
    target: `dwh.${name}`,
    rows: 1_204_331,
    missing: 0,
    extra: 0,
    different: 0,
    undecided: 0,
    unverified: null,
    examples: [],
    ...counts,
  });
  return [
    job(14, {
      state: 'running',
      askedBy: 'tidelock',
      startedAt: at(12),
      endedAt: null,
      done: 810_000,
      total: 2_408_662,
      progress: {
        tables: [table('orders', { state: 'comparing' }), table('customers', { rows: 0, state: 'waiting' })],
      },
    }),
    job(13, {
      kind: 'load',
      state: 'failed',
      tables: ['public.orders'],
      reason: { code: 'TL-2113', message: 'rows are at dwh.orders already', remedy: 'Empty it, or load with replace.' },
    }),
    job(12, {
      progress: {
        tables: [
          table('customers', {}),
          table('orders', { missing: 1, different: 1 }),
          table('events', { rows: 0, unverified: 'it is not there at the target' }),
        ],
      },
      result: {
        version: 1,
        route,
        equal: false,
        tables: [
          table('customers', {}),
          table('orders', {
            missing: 1,
            different: 1,
            examples: [
              { kind: 'missing', digest: '8f1c02aa91d37f00', columns: [] },
              { kind: 'different', digest: '1b7740c2de81a9e4', columns: ['total', 'note'] },
            ],
          }),
          table('events', { rows: 0, unverified: 'it is not there at the target' }),
        ],
      },
    }),
  ];
}
