import { expect, test } from 'vitest';
import type { Position } from '../../../src/core/position.ts';
import { type HealthFacts, judgeHealth } from '../../../src/supervisor/route-health.ts';

const well: HealthFacts = {
  route: 'one',
  limits: {
    lag: { warnMs: 10_000, criticalMs: 60_000 },
    retained: { warnBytes: 1_000, criticalBytes: 2_000 },
    memoryBytes: null,
  },
  state: 'running',
  inStateMs: 0,
  lagMs: 5,
  retainedBytes: null,
  room: null,
  parked: { count: 0, since: null },
  wait: null,
  resting: [],
  memory: { rssBytes: 100, limitBytes: 200 },
  blockedMs: 0,
};

const judged = (change: Partial<HealthFacts>) => {
  const { health, concerns } = judgeHealth({ ...well, ...change });
  return [health, ...concerns.map(({ level, code }) => `${level} ${code}`)];
};

const restarted = (recent: number, agoMs = 40_000) => ({
  at: '2026-11-22T18:00:00.000Z',
  reason: { code: 'TL-4310', message: 'the worker of route one died (signal SIGKILL)' },
  recent,
  agoMs,
});

const wait = (waitedMs: number) => ({ waitedMs, what: 'lock on relation', holders: 'session 7 (user dba)' });

test.for<[string, Partial<HealthFacts>, string[]]>([
  ['a running route', {}, ['ok']],
  [
    'a table whose load rests',
    { resting: [{ table: 'public.item' }, { table: 'public.other' }] },
    ['warning', 'warning TL-4164'],
  ],
  ['a starting one', { state: 'starting' }, ['unknown']],
  ['one that starts for a minute', { state: 'starting', inStateMs: 60_000 }, ['warning', 'warning TL-4307']],
  ['one that starts after its worker has died', { state: 'starting', restarted: restarted(1) }, ['warning']],
  ['one that runs since', { restarted: restarted(2) }, ['ok']],
  ['whose workers end again and again', { restarted: restarted(3) }, ['warning', 'warning TL-4314']],
  ['that starts once more', { state: 'starting', restarted: restarted(3) }, ['warning', 'warning TL-4314']],
  ['whose workers have ended a quarter of an hour ago', { restarted: restarted(7, 900_000) }, ['ok']],
  ['that somebody has stopped after its workers ended', { state: 'stopped', restarted: restarted(3) }, ['ok']],
  ['whose workers have ended until it has failed', { state: 'failed', restarted: restarted(8) }, ['critical']],
  ['one that tries again', { state: 'retrying' }, ['warning']],
  ['one that has halted', { state: 'failed' }, ['critical']],
  ['one that is fenced', { state: 'fenced' }, ['critical']],
  ['late', { lagMs: 10_000 }, ['warning', 'warning TL-4301']],
  ['very late', { lagMs: 60_000 }, ['critical', 'critical TL-4301']],
  ['of which the source keeps much', { retainedBytes: 1_000 }, ['warning', 'warning TL-4302']],
  ['of which it keeps too much', { retainedBytes: 2_000 }, ['critical', 'critical TL-4302']],
  ['that its source keeps all for', { room: { leftBytes: 5, limitBytes: null } }, ['ok']],
  ['of whose limit more than a fifth is left', { room: { leftBytes: 201, limitBytes: 1_000 } }, ['ok']],
  ['of whose limit a fifth is left', { room: { leftBytes: 200, limitBytes: 1_000 } }, ['warning', 'warning TL-4313']],
  [
    'that loses its queue with the next checkpoint, below its own limits',
    { retainedBytes: 999, room: { leftBytes: 0, limitBytes: 900 } },
    ['critical', 'critical TL-4313'],
  ],
  [
    'that does, and that its source keeps much for',
    { retainedBytes: 2_000, room: { leftBytes: 0, limitBytes: null } },
    ['critical', 'critical TL-4313', 'critical TL-4302'],
  ],
  ['with parked transactions', { parked: { count: 2, since: '0/1' as Position } }, ['warning', 'warning TL-4201']],
  ['that waits a little', { wait: wait(9_999) }, ['ok']],
  ['that waits', { wait: wait(10_000) }, ['warning', 'warning TL-4303']],
  ['that waits long', { wait: wait(60_000) }, ['critical', 'critical TL-4303']],
  [
    'that uses 90 % of its memory',
    { memory: { ...well.memory, rssBytes: 180 } as HealthFacts['memory'] },
    ['warning', 'warning TL-4305'],
  ],
  [
    'that is stopped and has not given it back',
    { state: 'stopped', memory: { ...well.memory, rssBytes: 180 } as HealthFacts['memory'] },
    ['ok'],
  ],
  [
    'whose compare in the background has failed',
    { compareFailure: { code: 'TL-4155', message: 'm', remedy: 'r' } },
    ['warning', 'warning TL-4309'],
  ],
  ['that stood still', { blockedMs: 5_000 }, ['warning', 'warning TL-4306']],
  [
    'late since it waits',
    { lagMs: 70_000, wait: wait(70_000), blockedMs: 6_000 },
    ['critical', 'critical TL-4303', 'critical TL-4301', 'warning TL-4306'],
  ],
  [
    'waiting, and late for longer than that',
    { lagMs: 70_000, wait: wait(20_000) },
    ['critical', 'critical TL-4301', 'warning TL-4303'],
  ],
])('the health of a route: %s', ([, facts, expected]) => {
  expect(judged(facts)).toEqual(expected);
});

test('who holds the route up is named', () => {
  expect(judgeHealth({ ...well, wait: wait(12_000) }).concerns[0]?.message).toBe(
    'route one has waited for 12 s at the target (lock on relation), held up by session 7 (user dba)',
  );
});

test('rows that a compare has found missing are looked for where they are known to be', () => {
  const compared = { at: '2026-11-22T18:00:00.000Z', job: 'one/7', missing: 5, extra: 0, different: 0 };
  const remedyOf = (change: Partial<HealthFacts>): string | undefined =>
    judgeHealth({ ...well, compared, ...change } as HealthFacts).concerns.find(({ code }) => code === 'TL-4308')
      ?.remedy;
  expect(remedyOf({})).toMatch(/^"tidelock jobs watch one\/7" tells which.*who writes at the target/);
  expect(remedyOf({ resting: [{ table: 'public.item' }] })).toContain('The load of tables has not ended (TL-4164)');
  expect(remedyOf({ parked: { count: 1, since: null } })).toContain('"tidelock parked list one"');
});
