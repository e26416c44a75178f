import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';
import { isAlive } from '../../support/process-tree.ts';
import { until } from '../../support/until.ts';

const started: Supervisor[] = [];
afterEach(() => {
  for (const supervisor of started.splice(0)) supervisor.kill();
});

function supervise(...routes: string[]): Supervisor {
  const supervisor = new Supervisor({
    file: 'none',
    routes,
    logger: silentLogger,
    workerModule: new URL('./stub-worker.ts', import.meta.url),
  });
  started.push(supervisor);
  return supervisor;
}

/** The stub's process, once it has said that it runs. */
const running = (supervisor: Supervisor, route: string, not = 0): Promise<number> =>
  until(`a worker of ${route}`, () => {
    const pid = Number(supervisor.statusOf(route)?.reason?.message ?? 0);
    return supervisor.statusOf(route)?.state === 'running' && pid === supervisor.workerOf(route)?.pid && pid !== not
      ? pid
      : null;
  });

test('routes are added, removed and replaced one by one while the others run on', async () => {
  const supervisor = supervise('one');
  supervisor.add('two');
  supervisor.start();
  const [one, two] = await Promise.all([running(supervisor, 'one'), running(supervisor, 'two')]);
  supervisor.add('three');
  const three = await running(supervisor, 'three');
  expect(supervisor.routes()).toEqual(['one', 'two', 'three']);

  expect(await supervisor.replace('two')).toBe(true);
  expect(isAlive(two)).toBe(false);
  const again = await running(supervisor, 'two', two);
  expect(supervisor.workerOf('two')?.restarts).toBe(0);

  expect(await supervisor.remove('three')).toBe(true);
  expect(isAlive(three)).toBe(false);
  expect(supervisor.routes()).toEqual(['one', 'two']);
  expect([supervisor.statusOf('three'), supervisor.workerOf('three')]).toEqual([null, null]);
  expect(supervisor.workers().toSorted()).toEqual([one, again].toSorted());

  expect(await supervisor.stop()).toBe(true);
  expect([one, again].filter(isAlive)).toEqual([]);
  // What is added or replaced after that stays away.
  supervisor.add('four');
  await supervisor.replace('one');
  expect(supervisor.workers()).toEqual([]);
});

test('a worker that waits for its restart is replaced at once, and its crashes are forgotten', async () => {
  const supervisor = supervise('one');
  supervisor.start();
  let pid = await running(supervisor, 'one');
  process.kill(pid, 'SIGKILL');
  await until('its end', () => supervisor.workerOf('one')?.pid === null);
  expect(await supervisor.replace('one')).toBe(true);
  pid = await running(supervisor, 'one', pid);
  expect(supervisor.workers()).toEqual([pid]);
});

test('each status goes to every listener until it is taken off', async () => {
  const supervisor = supervise('one');
  const heard: [string, RouteStatus['state']][][] = [[], []];
  const off = heard.map((list) => supervisor.onStatus((route, { state }) => list.push([route, state])));
  supervisor.start();
  const pid = await running(supervisor, 'one');
  off[1]?.();
  await supervisor.replace('one');
  await running(supervisor, 'one', pid);
  expect(heard).toEqual([
    [
      ['one', 'running'],
      ['one', 'running'],
    ],
    [['one', 'running']],
  ]);
});
