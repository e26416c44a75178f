import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { childrenOf } from '../../support/process-tree.ts';

interface Report {
  readonly route: string;
  readonly pid: number;
  readonly restarts: number;
}

const started: ChildProcess[] = [];
const reports: Report[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const { pid } of reports.splice(0)) if (pid > 0 && lives(pid)) process.kill(pid, 'SIGKILL');
});

function supervise(...routes: string[]): ChildProcess {
  return superviseWith({}, ...routes);
}

function superviseWith(env: Readonly<Record<string, string>>, ...routes: string[]): ChildProcess {
  const program = fileURLToPath(new URL('./stub-supervisor.ts', import.meta.url));
  const child = spawn(process.execPath, [program, ...routes], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  started.push(child);
  if (child.stdout) createInterface(child.stdout).on('line', (text) => reports.push(JSON.parse(text)));
  return child;
}

async function until<T>(what: string, ask: () => T | undefined | false, withinMs = 15_000): Promise<T> {
  const deadlineMs = Date.now() + withinMs;
  for (;;) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const workerOf = (route: string, restarts = 0): Promise<number> =>
  until(`worker of ${route}`, () => reports.find((r) => r.route === route && r.restarts === restarts)?.pid);

/** A zombie is not alive. */
function lives(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return !/\) [ZX] /.test(stat);
}

async function exitOf(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

test('a worker that dies is started again, and the crash is counted', async () => {
  supervise('one', 'two');
  const [one, two] = await Promise.all([workerOf('one'), workerOf('two')]);
  process.kill(one, 'SIGKILL');
  const again = await workerOf('one', 1);
  expect(again).not.toBe(one);
  expect(lives(two)).toBe(true);
  expect(reports.filter(({ route }) => route === 'two')).toHaveLength(1);
});

test('a worker that stands still is killed and started again, and the others are left alone', async () => {
  superviseWith({ SILENT_MS: '6000' }, 'one', 'two');
  const [one, two] = await Promise.all([workerOf('one'), workerOf('two')]);
  process.kill(one, 'SIGSTOP');
  await workerOf('one', 1);
  expect(lives(one)).toBe(false);
  expect(lives(two)).toBe(true);
  expect(reports.filter(({ route }) => route === 'two')).toHaveLength(1);
}, 30_000);

test('no worker outlives a Supervisor that was killed, not even one whose event loop is blocked', async () => {
  const supervisor = supervise('one', 'two', 'deaf', 'blocked');
  const workers = await Promise.all(['one', 'two', 'deaf'].map((route) => workerOf(route)));
  const blocked = await workerOf('blocked');
  const all = childrenOf(supervisor.pid ?? 0);
  supervisor.kill('SIGKILL');
  await exitOf(supervisor);
  await until('all workers gone', () => workers.every((pid) => !lives(pid)), 8_000);
  await until('the blocked one and the guard gone', () => ![...all, blocked].some(lives), 20_000);
  // The guard was among them.
  expect(all).toHaveLength(5);
}, 30_000);

test.each(['SIGTERM', 'SIGINT'] as const)('the first %s drains, and the Supervisor ends well', async (signal) => {
  const supervisor = supervise('one', 'two');
  const workers = await Promise.all(['one', 'two'].map((route) => workerOf(route)));
  supervisor.kill(signal);
  // A terminal and a service manager signal the workers, too.
  for (const pid of workers) if (lives(pid)) process.kill(pid, signal);
  expect(await exitOf(supervisor)).toBe(0);
  expect(workers.filter(lives)).toEqual([]);
});

test('a second signal ends at once a worker that does not drain', async () => {
  const supervisor = supervise('deaf');
  const worker = await workerOf('deaf');
  supervisor.kill('SIGTERM');
  await until('the first signal', () => reports.some(({ route }) => route === 'SIGTERM'));
  expect(lives(worker)).toBe(true);
  const atMs = performance.now();
  supervisor.kill('SIGTERM');
  expect(await exitOf(supervisor)).toBe(130);
  expect(performance.now() - atMs).toBeLessThan(8_000);
  expect(lives(worker)).toBe(false);
});

test('a worker that does not drain within 10 s is killed, frozen as it may be', async () => {
  const supervisor = supervise('frozen');
  const worker = await workerOf('frozen');
  process.kill(worker, 'SIGSTOP');
  const atMs = performance.now();
  supervisor.kill('SIGTERM');
  expect(await exitOf(supervisor)).toBe(1);
  expect(performance.now() - atMs).toBeGreaterThan(9_000);
  expect(lives(worker)).toBe(false);
}, 20_000);

test('a Supervisor that is told to stop while a worker waits for its restart ends at once', async () => {
  const supervisor = supervise('one');
  const worker = await workerOf('one');
  process.kill(worker, 'SIGKILL');
  await until('worker gone', () => !existsSync(`/proc/${worker}`));
  supervisor.kill('SIGTERM');
  expect(await exitOf(supervisor)).toBe(0);
  expect(reports.filter(({ route }) => route === 'one')).toHaveLength(1);
});
