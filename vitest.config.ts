import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { filesWithoutServer } from './test/support/missing-servers.ts';
import { wantedVersions } from './test/support/postgres-binaries.ts';
import { SummaryReporter } from './test/support/summary-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...filesWithoutServer(),
      ...(process.env.TIDELOCK_TEST_FULL ? [] : ['test/full/**']),
    ],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/set-up-worker.ts'],
    reporters: ['default', new SummaryReporter()],
    pool: 'forks',
    // The bundled engine is loaded by Node itself.
    server: { deps: { external: [/\/engine\/src\/cli\//] } },
    // What a process has loaded the next file finds: each takes 0.4 s of CPU less. Servers of several versions take turns
    // within a process, and begin with the first of them in each file.
    isolate: wantedVersions.length > 1,
    // More than there are processors: about half of a test's time is waiting, for a lease, a time-out, or a silence. With eight all take longer.
    maxWorkers: 6,
    sequence: { sequencer: LongestFirst },
    // For tests that hang: what a test waits for has limits of its own (test/support/until.ts).
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
