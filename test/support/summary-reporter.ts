import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { missingServers } from './missing-servers.ts';
import { foundMysql } from './mysql-binaries.ts';
import { versions } from './postgres-binaries.ts';
import { seed } from './seed.ts';

/** Where TIDELOCK_TEST_REPORT names a file, a run leaves this in it, as JSON. */
export interface RunReport {
  readonly passed: number;
  readonly failed: number;
  /** What was left out and why, one each. */
  readonly skipped: readonly string[];
}

/** What a run was made with, what it left out and why, and one closing line. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const { passed, failed, skipped } = summary(modules, unhandledErrors);
    const missing = missingServers();
    const only = process.argv.some((argument) => argument === '-t' || argument.startsWith('--testNamePattern'));
    for (const line of [...(only ? [] : skipped), ...missing]) process.stdout.write(`skipped: ${line}\n`);
    process.stdout.write(`seed ${seed}, PostgreSQL ${versions.join(', ') || 'none'}, ${foundMysql().join(', ')}\n`);
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length + missing.length} skipped\n`);
    const report: RunReport = { passed, failed, skipped: [...skipped, ...missing] };
    const file = process.env.TIDELOCK_TEST_REPORT;
    if (file !== undefined) writeFileSync(file, JSON.stringify(report));
  }
}

function summary(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): RunReport {
  const counts = { passed: 0, failed: unhandledErrors.length };
  const skipped: string[] = [];
  for (const module of modules) {
    const failedBefore = counts.failed;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'pending') continue;
      // vitest calls a test skipped that was not run because what comes before it had failed.
      if (result.state === 'passed') counts.passed++;
      else if (result.state === 'failed' || isKeptByError(test)) counts.failed++;
      else skipped.push(`${test.fullName}: ${result.note ?? 'not chosen'}`);
    }
    // A file that could not be loaded, or that failed in what comes after its tests.
    if (module.state() === 'failed' && counts.failed === failedBefore) counts.failed++;
  }
  return { ...counts, skipped };
}

function isKeptByError(test: TestCase): boolean {
  if (test.options.mode === 'skip' || test.options.mode === 'todo') return false;
  for (let at = test.parent; ; at = at.parent) {
    if (at.errors().length > 0) return true;
    if (at.type === 'module') return false;
  }
}
