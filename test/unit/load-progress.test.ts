import { expect, test, vi } from 'vitest';
import type { CommandLine } from '../../src/cli/command-line.ts';
import { rowsOf, watchJob } from '../../src/cli/jobs/watch-job.ts';
import { loadLines, loadProgressText } from '../../src/cli/load/load-text.ts';
import type { Control } from '../../src/control/control.ts';
import type { JobDetail } from '../../src/control/jobs.ts';
import { LoadRates, rateOfAll } from '../../src/operations/load/load-rates.ts';

const table = (name: string, rows: number, expectedRows: number) => ({
  table: name,
  rows,
  bytes: rows * 100,
  expectedRows,
  expectedBytes: expectedRows * 100,
});

test('a rate is of the last half minute, and tables that come beside each other end together', () => {
  let nowMs = 0;
  const rates = new LoadRates(() => nowMs);
  rates.add('a', 0, 0);
  expect(rates.of(table('a', 0, 1_000))).toMatchObject({ rowsPerSecond: null, leftMs: null });
  for (let at = 1; at <= 10; at++) {
    nowMs = at * 1_000;
    rates.add('a', 50, 0);
  }
  const a = rates.of(table('a', 500, 1_000));
  expect(a).toMatchObject({ rowsPerSecond: 50, leftMs: 10_000 });
  const b = { ...a, table: 'b' };
  expect(rateOfAll([a, b])).toEqual({ rowsPerSecond: 100, leftMs: 10_000 });
  // One that waits for them to end comes with what they leave.
  const waits = { ...table('c', 0, 1_000), rowsPerSecond: null, leftMs: null };
  expect(rateOfAll([a, b, waits])).toEqual({ rowsPerSecond: 100, leftMs: 20_000 });
  expect(rateOfAll([waits])).toEqual({ rowsPerSecond: null, leftMs: null });
  // Nothing has come for that long.
  nowMs += 31_000;
  rates.add('a', 0, 0);
  nowMs += 1_000;
  rates.add('a', 0, 0);
  expect(rates.of(table('a', 500, 1_000))).toMatchObject({ rowsPerSecond: 0, leftMs: null });
});

test('a load that somebody has asked for tells rows, bytes, rate and time of each table and of all', () => {
  const progress = {
    done: 700,
    total: 1_200,
    rowsPerSecond: 50,
    leftMs: 10_000,
    tables: [
      { ...table('public.a', 200, 200), done: true, rowsPerSecond: null, leftMs: null },
      { ...table('public.orders', 500, 1_000), done: false, rowsPerSecond: 50, leftMs: 10_000 },
    ],
  };
  const job = { id: 'r/1', kind: 'load', state: 'running', wish: null, done: 700, total: 1_200, progress };
  expect(loadProgressText(job as unknown as JobDetail, false).split('\n')).toEqual([
    'r/1 load: running, 58%',
    `  public.orders  ${'█'.repeat(12)}${'░'.repeat(12)}  50%  500 rows read, 50 kB, 50 rows/s, 10s left`,
    '  1 of 2 tables, 700 rows read, 70 kB, 50 rows/s, 10s left',
  ]);
  const one = { ...job, progress: { ...progress, tables: progress.tables.slice(1) } } as unknown as JobDetail;
  expect(loadProgressText(one, false).split('\n')).toHaveLength(2);
  expect(loadProgressText({ ...job, progress: null } as unknown as JobDetail, false)).toBe('r/1 load: running, 58%');
});

test('a table of which nothing is applied says that it waits, and one that rests that it rests', () => {
  const bare = { ...table('public.bare', 500, 1_000), unfollowed: true as const, rowsPerSecond: 0 };
  const style = { bars: false, colours: false };
  expect(loadLines([bare], style)).toEqual(['public.bare   50%  500 rows read, 50 kB, waits to begin anew']);
  expect(loadLines([{ ...bare, rests: true }], style)).toEqual(['public.bare   50%  500 rows read, 50 kB, rests']);
});

test('what is painted over is as many rows of the terminal as a text has taken there', () => {
  expect(rowsOf('one\ntwo', 80)).toBe(2);
  expect(rowsOf(`${'x'.repeat(81)}\n\n${'y'.repeat(80)}`, 80)).toBe(4);
  expect(rowsOf(`\u001b[36m${'█'.repeat(40)}\u001b[39m`, 40)).toBe(1);
  expect(rowsOf('x'.repeat(500), 0)).toBe(1);
});

test('a job that is watched without a terminal tells how far it is every ten seconds, and nothing of itself where it is over sooner', async () => {
  vi.useFakeTimers();
  try {
    const told = async (seconds: number): Promise<string> => {
      const endsAtMs = Date.now() + seconds * 1_000;
      const job = { id: 'r/1', kind: 'compare', wish: null, total: null, engine: true };
      const control = {
        job: async () => {
          const isOver = Date.now() >= endsAtMs;
          return { ...job, state: isOver ? 'done' : 'running', done: Math.floor(Date.now() / 1_000) % 1_000 };
        },
      } as unknown as Control;
      let err = '';
      const write = (text: string): boolean => {
        err += text;
        return true;
      };
      const line = { env: {}, err: { isTTY: false, write }, signal: new AbortController().signal };
      const watching = watchJob(line as unknown as CommandLine, control, 'r/1', {});
      await vi.advanceTimersByTimeAsync(seconds * 1_000 + 1_000);
      expect((await watching)?.state).toBe('done');
      return err;
    };
    expect(await told(8)).toBe('');
    expect((await told(35)).split('\n')).toEqual([
      ...Array(3).fill(expect.stringMatching(/^r\/1 compare: running, /)),
      '',
    ]);
  } finally {
    vi.useRealTimers();
  }
});
