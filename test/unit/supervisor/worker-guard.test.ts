import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { guardScript } from '../../../src/supervisor/worker-guard.ts';
import { isAlive, startOf } from '../../support/process-tree.ts';

/** A process that does nothing: its id, and its id with when it was started. */
function other(): { readonly pid: number; readonly known: string } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  return { pid, known: `${pid}:${startOf(pid)}` };
}

/** The guard is told these lines, by a Supervisor that is killed then. */
async function told(...lines: string[]): Promise<void> {
  const guard = spawn('/bin/sh', ['-c', guardScript, 'guard', '0'], { stdio: ['pipe', 'ignore', 'inherit'] });
  guard.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  await once(guard, 'exit');
}

test('the guard of a Supervisor that is gone ends the workers that it knows, and no process that has one of their ids by now', async () => {
  const [first, second, ended, reused] = [other(), other(), other(), other()];
  await told(
    `= ${ended.known}`,
    `= ${first.known} ${reused.pid}:${Number(startOf(reused.pid)) - 1}`,
    `+ ${second.known}`,
  );
  await expect.poll(() => [first, second].some(({ pid }) => isAlive(pid))).toBe(false);
  expect([ended, reused].map(({ pid }) => isAlive(pid))).toEqual([true, true]);
  // Nobody is left: at once, however patient it is.
  await told(`= ${first.known}`);
});
