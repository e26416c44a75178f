// A process of its own that outlives a test run which is killed: when the pipe to the run closes, it ends the servers
// that are left and removes their files.
import { existsSync, rmSync } from 'node:fs';
import { endProcesses } from './process-tree.ts';
import { notedPids } from './run-directory.ts';

const run = process.argv[2] ?? '';
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.resume();
process.stdin.once('end', () => {
  if (existsSync(run)) {
    endProcesses(notedPids(run));
    rmSync(run, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  process.exit(0);
});
