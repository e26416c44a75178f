// `npm run test:full`: the whole suite with several seeds, generated cases of more seeds, then what depends on a server on
// every version and pair.
import { spawnSync } from 'node:child_process';
import { findBinaries } from './postgres-binaries.ts';
import { seed } from './seed.ts';

const onServers = ['test/integration', 'test/property', 'test/crash'];
const withoutServersOfTheirOwn = [
  '--exclude',
  'test/integration/package.test.ts',
  '--exclude',
  'test/integration/demo*',
];
const seedCount = 5;
/** Those of fast-check, which takes one seed a run. */
const generated = ['net-effect', 'groups', 'configuration', 'pgoutput-server'].map((name) => `test/property/${name}`);
const pairs = ['14', '15', '16', '17', '14,18', '18,14', '16,17'];
const results: string[] = [];
const failures: string[] = [];
const skipped: string[] = [];

function run(title: string, env: Readonly<Record<string, string>>, args: readonly string[]): void {
  process.stdout.write(`\n${title}\n`);
  const beganMs = performance.now();
  const { status } = spawnSync('npx', ['vitest', 'run', ...args], {
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  if (status !== 0) failures.push(title);
  results.push(
    `${title}: ${status === 0 ? 'passed' : 'failed'} in ${Math.round((performance.now() - beganMs) / 1_000)} s`,
  );
}

spawnSync(process.execPath, ['test/support/fetch-servers.ts', '14,15,16,17,18'], { stdio: 'inherit' });
run(`PostgreSQL 18, ${seedCount} seeds`, { TIDELOCK_TEST_SEEDS: String(seedCount) }, []);
for (let other = seed + 1; other < seed + seedCount; other++)
  run(`PostgreSQL 18, generated cases of seed ${other}`, { TIDELOCK_TEST_SEED: String(other) }, generated);
for (const pair of pairs) {
  const lacking = pair.split(',').filter((version) => findBinaries(version) === null);
  if (lacking.length > 0) skipped.push(`PostgreSQL ${pair}: no binaries of ${lacking.join(', ')}`);
  else
    run(`PostgreSQL ${pair.replace(',', ' to ')}`, { TIDELOCK_TEST_VERSIONS: pair }, [
      ...onServers,
      ...withoutServersOfTheirOwn,
    ]);
}
for (const line of skipped) process.stdout.write(`skipped: ${line}\n`);
for (const line of results) process.stdout.write(`${line}\n`);
process.exitCode = failures.length > 0 || (skipped.length > 0 && process.env.CI) ? 1 : 0;
