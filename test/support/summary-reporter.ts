import type { Reporter, TestModule } from 'vitest/node';
import { versions } from './postgres-binaries.ts';
import { seed } from './seed.ts';

/** What a run was made with, what it left out and why, and one closing line. */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const lines: string[] = [];
    for (const module of modules) {
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'pending') continue;
        counts[result.state]++;
        if (result.state === 'skipped') lines.push(`skipped: ${test.fullName}: ${result.note ?? 'not chosen'}`);
      }
    }
    const only = process.argv.some((argument) => argument === '-t' || argument.startsWith('--testNamePattern'));
    if (!only) for (const line of lines) process.stdout.write(`${line}\n`);
    process.stdout.write(`seed ${seed}, PostgreSQL ${versions.join(', ')}\n`);
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }
}
