import { expect, test, vi } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { crashRules } from '../../../src/supervisor/crash-loop.ts';
import { StartGate } from '../../../src/supervisor/start-gate.ts';
import { SupervisedRoute } from '../../../src/supervisor/supervised-route.ts';
import type { WorkerGuard } from '../../../src/supervisor/worker-guard.ts';
import { WorkerProgram } from '../../../src/supervisor/worker-program.ts';

test('a route whose program is another one is looked after until it is stopped, and then no more', async () => {
  vi.useFakeTimers();
  try {
    const program = new WorkerProgram(new URL(import.meta.url));
    const looks = vi.spyOn(program, 'isSame', 'get').mockReturnValue(false);
    const heard: RouteStatus[] = [];
    const route = new SupervisedRoute({
      file: 'none',
      configuration: null,
      route: 'one',
      holder: { supervisor: 's', host: 'h', pid: 1 },
      takeover: false,
      program,
      patience: { silentMs: 60_000, standStillMs: 60_000, crashes: crashRules },
      gate: new StartGate(1),
      guard: {} as WorkerGuard,
      logger: silentLogger,
      onStatus: (status) => heard.push(status),
      onMessage: () => {},
    });
    route.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks).toHaveBeenCalledTimes(3);
    expect(heard.map(({ state, reason }) => [state, reason?.code])).toEqual(Array(3).fill(['retrying', 'TL-4315']));
    expect(new Set(heard.map(({ since }) => since)).size).toBe(1);
    expect(await route.stop()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
