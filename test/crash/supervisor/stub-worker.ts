import { pause } from '../../../src/core/pause.ts';
import { openLogger } from '../../../src/open-logger.ts';
import { serveWorker, workerTask } from '../../../src/supervisor/serve-worker.ts';

/** A worker without databases; its route's name says what it does when it is told to drain. */
const task = workerTask();
await serveWorker(task, openLogger('silent'), async ({ signal, onStatus }) => {
  onStatus({
    state: 'running',
    reason: { code: 'TL-0000', message: String(process.pid) },
    health: 'ok',
    sourcePosition: null,
    targetPosition: null,
    lagMs: null,
    transactions: 0,
    rows: 0,
    collisions: 0,
    parked: 0,
    restarts: task.restarts,
    retainedBytes: null,
    load: null,
  });
  const never = new AbortController();
  await pause(2 ** 30, task.route === 'deaf' ? never.signal : signal);
});
