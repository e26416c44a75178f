import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { pause } from '../../../src/core/pause.ts';
import type { RouteState } from '../../../src/core/route-status.ts';
import { openLogger } from '../../../src/open-logger.ts';
import { serveWorker, workerTask } from '../../../src/supervisor/serve-worker.ts';

/** A worker without databases; its route's name says what it does. SIGUSR2 is its `tidelock start`. */
const task = workerTask();
await serveWorker(task, openLogger('silent'), async ({ signal, onStatus, self, hearTold, ...says }) => {
  const show = (state: RouteState, message = String(process.pid)): void =>
    onStatus({
      state,
      reason: task.halted !== null && state === 'failed' ? task.halted.reason : { code: 'TL-0000', message },
      health: state === 'failed' ? 'critical' : 'ok',
      sourcePosition: null,
      targetPosition: null,
      lagMs: 1,
      transactions: 0,
      rows: 0,
      collisions: 0,
      parked: 0,
      restarts: task.restarts,
      retainedBytes: null,
      load: null,
    });
  // What the Supervisor has said by now came before anybody listened.
  await setImmediate();
  if (task.halted !== null) {
    if (task.route === 'dies-heavy') self.describe(() => ({ memoryLimitBytes: 1, progress: null }));
    // Listens before it says so: whoever has heard it may send the signal at once.
    const asked = once(process, 'SIGUSR2');
    show('failed');
    await Promise.race([asked, pause(2 ** 30, signal)]);
    if (signal.aborted) return;
  } else if (task.route === 'fenced') {
    says.onRegistered('one');
    if (task.fencedAt === null) says.onFenced(7);
    show('running', JSON.stringify([task.registration, task.fencedAt]));
    await pause(2 ** 30, signal);
    return;
  } else if (task.route.startsWith('dies')) {
    throw new TypeError('with a value');
  }
  show('running');
  hearTold((told) => show('running', JSON.stringify(told)));
  // For good, as a user exit in an endless loop; what was said is with the Supervisor by then.
  if (task.route === 'blocked') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  const never = new AbortController();
  await pause(2 ** 30, task.route === 'deaf' ? never.signal : signal);
});
