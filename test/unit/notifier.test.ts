import { expect, test } from 'vitest';
import type { RouteStatus, Told } from '../../src/core/route-status.ts';
import type { Notice } from '../../src/notify/notice.ts';
import { Notifier } from '../../src/notify/notifier.ts';
import { RouteConditions } from '../../src/supervisor/route-conditions.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';

const concern = (code: string, message: string) => ({
  code,
  message,
  level: 'critical' as const,
  since: '2026-11-21T10:00:00.000Z',
});

const running: Partial<RouteStatus> = { state: 'running', leads: true, wanted: 'running', concerns: [] };
const failed: Partial<RouteStatus> = {
  state: 'failed',
  health: 'critical',
  leads: true,
  concerns: [],
  reason: { code: 'TL-2104', message: 'does not fit' },
};
const lagging: Partial<RouteStatus> = {
  ...running,
  health: 'critical',
  lagMs: 90_000,
  concerns: [concern('TL-4301', '90 s behind')],
};
const keeping: Partial<RouteStatus> = {
  ...running,
  retainedBytes: 21_000_000_000,
  health: 'critical',
  concerns: [concern('TL-4302', 'keeps 21 GB')],
};

function begin(...more: readonly string[]) {
  const supervisor = new FakeSupervisor('sales', ...more);
  const notices: Notice[] = [];
  const told: Told[] = [];
  const toldOf: string[] = [];
  let nowMs = 1_700_000_000_000;
  let delivered: () => void = () => {};
  let receiving = Promise.resolve();
  const notifier = new Notifier({
    deployment: 'prod',
    routes: new RouteConditions(supervisor),
    deliver: (notice) => {
      notices.push(notice);
      return receiving;
    },
    onTold: (route, what) => {
      told.push(what);
      toldOf.push(route);
    },
    nowMs: () => nowMs,
  });
  return {
    supervisor,
    told,
    toldOf,
    notices,
    says: (status: Partial<RouteStatus>) => supervisor.says('sales', status),
    /** What is told within so many seconds. */
    within(seconds: number): string[] {
      const from = notices.length;
      for (let at = 0; at < seconds; at++) {
        nowMs += 1_000;
        notifier.tick();
      }
      return notices.slice(from).map(({ event, about, severity }) => `${event} ${about} ${severity}`);
    },
    /** From now on nobody takes what is told, until the returned function is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      receiving = promise;
      delivered = resolve;
      return delivered;
    },
  };
}

test('a failure and its end are told, with what there is to know', async () => {
  const { says, within, notices, told } = begin();
  says(running);
  expect(within(60)).toEqual([]);
  says(failed);
  expect(within(60)).toEqual(['problem health critical']);
  expect(notices[0]).toMatchObject({
    deployment: 'prod',
    route: 'sales',
    state: 'failed',
    reason: { code: 'TL-2104' },
  });
  expect(notices[0]?.text).toBe('prod/sales: failed, TL-2104: does not fit');
  await Promise.resolve();
  expect(told.at(-1)).toMatchObject({ health: { severity: 'critical', causes: ['state:TL-2104'] }, retention: null });
  says(running);
  expect(within(60)).toEqual(['recovery health info']);
  await Promise.resolve();
  expect(told.at(-1)).toEqual({ health: null, retention: null });
});

test('lag is told once it lasts, in seconds', () => {
  const { says, within, notices } = begin();
  says(running);
  within(5);
  says(lagging);
  expect(within(10)).toEqual([]);
  expect(within(10)).toEqual(['problem health critical']);
  expect(notices[0]?.text).toBe('prod/sales: running, TL-4301: 90 s behind');
});

test('a route that is paused is silent, but for what its source keeps', () => {
  const { says, within } = begin();
  says(running);
  within(5);
  says({ ...failed, wanted: 'paused' });
  expect(within(300)).toEqual([]);
  says({ ...keeping, state: 'paused', wanted: 'paused' });
  expect(within(60)).toEqual(['problem retention critical']);
  // After the pause all counts again.
  says(failed);
  expect(within(60)).toContain('problem health critical');
});

test('an engine that stands by, or is fenced, tells nothing', () => {
  const { says, within } = begin();
  says({ state: 'standby', leads: false });
  expect(within(300)).toEqual([]);
  // It can't reach the target either; the one that has the route tells that.
  says({ ...failed, state: 'retrying', leads: false, health: 'warning' });
  expect(within(300)).toEqual([]);
  says({ ...failed, state: 'fenced', leads: false });
  expect(within(300)).toEqual([]);
});

test('the engine that takes over says so, and does not tell again what was told', () => {
  const { says, within, notices } = begin();
  says({ state: 'standby', leads: false });
  within(60);
  const told = { health: { severity: 'critical', causes: ['state:TL-2104'], sinceMs: 0 }, retention: null } as const;
  const inherited = { host: 'db-a', pid: 17 };
  says({ ...running, state: 'starting', health: 'unknown', inherited, told });
  expect(within(60)).toEqual(['takeover health info']);
  expect(notices[0]?.text).toContain('db-a (process 17)');
  says({ ...failed, inherited, told });
  expect(within(300)).toEqual([]);
  says({ ...running, inherited, told });
  expect(within(60)).toEqual(['recovery health info']);
});

test('one that was given the route in order tells nothing of it', () => {
  const { says, within } = begin();
  says({ state: 'standby', leads: false });
  within(60);
  says(running);
  expect(within(300)).toEqual([]);
});

test('what nobody has heard yet is not stored as told', async () => {
  const { says, within, told, hold } = begin();
  const delivered = hold();
  says(failed);
  expect(within(5)).toEqual(['problem health critical']);
  await Promise.resolve();
  expect(told).toEqual([]);
  delivered();
  await Promise.resolve();
  await Promise.resolve();
  expect(told).toHaveLength(1);
});

test('a route whose workers die one after the other, or that never comes up, is told', () => {
  const { supervisor, says, within, notices } = begin();
  says(running);
  within(60);
  const crashing = Array.from({ length: 200 }, () => {
    supervisor.dies('sales');
    const tells = within(1);
    supervisor.start('sales');
    return tells;
  });
  expect(crashing.flat()).toEqual(['problem health warning']);
  expect(notices[0]?.text).toBe('prod/sales: starting, see the log of the service');
});

test('what one cause does to many routes is one notice', async () => {
  const names = Array.from({ length: 63 }, (_, at) => `r${at}`);
  const { supervisor, within, notices, toldOf } = begin(...names);
  const all = ['sales', ...names];
  for (const name of all) supervisor.says(name, running);
  within(5);
  for (const [at, name] of all.entries()) {
    const code = at < 60 ? 'TL-5001' : 'TL-2104';
    supervisor.says(name, { ...failed, state: 'failed', reason: { code, message: 'gone' } });
  }
  expect(within(60)).toEqual(['problem health critical', 'problem health critical']);
  expect(notices[0]?.routes).toEqual(all.slice(0, 60));
  expect(notices[0]?.text).toBe(
    'prod: 60 routes (sales, r0, r1, r2, r3 and 55 more), as prod/sales: failed, TL-5001: gone',
  );
  expect(notices[1]?.routes).toEqual(all.slice(60));
  await Promise.resolve();
  expect(toldOf).toEqual(all);
});
