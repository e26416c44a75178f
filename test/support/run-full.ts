// `npm run test:full`, an hour at most: the whole suite with several seeds, generated cases of more seeds, what depends on
// a server on pairs of versions, each version to each, and a defect for each promise, which its test has to catch.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBinaries, newestVersion, packageVersions, refusedVersion } from './postgres-binaries.ts';
import { seed } from './seed.ts';
import type { RunReport } from './summary-reporter.ts';

interface Piece {
  readonly title: string;
  readonly versions: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly string[];
}

const seedCount = 5;
const allVersions = Object.keys(packageVersions);

/** Those of fast-check, which takes one seed a run. */
const generated = [
  ...['net-effect', 'groups', 'positions', 'configuration', 'transforms', 'pgoutput-server'].map(
    (name) => `test/property/${name}`,
  ),
  'test/unit/postgres-source',
  'test/unit/expression/expression-soup',
];

/** Each version is a source or a target of one of them; the newest is both in the first piece. */
const mixedPairs = [
  ['14', '17'],
  ['16', '15'],
  ['17', '14'],
];

/** What does not start a server, or starts one of its own, is the same on each of them. */
const onServers = ['test/integration', 'test/property', 'test/crash'];
const sameOnAll = [
  'test/integration/package.test.ts',
  'test/integration/demo*',
  'test/integration/mysql/**',
  'test/crash/vendor-failpoints*',
  // Processes, signals, and what the service says of them.
  'test/crash/{signals,watchdog}*',
  'test/crash/supervisor/**',
  'test/integration/{service,api,client}/**',
  'test/property/{net-effect,groups,configuration,transforms,positions,byte-budget}*',
].flatMap((file) => ['--exclude', file]);

const pieces: readonly Piece[] = [
  {
    title: `PostgreSQL ${newestVersion}, the whole suite with ${seedCount} seeds`,
    versions: [newestVersion],
    env: { TIDELOCK_TEST_SEEDS: String(seedCount), TIDELOCK_TEST_FULL: '1' },
    files: [],
  },
  ...Array.from({ length: seedCount - 1 }, (_, index) => ({
    title: `PostgreSQL ${newestVersion}, generated cases of seed ${seed + index + 1}`,
    versions: [newestVersion],
    env: { TIDELOCK_TEST_SEED: String(seed + index + 1), TIDELOCK_TEST_FULL: '1' },
    files: generated,
  })),
  {
    title: `each of PostgreSQL ${allVersions.join(', ')} to each`,
    versions: allVersions,
    env: { TIDELOCK_TEST_PAIRS: 'all' },
    files: ['test/property/types', 'test/integration/route/versions'],
  },
  ...mixedPairs.map((versions) => ({
    title: `PostgreSQL ${versions.join(' to ')}`,
    versions,
    env: { TIDELOCK_TEST_EXPRESSION_RUNS: '60' },
    files: [...onServers, ...sameOnAll],
  })),
];

const folder = mkdtempSync(join(tmpdir(), 'tidelock-full-'));
const beganMs = performance.now();
const lines: string[] = [];
let failures = 0;
let skipped = 0;

function elapsed(fromMs = beganMs): string {
  const seconds = Math.round((performance.now() - fromMs) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function run({ title, versions, env, files }: Piece, index: number): void {
  const lacking = versions.filter((version) => findBinaries(version) === null);
  if (lacking.length > 0) {
    skipped++;
    lines.push(`skipped     ${title}: no binaries of PostgreSQL ${lacking.join(', ')}`);
    return;
  }
  process.stdout.write(`\n[${elapsed()}] ${index + 1} of ${pieces.length}: ${title}\n`);
  const startedMs = performance.now();
  const report = join(folder, `${index}.json`);
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], {
    env: { ...process.env, TIDELOCK_TEST_VERSIONS: versions.join(','), ...env, TIDELOCK_TEST_REPORT: report },
    stdio: 'inherit',
  });
  const counts = readReport(report);
  if (status !== 0) failures++;
  skipped += counts?.skipped.length ?? 0;
  for (const line of counts?.skipped ?? []) lines.push(`skipped     ${title}: ${line}`);
  const result =
    counts === null
      ? 'ended early'
      : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped.length} skipped`;
  lines.push(`${status === 0 ? 'passed' : 'FAILED'} ${elapsed(startedMs).padStart(5)} ${title}: ${result}`);
}

function runMutations(): void {
  const startedMs = performance.now();
  process.stdout.write(`\n[${elapsed()}] one mutation of each promise\n`);
  const { status } = spawnSync(process.execPath, ['test/mutations/run-mutations.ts', '--each-promise'], {
    stdio: 'inherit',
  });
  if (status !== 0) failures++;
  const result = status === 0 ? 'passed' : 'FAILED';
  lines.push(`${result} ${elapsed(startedMs).padStart(5)} one mutation of each promise is caught`);
}

function readReport(file: string): RunReport | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as RunReport;
  } catch {
    return null;
  }
}

try {
  for (const [script, ...args] of [
    ['fetch-servers', [refusedVersion, ...allVersions].join(',')],
    ['fetch-servers'],
    ['fetch-browser'],
    ['fetch-regression'],
  ])
    spawnSync(process.execPath, [`test/support/${script}.ts`, ...args], { stdio: 'inherit' });
  for (const [index, piece] of pieces.entries()) run(piece, index);
  runMutations();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${lines.join('\n')}\n[${elapsed()}] ${failures} failed, ${skipped} skipped\n`);
// Elsewhere what is missing is listed.
process.exitCode = failures > 0 || (skipped > 0 && process.env.CI) ? 1 : 0;
