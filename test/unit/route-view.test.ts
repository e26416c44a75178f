import { expect, test } from 'vitest';
import { type RouteAnswers, routeView } from '../../src/control/route-view.ts';
import type { ActionJournal, JournalledAction } from '../../src/core/action.ts';
import { nodeErrors } from '../../src/core/errors/catalogue/node.ts';
import { fail } from '../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../src/core/position.ts';
import type { RouteDefinition } from '../../src/core/route.ts';
import type { StoredRoute } from '../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../src/core/route-status.ts';
import { renamedTo } from '../../src/operations/renamed-route.ts';

const asked = { pausedUntil: null, restart: 0, reason: null, askedBy: null, pending: null, leftover: null } as const;

const definition = {
  name: 'one',
  from: { name: 'here' },
  to: { name: 'there' },
  limits: { retained: { warnBytes: 100, criticalBytes: 200 } },
} as RouteDefinition;

const status: RouteStatus = {
  state: 'running',
  reason: null,
  health: 'ok',
  sourcePosition: '0/2',
  targetPosition: '0/1',
  lagMs: 5,
  transactions: 1,
  rows: 2,
  collisions: 3,
  parked: 0,
  restarts: 4,
  retainedBytes: 1,
  load: null,
};

const holder = { supervisor: 's', host: 'h', pid: 7, expiresInMs: 9_000 };

const stored: StoredRoute = {
  wanted: { state: 'running', request: 0, acceptSchemaChangesTo: null, parkingAsked: false, ...asked },
  epoch: 2n,
  holder,
  status,
  statusAgeMs: 1_000,
  checkpoint: { phase: 'ready', source: {}, position: '0/1' as Position, sequence: 1n, lastCommit: null },
  parked: { count: 0, since: null },
  applied: null,
  pending: null,
};

const source: RouteAnswers['source'] = {
  position: '0/9' as Position,
  retainedBytes: 50,
  queue: 'active',
  queuePosition: '0/8' as Position,
};

/** Of a concern that the look itself has found. */
const firstSeen = '2026-11-21T08:00:00.000Z';

const view = (change: Partial<StoredRoute> | null, others: Partial<RouteAnswers> = {}) =>
  routeView({
    definition,
    stored: change === null ? null : { ...stored, ...change },
    source,
    seenSince: (_, told) => told ?? firstSeen,
    ...others,
  });

test('the shape of a running route is the contract', () => {
  expect(view({})).toEqual({
    name: 'one',
    state: 'running',
    desiredState: 'running',
    askedBy: null,
    askedReason: null,
    pausedUntil: null,
    reason: null,
    health: 'ok',
    source: { node: 'here', position: '0/9' },
    target: { node: 'there', position: '0/1' },
    lagMs: 5,
    transactions: 1,
    rows: 2,
    collisions: 3,
    parked: 0,
    parkedSince: null,
    load: null,
    restarts: 4,
    loadedRows: 0,
    restarted: null,
    engine: { host: 'h', pid: 7 },
    since: null,
    healthSince: null,
    concerns: [],
    ignored: [],
    compared: null,
  });
});

test('a route whose engine has disappeared is not running, whatever it has reported last', () => {
  expect(view({ holder: { ...holder, expiresInMs: -5_000 }, statusAgeMs: 15_000 })).toMatchObject({
    state: 'failed',
    health: 'critical',
    lagMs: null,
    engine: null,
    reason: { code: 'TL-4010', message: 'no engine runs route one: h (process 7) has been silent for 15 s' },
  });
  expect(view({ holder: null })).toMatchObject({ state: 'stopped', health: 'critical', reason: { code: 'TL-4010' } });
});

test('what a service says of its route that has no worker counts, and not of one that another engine has', () => {
  const reason = { code: 'TL-4315', message: 'has no worker', remedy: 'start the service again' };
  const said: RouteStatus = { ...status, state: 'retrying', health: 'critical', reason, lagMs: null, restarts: 5 };
  const between = { supervisor: 's', status: said };
  const told = { state: 'retrying', health: 'critical', reason, lagMs: null, restarts: 5, rows: 2 };
  expect(view({}, { between })).toMatchObject({ ...told, engine: { pid: 7 } });
  // Its lease is over, or was given back.
  const over = { ...holder, expiresInMs: -5_000 };
  for (const left of [over, null]) expect(view({ holder: left }, { between })).toMatchObject({ ...told, engine: null });
  const others = { between: { supervisor: 'another', status: said } };
  expect(view({}, others)).toMatchObject({ state: 'running', restarts: 4 });
  // What halted, and what somebody has stopped, stays so.
  const halt = { ...status, state: 'failed', reason: { code: 'TL-2201', message: 'collision' } } as const;
  expect(view({ status: halt }, { between })).toMatchObject({ state: 'failed', reason: { code: 'TL-2201' } });
  const stopped = { ...stored.wanted, state: 'stopped' } as const;
  expect(view({ wanted: stopped, holder: null }, { between })).toMatchObject({ state: 'stopped', health: 'ok' });
});

test('a route that halted stays failed with its reason when its engine has ended', () => {
  const reason = { code: 'TL-2201', message: 'collision', remedy: 'mend it' };
  expect(view({ holder: null, status: { ...status, state: 'failed', reason } })).toMatchObject({
    state: 'failed',
    reason: { code: 'TL-2201', message: 'collision' },
  });
});

test('stopped on purpose is well', () => {
  const wanted = { state: 'stopped', request: 1, acceptSchemaChangesTo: null, parkingAsked: false, ...asked } as const;
  expect(view({ wanted, holder: null })).toMatchObject({ state: 'stopped', health: 'ok', desiredState: 'stopped' });
});

test('a route with parked transactions says how many and since where, and is not well', () => {
  const parked = { count: 3, since: '0/5' as Position };
  expect(view({ parked })).toMatchObject({
    state: 'running',
    health: 'warning',
    parked: 3,
    parkedSince: '0/5',
    reason: { code: 'TL-4201', message: expect.stringMatching(/3 transactions.*0\/5/) },
  });
  expect(view({ parked, status: { ...status, health: 'critical' } }).health).toBe('critical');
  const reason = { code: 'TL-2201', message: 'collision' };
  expect(view({ parked, status: { ...status, state: 'failed', reason } }).reason).toEqual(reason);
});

test('a queue that its source is about to drop is part of the health, also of a route that rests', () => {
  const left = (leftBytes: number) => ({ source: { ...source, room: { leftBytes, limitBytes: 1_000 } } as never });
  const wanted = { state: 'stopped', request: 1, acceptSchemaChangesTo: null, parkingAsked: false, ...asked } as const;
  const resting = (leftBytes: number) => view({ wanted, holder: null }, left(leftBytes));
  expect(resting(201)).toMatchObject({ health: 'ok', concerns: [] });
  expect(resting(200)).toMatchObject({ health: 'warning', concerns: [{ code: 'TL-4313', level: 'warning' }] });
  expect(resting(0)).toMatchObject({
    health: 'critical',
    concerns: [{ code: 'TL-4313', level: 'critical', since: firstSeen }],
  });
  // What leaves less time is told first.
  const both = { source: { ...source, retainedBytes: 200, room: { leftBytes: 0, limitBytes: null } } as never };
  expect(view({ wanted, holder: null }, both).concerns.map(({ code }) => code)).toEqual(['TL-4313', 'TL-4302']);
});

test('what the source keeps is part of the health', () => {
  const keeping = (retainedBytes: number) => view({}, { source: { ...source, retainedBytes } as never }).health;
  expect([99, 100, 200].map(keeping)).toEqual(['ok', 'warning', 'critical']);
  // Also of a route that rests, at which an engine looks each minute only: why is told with it, and once.
  const wanted = { state: 'stopped', request: 1, acceptSchemaChangesTo: null, parkingAsked: false, ...asked } as const;
  const much = { source: { ...source, retainedBytes: 200 } as never };
  const rests = view({ wanted, holder: null }, much);
  expect(rests).toMatchObject({
    health: 'critical',
    concerns: [{ code: 'TL-4302', level: 'critical', since: firstSeen }],
  });
  const concern = {
    code: 'TL-4302',
    message: 'keeps much',
    level: 'warning',
    since: '2026-11-21T10:00:00.000Z',
  } as const;
  const told = view({ status: { ...status, health: 'warning', concerns: [concern] } }, much);
  expect(told.concerns).toMatchObject([{ code: 'TL-4302', level: 'critical', since: concern.since }]);
  // What the engine saw before it went has been so since then: the look is not the first one.
  const before = { status: { ...status, concerns: [concern] }, holder: null };
  const gone = (more: Partial<RouteAnswers> = {}) => view({ wanted, ...before }, more).concerns;
  expect(gone(much)).toMatchObject([{ code: 'TL-4302', level: 'critical', since: concern.since }]);
  expect(gone()).toEqual([]);
});

test('a side that cannot be asked is told as such', () => {
  const unreachable = fail(nodeErrors.unreachable, { node: 'there', why: 'ECONNREFUSED' });
  expect(view({}, { stored: unreachable })).toMatchObject({
    state: 'unknown',
    desiredState: 'unknown',
    health: 'unknown',
    reason: { code: 'TL-5001' },
  });
  expect(view({}, { source: unreachable })).toMatchObject({
    state: 'running',
    health: 'ok',
    concerns: [],
    source: { position: '0/2' },
  });
  // Nobody else tells that the source of a route that rests is gone, nor where it is by now.
  const wanted = { state: 'stopped', request: 1, acceptSchemaChangesTo: null, parkingAsked: false, ...asked } as const;
  expect(view({ wanted, status: { ...status, state: 'stopped' } }, { source: unreachable })).toMatchObject({
    state: 'stopped',
    health: 'warning',
    concerns: [{ code: 'TL-5001', level: 'warning', since: firstSeen }],
    source: { position: null },
  });
  expect(view(null)).toMatchObject({ state: 'stopped', desiredState: 'running', reason: { code: 'TL-4008' } });
});

test('why a route is not well is told as long as its engine lives', () => {
  const concern = { code: 'TL-4303', message: 'waits', level: 'warning', since: '2026-11-21T10:00:00.000Z' } as const;
  const restarted = { at: '2026-11-21T09:00:00.000Z', reason: { code: 'TL-4304', message: 'stood still' } };
  const told = { since: restarted.at, healthSince: concern.since, concerns: [concern], restarted };
  expect(view({ status: { ...status, ...told, health: 'warning' } })).toMatchObject({ health: 'warning', ...told });
  expect(view({ status: { ...status, ...told }, holder: null })).toMatchObject({
    since: null,
    healthSince: null,
    concerns: [],
    restarted,
  });
});

test('a route that goes by another name now is told by that, and not as one that was never started', async () => {
  expect(view(null, { renamedTo: 'other' })).toMatchObject({
    state: 'stopped',
    reason: { code: 'TL-4139', message: expect.stringContaining('renamed to other') },
  });
  const entry = { id: 1, at: '', by: 'me', via: 'cli', reason: null, code: null, message: null } as const;
  const renamed = { ...entry, action: 'rename', route: 'other', details: { from: 'one' }, result: 'done' } as const;
  const journal = (...entries: readonly JournalledAction[]) =>
    ({ read: async () => entries }) as unknown as ActionJournal;
  expect(await renamedTo(journal(renamed), 'one')).toBe('other');
  expect(await renamedTo(journal({ ...renamed, result: 'failed' }), 'one')).toBeNull();
  expect(await renamedTo(journal(renamed), 'two')).toBeNull();
  // Begun anew under its old name since, and dropped.
  expect(
    await renamedTo(journal({ ...entry, action: 'drop', route: 'one', details: {}, result: 'done' }, renamed), 'one'),
  ).toBeNull();
  // What it is called now was dropped.
  expect(
    await renamedTo(journal({ ...entry, action: 'drop', route: 'other', details: {}, result: 'done' }, renamed), 'one'),
  ).toBeNull();
});
