import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { Supervisor } from '../../../src/supervisor/supervisor.ts';
import { isAlive } from '../../support/process-tree.ts';
import { runDirectory } from '../../support/run-directory.ts';
import { until } from '../../support/until.ts';

/** Tells what the stub says from what the Supervisor says by itself. */
const stubLagMs = 1;

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

test('a worker that dies again and again ends in failed, with what it died of, and a start brings it back', async () => {
  const supervisor = new Supervisor({
    file: 'none',
    routes: ['dies'],
    logger: silentLogger,
    workerModule: new URL('./stub-worker.ts', import.meta.url),
    patience: { crashes: { crashes: 3, windowMs: 60_000 } },
  });
  started.push(supervisor);
  const heard: RouteStatus[] = [];
  supervisor.onStatus((_, status) => heard.push(status));
  supervisor.start();
  // The stub holds what has failed, as the engine does.
  const failed = await until('failed', () => {
    const status = supervisor.statusOf('dies');
    return status?.state === 'failed' && status.lagMs === stubLagMs ? status : null;
  });
  expect(failed).toMatchObject({ health: 'critical', restarts: 3, reason: { code: 'TL-4311' } });
  expect(failed.reason?.message).toMatch(/died 3 times within 1 minutes, the last time: exit code 1: .*TypeError/);
  expect(heard.filter(({ state }) => state === 'retrying').map(({ reason }) => reason?.code)).toEqual([
    'TL-4310',
    'TL-4310',
  ]);
  expect(heard.filter(({ state }) => state === 'retrying').map(({ restarted }) => restarted?.recent)).toEqual([1, 2]);
  // Not started to work again by itself: the worker that holds it stays.
  const holding = supervisor.workerOf('dies')?.pid;
  process.kill(holding ?? 0, 'SIGUSR2');
  await until('a route that works again', () => supervisor.statusOf('dies')?.state === 'running');
  expect(supervisor.workerOf('dies')?.pid).toBe(holding);
  // The crashes before count no more.
  process.kill(holding ?? 0, 'SIGKILL');
  await until('the next crash', () => supervisor.statusOf('dies')?.state === 'retrying');
  expect(supervisor.statusOf('dies')?.restarted?.reason.message).toBe('the worker of route dies died (signal SIGKILL)');
});

test('a route that fails where even its holder dies stays failed, and is tried again', async () => {
  const supervisor = new Supervisor({
    file: 'none',
    routes: ['dies'],
    logger: silentLogger,
    workerModule: new URL('./dying-worker.ts', import.meta.url),
    patience: { crashes: { crashes: 2, windowMs: 60_000 } },
  });
  started.push(supervisor);
  supervisor.start();
  await until('failed', () => supervisor.statusOf('dies')?.state === 'failed');
  const { restarts = 0 } = supervisor.workerOf('dies') ?? {};
  await until('another try', () => (supervisor.workerOf('dies')?.restarts ?? 0) > restarts);
  expect(supervisor.statusOf('dies')).toMatchObject({ state: 'failed', reason: { code: 'TL-4311' } });
});

test('what people were told reaches the worker that begins, and the one after it', async () => {
  const supervisor = supervise('hears');
  supervisor.start();
  const told = { health: { severity: 'critical', causes: ['state:TL-2104'], sinceMs: 1 }, retention: null } as const;
  const heard = (): boolean => supervisor.statusOf('hears')?.reason?.message === JSON.stringify(told);
  supervisor.tell('hears', told);
  await until('the first worker', heard);
  const pid = supervisor.workerOf('hears')?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until('no worker', () => supervisor.statusOf('hears')?.state === 'retrying');
  await until('the next worker', () => supervisor.workerOf('hears')?.pid !== pid && heard());
});

test('a route that has failed is not brought back by a restart that nobody has asked for', async () => {
  const supervisor = new Supervisor({
    file: 'none',
    routes: ['dies-heavy'],
    logger: silentLogger,
    workerModule: new URL('./stub-worker.ts', import.meta.url),
    patience: { crashes: { crashes: 2, windowMs: 60_000 } },
  });
  started.push(supervisor);
  const heard: RouteStatus[] = [];
  supervisor.onStatus((_, status) => heard.push(status));
  supervisor.start();
  const { restarts } = await until('failed', () => {
    const status = supervisor.statusOf('dies-heavy');
    return status?.state === 'failed' && status.lagMs === stubLagMs ? status : null;
  });
  await until('a restart for its memory', () => (supervisor.workerOf('dies-heavy')?.restarts ?? 0) > restarts);
  heard.length = 0;
  await until('the next worker', () => heard.some(({ lagMs }) => lagMs === stubLagMs));
  expect(heard.map(({ state }) => state)).toEqual(['failed']);
});

test('what a worker knew of its route reaches the one after it: which one it was, and what had been asked when it was fenced', async () => {
  const supervisor = supervise('fenced');
  supervisor.start();
  const says = (what: object) =>
    until(JSON.stringify(what), () => supervisor.statusOf('fenced')?.reason?.message === JSON.stringify(what));
  await says([null, null]);
  process.kill(supervisor.workerOf('fenced')?.pid ?? 0, 'SIGKILL');
  await says(['one', 7]);
});

test('many routes that are replaced at once each work on until their next worker may start', async () => {
  const names = Array.from({ length: 3 * availableParallelism() }, (_, i) => `r${i}`);
  const supervisor = supervise(...names);
  supervisor.start();
  const before = await Promise.all(names.map((name) => running(supervisor, name)));
  const idle: number[] = [];
  const off = supervisor.onStatus(() => idle.push(names.length - supervisor.workers().length));
  expect(await Promise.all(names.map((name) => supervisor.replace(name)))).toEqual(names.map(() => true));
  await Promise.all(names.map((name, i) => running(supervisor, name, before[i])));
  off();
  expect(Math.max(...idle)).toBeLessThanOrEqual(availableParallelism());
});

test('a worker that can not be started, for want of files, is tried again', async () => {
  const supervisor = supervise('one');
  const files: number[] = [];
  const limit = (soft: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
  const before = execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '-o', 'SOFT', '--noheadings']);
  limit('400');
  try {
    for (;;) files.push(openSync('/dev/null', 'r'));
  } catch (error) {
    expect(error).toMatchObject({ code: 'EMFILE' });
  }
  try {
    supervisor.start();
    await until('its end', () => supervisor.statusOf('one')?.state === 'retrying');
  } finally {
    for (const file of files) closeSync(file);
    limit(before.toString().trim());
  }
  expect(supervisor.statusOf('one')?.reason?.message).toContain('could not be started (EMFILE)');
  await running(supervisor, 'one');
});

test('no worker is started from the files of another version, until those are back that the Supervisor was started from', async () => {
  const folder = mkdtempSync(join(runDirectory(), 'replaced-'));
  const module = pathToFileURL(join(folder, 'worker.mjs'));
  const program = `import ${JSON.stringify(new URL('./stub-worker.ts', import.meta.url))};\n`;
  writeFileSync(module, program);
  const supervisor = new Supervisor({
    file: 'none',
    routes: ['one', 'two'],
    logger: silentLogger,
    workerModule: module,
  });
  started.push(supervisor);
  supervisor.start();
  const [one, two] = await Promise.all([running(supervisor, 'one'), running(supervisor, 'two')]);
  /** What becomes of a route whose worker was this one. */
  const after = (pid: number) =>
    until('another worker, or none', () => {
      const [status, worker] = [supervisor.statusOf('one'), supervisor.workerOf('one')];
      const isAnother = worker?.pid !== null && worker?.pid !== pid && status?.state === 'running';
      return isAnother || (worker?.pid === null && status?.reason?.code === 'TL-4315') ? status : null;
    });
  writeFileSync(module, `// another version\n${program}`);
  process.kill(one, 'SIGKILL');
  // Its lease is given to whoever asks for it; a worker that runs is left alone.
  expect(await after(one)).toMatchObject({
    reason: { code: 'TL-4315' },
    state: 'retrying',
    health: 'critical',
    leads: false,
    restarts: 1,
  });
  expect(supervisor.workers()).toEqual([two]);
  writeFileSync(module, program);
  const again = await running(supervisor, 'one', one);
  expect(supervisor.statusOf('one')).toMatchObject({ restarts: 1 });
  // Also where somebody wants another worker, and where the files are gone.
  rmSync(folder, { recursive: true });
  expect(await supervisor.replace('one')).toBe(true);
  expect(await after(again)).toMatchObject({ reason: { code: 'TL-4315' } });
  expect([again, two].map(isAlive)).toEqual([false, true]);
  expect(await supervisor.stop()).toBe(true);
});
