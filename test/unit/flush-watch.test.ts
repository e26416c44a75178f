import type pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FlushWatch } from '../../connectors/postgres/target/flush-watch.ts';
import type { Position } from '../../src/core/position.ts';
import { WorkMeter } from '../../src/core/work-meter.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A target that has flushed up to `flushed`, answers at once, and is asked as often as `asked` says. */
function startWatch() {
  const target = { flushed: '0/0', asked: 0, isToldSoon: false };
  const durable: Position[] = [];
  const client = {
    query: async () => {
      target.asked++;
      return { rows: [{ lsn: target.flushed }] };
    },
  };
  const watch = new FlushWatch({
    client: client as unknown as pg.Client,
    meter: new WorkMeter(),
    isToldSoon: () => target.isToldSoon,
    onDurable: (position) => durable.push(position),
  });
  /** A COMMIT is answered, whose WAL ends there. */
  const committed = (position: string, walEnd: string): void =>
    watch.wait(position as Position, walEnd, target.flushed);
  return { target, durable, committed, watch };
}

test('what a COMMIT tells of the flush counts for those before it, and for no other', () => {
  const { target, durable, committed } = startWatch();
  committed('0/1', '0/10');
  target.flushed = '0/20';
  committed('0/2', '0/20');
  committed('0/3', '0/21');
  committed('0/4', '0/22');
  expect(durable).toEqual(['0/2']);
  target.flushed = '0/21';
  committed('0/5', '0/23');
  expect(durable).toEqual(['0/2', '0/3']);
});

test('a COMMIT that has waited for its flush leaves nothing to be asked, whatever is written behind it', async () => {
  const { target, durable, committed, watch } = startWatch();
  committed('0/1', '0/10');
  committed('0/2', '0/18');
  watch.passed();
  await vi.advanceTimersByTimeAsync(100);
  expect([target.asked, durable]).toEqual([0, []]);
  committed('0/4', '0/30');
  target.flushed = '0/30';
  await vi.advanceTimersByTimeAsync(20);
  expect([target.asked, durable]).toEqual([1, ['0/4']]);
});

test('nobody is asked while COMMITs come, and soon after the last of them', async () => {
  const { target, durable, committed } = startWatch();
  for (let at = 1; at <= 100; at++) {
    committed(`0/${at.toString(16)}`, `0/${(at + 8).toString(16)}`);
    await vi.advanceTimersByTimeAsync(15);
  }
  expect(target.asked).toBe(0);
  target.flushed = '0/FF';
  await vi.advanceTimersByTimeAsync(5);
  expect(target.asked).toBe(1);
  expect(durable.at(-1)).toBe('0/64');
  // Nothing waits any more.
  await vi.advanceTimersByTimeAsync(1_000);
  expect(target.asked).toBe(1);
});

test('it is asked until all is flushed, but not behind a COMMIT that tells it', async () => {
  const { target, durable, committed } = startWatch();
  committed('0/1', '0/10');
  await vi.advanceTimersByTimeAsync(60);
  expect(target.asked).toBe(3);
  target.isToldSoon = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(target.asked).toBe(3);
  target.isToldSoon = false;
  target.flushed = '0/10';
  await vi.advanceTimersByTimeAsync(20);
  expect([target.asked, durable]).toEqual([4, ['0/1']]);
});
