import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endWithNpm } from '../../src/cli/end-with-npm.ts';
import { buildWebPage } from './build-web-page.ts';
import { fillCompileCache } from './compile-cache.ts';
import { buildEngine } from './engine.ts';
import { endProcesses } from './process-tree.ts';
import { makeRunDirectory, notedPids } from './run-directory.ts';

/** Once for all test processes. What tests leave behind fails the run, and is cleared away all the same. */
let run = '';
let guard: ChildProcess;
let filling: Promise<void>;

/** What is there for all tests of the run, whoever made it. */
const shared = /^(pids$|compile-cache$|engine$|postgres-|template-)/;

export async function setup(): Promise<void> {
  endWithNpm(/^vitest\b/);
  buildWebPage();
  run = makeRunDirectory();
  process.env.TIDELOCK_TEST_RUN = run;
  guard = spawn(process.execPath, [join(import.meta.dirname, 'run-guard.ts'), run], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  await buildEngine(run);
  process.env.NODE_COMPILE_CACHE = join(run, 'compile-cache');
  filling = fillCompileCache(process.env.NODE_COMPILE_CACHE);
}

export async function teardown(): Promise<void> {
  await filling;
  const processes = notedPids(run);
  endProcesses(processes);
  const files = readdirSync(run).filter((name) => !shared.test(name));
  rmSync(run, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  guard.stdin?.end();
  const left = [
    ...(processes.length > 0 ? [`tests have left processes behind: ${processes.join(', ')}`] : []),
    ...(files.length > 0 ? [`tests have left files behind: ${files.join(', ')}`] : []),
    ...(existsSync(run) ? [`${run} could not be removed`] : []),
  ];
  if (left.length === 0) return;
  // vitest prints what a teardown throws, and exits as if nothing had happened.
  process.exitCode = 1;
  throw new Error(left.join('; '));
}
