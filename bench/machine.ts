import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { version } from '../src/cli/version.ts';
import { runDirectory } from '../test/support/run-directory.ts';

/** What figures depend on, as the first line of a run tells it. */
export function machine(): object {
  return {
    kind: 'machine',
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    tidelock: version(),
    commit: commit(),
    /** With others at work a run says little; ratios suffer least. */
    loadBefore: loadavg()[0],
    files: runDirectory(),
  };
}

function commit(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    // Not in a checkout.
    return null;
  }
}
