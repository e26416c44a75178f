import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { missingServers } from './missing-servers.ts';
import { versions } from './postgres-binaries.ts';
import { seed } from './seed.ts';

/** What a run was made with, what it left out and why, and one closing line. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const lines: string[] = [];
    for (const module of modules) {
      const failedBefore = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'pending') continue;
        // vitest calls a test skipped that was not run because what comes before it had failed.
        const state = result.state === 'skipped' && isKeptByError(test) ? 'failed' : result.state;
        counts[state]++;
        if (result.state === 'skipped' && state === 'skipped')
          lines.push(`skipped: ${test.fullName}: ${result.note ?? 'not chosen'}`);
      }
      // A file that could not be loaded, or that failed in what comes after its tests.
      if (module.state() === 'failed' && counts.failed === failedBefore) counts.failed++;
    }
    const only = process.argv.some((argument) => argument === '-t' || argument.startsWith('--testNamePattern'));
    if (!only) for (const line of lines) process.stdout.write(`${line}\n`);
    for (const line of missingServers()) process.stdout.write(`skipped: ${line}\n`);
    process.stdout.write(`seed ${seed}, PostgreSQL ${versions.join(', ') || 'none'}\n`);
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}

function isKeptByError(test: TestCase): boolean {
  if (test.options.mode === 'skip' || test.options.mode === 'todo') return false;
  for (let at = test.parent; ; at = at.parent) {
    if (at.errors().length > 0) return true;
    if (at.type === 'module') return false;
  }
}
