import type { Supervisor } from './supervisor.ts';

/**
 * Runs until SIGTERM or SIGINT: the first drains (0 where that was done in time, else 1), the second ends all at once
 * (130). Returns the exit code.
 */
export async function runSupervisor(supervisor: Supervisor, signals: NodeJS.EventEmitter = process): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) {
      supervisor.kill();
      resolve(130);
      return;
    }
    stopping = true;
    supervisor.stop().then((drained) => resolve(drained ? 0 : 1));
  };
  signals.on('SIGTERM', onSignal);
  signals.on('SIGINT', onSignal);
  // Without a route nothing else would keep the process running.
  const alive = setInterval(() => {}, 2 ** 30);
  supervisor.start();
  try {
    return await promise;
  } finally {
    clearInterval(alive);
    signals.off('SIGTERM', onSignal);
    signals.off('SIGINT', onSignal);
  }
}
