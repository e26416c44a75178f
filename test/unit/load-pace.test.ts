import { expect, test } from 'vitest';
import type { LoadWait } from '../../src/core/load.ts';
import type { LoadLimits } from '../../src/core/route.ts';
import { LoadPace } from '../../src/operations/load/load-pace.ts';

const none: LoadLimits = { rowsPerSecond: null, bytesPerSecond: null, maxLoad: null, lagMs: null };
const signal = new AbortController().signal;

/** Time goes on where somebody rests, and where something is read. */
function paced(limits: Partial<LoadLimits>, lagMs: (nowMs: number) => number | null = () => null) {
  const clock = { nowMs: 1_000 };
  const waits: (LoadWait | null)[] = [];
  const pace = new LoadPace({
    limits: { ...none, ...limits },
    lagMs: () => lagMs(clock.nowMs),
    onWait: (wait) => waits.push(wait),
    nowMs: () => clock.nowMs,
    rest: async (ms) => {
      clock.nowMs += ms;
    },
  });
  const read = async (rows: number, bytes: number, ms: number): Promise<void> => {
    await pace.turn(signal);
    clock.nowMs += ms;
    pace.took({ rows, bytes, ms });
  };
  return { pace, clock, waits, read };
}

test('rows and bytes in a second are kept to, whatever each chunk has and however long it takes', async () => {
  for (const [limits, ms] of [
    [{ rowsPerSecond: 1_000 }, 40],
    [{ bytesPerSecond: 50_000 }, 10],
    [{ rowsPerSecond: 1_000, bytesPerSecond: 1_000_000 }, 0],
  ] as const) {
    const { clock, read, pace } = paced(limits);
    const sizes = [100, 250, 40, 400, 210];
    for (const rows of sizes) await read(rows, rows * 50, ms);
    await pace.turn(signal);
    // Of 1,000 rows, or the 50,000 bytes that they have.
    expect(clock.nowMs).toBe(2_000);
  }
});

test('reading that is slower than the limit waits for nothing', async () => {
  const { clock, read, waits } = paced({ rowsPerSecond: 1_000 });
  for (let n = 0; n < 5; n++) await read(100, 0, 200);
  expect(clock.nowMs).toBe(2_000);
  expect(waits).toEqual([]);
});

test('a share of the time is what is read, the rest is rested', async () => {
  const { clock, read, pace, waits } = paced({ maxLoad: 0.25 });
  for (let n = 0; n < 10; n++) await read(1, 1, 100);
  await pace.turn(signal);
  expect(clock.nowMs).toBe(1_000 + 10 * 400);
  expect(waits).toContain('share');
});

test('nothing is read while changes are later than the bound, and something is as soon as they are not', async () => {
  const { clock, read, waits } = paced({ lagMs: 2_000 }, (nowMs) => (nowMs < 5_000 ? 6_000 : 2_000));
  await read(1, 1, 0);
  expect(clock.nowMs).toBe(5_000);
  expect(waits).toEqual(['lag', null]);
  const unknown = paced({ lagMs: 2_000 });
  await unknown.read(1, 1, 0);
  expect(unknown.clock.nowMs).toBe(1_000);
});

test('a chunk is no more than a quarter of what a second allows', () => {
  expect(paced({ rowsPerSecond: 1_000, bytesPerSecond: 8_000 }).pace).toMatchObject({
    mostRows: 250,
    mostBytes: 2_000,
  });
  expect(paced({ rowsPerSecond: 2 }).pace.mostRows).toBe(1);
  expect(paced({}).pace).toMatchObject({ mostRows: Number.POSITIVE_INFINITY, mostBytes: Number.POSITIVE_INFINITY });
});
