import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, startOf } from './process-tree.ts';

const roomyBytes = 2_000_000_000;

/**
 * Where servers of one test run keep their files: TIDELOCK_TEST_FILES, else in memory where there is room. Set up once for all test processes
 * (global-setup.ts), or by a process of its own where a file is run without it.
 */
export function runDirectory(): string {
  const given = process.env.TIDELOCK_TEST_RUN;
  if (given !== undefined) return given;
  const made = makeRunDirectory();
  process.env.TIDELOCK_TEST_RUN = made;
  return made;
}

export function makeRunDirectory(): string {
  const made = mkdtempSync(join(parent(), 'tidelock-test-'));
  // Servers of a root run work as another user.
  mkdirSync(join(made, 'pids'));
  return made;
}

function parent(): string {
  const given = process.env.TIDELOCK_TEST_FILES;
  if (given !== undefined) return given;
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > roomyBytes) return '/dev/shm';
  } catch {
    // Not on this system.
  }
  return tmpdir();
}

/** Processes that must not outlive the run: whoever ends it kills them by these files. */
export function notePid(pid: number): void {
  writeFileSync(join(runDirectory(), 'pids', String(pid)), String(startOf(pid)));
}

export function forgetPid(pid: number): void {
  rmSync(join(runDirectory(), 'pids', String(pid)), { force: true });
}

/** Those that are still alive. An id that meanwhile is another process's, which began later, is none of ours. */
export function notedPids(run: string): number[] {
  const folder = join(run, 'pids');
  return readdirSync(folder)
    .filter(
      (name) => isAlive(Number(name)) && readFileSync(join(folder, name), 'utf8') === String(startOf(Number(name))),
    )
    .map(Number);
}
