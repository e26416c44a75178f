import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endTree, isAlive } from './process-tree.ts';
import { makeRunDirectory, notedPids } from './run-directory.ts';

/** Once for all test processes. What tests leave behind fails the run, and is cleared away all the same. */
let run = '';
let guard: ChildProcess;

export function setup(): void {
  run = makeRunDirectory();
  process.env.TIDELOCK_TEST_RUN = run;
  guard = spawn(process.execPath, [join(import.meta.dirname, 'run-guard.ts'), run], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
}

export function teardown(): void {
  const processes = notedPids(run).filter(isAlive);
  for (const pid of processes) endTree(pid);
  const files = readdirSync(run).filter((name) => name !== 'pids' && !name.startsWith('postgres-'));
  rmSync(run, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  guard.stdin?.end();
  if (existsSync(run)) throw new Error(`${run} could not be removed`);
  if (processes.length > 0) throw new Error(`tests have left processes behind: ${processes.join(', ')}`);
  if (files.length > 0) throw new Error(`tests have left files behind: ${files.join(', ')}`);
}
