import { expect, test } from 'vitest';
import { restartDelayMs } from '../../../src/supervisor/backoff.ts';
import { crashRules, isCrashLoop, recentCrashes } from '../../../src/supervisor/crash-loop.ts';
import { crashLoopReason, deathReason } from '../../../src/supervisor/worker-end.ts';

const rules = { crashes: 3, windowMs: 1_000 };

test('so many crashes within the window are a loop; those before it do not count', () => {
  let recent: readonly number[] = [];
  const loops = [0, 400, 1_100, 1_200].map((nowMs) => {
    recent = recentCrashes(recent, nowMs, rules);
    return isCrashLoop(recent, rules);
  });
  expect(loops).toEqual([false, false, false, true]);
});

test('what passes within half a minute never ends a route', () => {
  let waitedMs = 0;
  for (let crashes = 1; crashes < crashRules.crashes; crashes++) waitedMs += restartDelayMs({ crashes, random: 0 });
  expect(waitedMs).toBeGreaterThan(25_000);
  expect(waitedMs).toBeLessThan(crashRules.windowMs);
});

test('the reason says how the worker ended', () => {
  const death = { exitCode: null, signal: 'SIGKILL', silentMs: null, error: null } as const;
  expect(deathReason('one', death)).toMatchObject({
    code: 'TL-4310',
    message: 'the worker of route one died (signal SIGKILL)',
  });
  expect(deathReason('one', { ...death, silentMs: 60_000 })).toMatchObject({ code: 'TL-4312' });
  const failed = { exitCode: 1, signal: null, silentMs: null, error: 'TypeError at run (exit.ts:3)' };
  expect(crashLoopReason('one', { death: failed, crashes: 8, windowMs: 900_000 })).toMatchObject({
    code: 'TL-4311',
    message:
      'route one halted: its worker died 8 times within 15 minutes, the last time: exit code 1: TypeError at run (exit.ts:3)',
  });
});
