import { expect, test } from 'vitest';
import { RouteMeter } from '../../src/pipeline/route-meter.ts';

const heartbeat = (sentAtMs: number) => ({ kind: 'heartbeat', id: 'd/r', sentAtMs }) as const;

test('lag is the age of a heartbeat when it comes through, whatever the clocks of the two hosts say', () => {
  let nowMs = 1_000_000;
  const meter = new RouteMeter(2_000, () => nowMs);
  expect(meter.lagMs).toBeNull();
  meter.passed(heartbeat(999_950));
  expect(meter.lagMs).toBe(50);
  // The source is an hour ahead.
  meter.clockOffsetMs = 3_600_000;
  meter.passed(heartbeat(nowMs - 30 + 3_600_000));
  expect(meter.lagMs).toBe(30);
  // No further heartbeat: the lag grows with the time since the last.
  nowMs += 60_000;
  expect(meter.lagMs).toBe(60_030);
});

test('counts go on over Consumers', () => {
  const meter = new RouteMeter(2_000);
  const counts = (rows: number) => ({ transactions: 1, rows, groups: 1, replays: 0, collisions: 0 });
  meter.follow({ counts: () => counts(5), parked: () => ({ count: 0, since: null }) });
  meter.unfollow();
  expect(meter.counts()).toMatchObject({ transactions: 1, rows: 5 });
  meter.follow({ counts: () => counts(7), parked: () => ({ count: 0, since: null }) });
  expect(meter.counts()).toMatchObject({ transactions: 2, rows: 12 });
});
