import { expect, test } from 'vitest';
import { lsnOrder } from '../../connectors/postgres/lsn.ts';
import type { Position } from '../../src/core/position.ts';
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

test('a heartbeat from before the route streams tells nothing of what changes take now', () => {
  let nowMs = 1_000_000;
  const meter = new RouteMeter(2_000, () => nowMs);
  const consumer = {
    counts: () => ({ transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 }),
    parked: () => ({ count: 0, since: null }),
  };
  meter.follow(consumer);
  expect(meter.isFresh).toBe(false);
  // The source is an hour ahead.
  meter.clockOffsetMs = 3_600_000;
  meter.passed(heartbeat(999_000 + 3_600_000));
  expect(meter).toMatchObject({ lagMs: 1_000, isFresh: false });
  nowMs += 40;
  meter.passed(heartbeat(1_000_010 + 3_600_000));
  expect(meter).toMatchObject({ lagMs: 30, isFresh: true });
  nowMs += 5_000;
  meter.unfollow();
  meter.follow(consumer);
  meter.passed(heartbeat(1_000_010 + 3_600_000));
  expect(meter.isFresh).toBe(false);
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

test('what is told is the work since it was told last, and what is known now', () => {
  let nowMs = 1_000;
  const meter = new RouteMeter(2_000, () => nowMs);
  let rows = 5;
  const counts = () => ({ transactions: rows, rows, groups: 1, replays: 0, collisions: 2 });
  meter.follow({ counts, parked: () => ({ count: 3, since: null }) });
  meter.written = '0/200' as Position;
  meter.progressed({ applied: '0/100' as Position, durable: '0/80' as Position });
  meter.passed(heartbeat(900));
  nowMs = 1_500;
  const first = meter.metrics(lsnOrder);
  expect(first).toMatchObject({ lagMs: 100, heartbeatAgeMs: 500, lastProgressAtMs: 1_000, parked: 3 });
  expect(first).toMatchObject({ sourceBytes: 0x200, targetBytes: 0x100, done: { rows: 5, collisions: 2 } });
  rows = 7;
  // A new Consumer counts from zero; the work goes on.
  meter.unfollow();
  meter.follow({ counts: () => ({ ...counts(), rows: 1, collisions: 0 }), parked: () => ({ count: 0, since: null }) });
  const second = meter.metrics(lsnOrder);
  expect(second.done).toMatchObject({ rows: 3, collisions: 0 });
  expect(second).toMatchObject({ lagMs: null, heartbeatAgeMs: null, sourceBytes: null, targetBytes: 0x100 });
});
