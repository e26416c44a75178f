// Before `npm run test:full`: PostgreSQL's own regression suite, where it is not there yet. 24 MB, of which 8 MB are kept.
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/demo/mysql/cache-folder.ts';
import { fetchDebianSource, unpackDebianPackage } from '../../src/demo/mysql/debian-packages.ts';
import { findRegressionSuite, regressionClient, regressionSource } from './regression-suite.ts';

if (findRegressionSuite() === null) {
  process.stdout.write("fetching PostgreSQL's regression suite\n");
  try {
    await unpackDebianPackage(regressionClient, cacheFolder(), 'postgres-client');
    await fetchSuite();
  } catch (error) {
    process.stdout.write(`it could not be fetched: ${(error as Error).message.split('\n')[0]}\n`);
  }
}
// Elsewhere its test is listed as skipped.
process.exitCode = findRegressionSuite() === null && process.env.CI ? 1 : 0;

async function fetchSuite(): Promise<void> {
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(cacheFolder(), 'source-'));
  try {
    await fetchDebianSource(regressionSource, work);
    const [archive] = globSync('*.orig.tar.*', { cwd: work });
    const version = /_([0-9.]+)\.orig/.exec(archive ?? '')?.[1];
    if (archive === undefined || version === undefined) throw new Error('no archive has come');
    const made = join(work, 'made');
    mkdirSync(made);
    execFileSync('tar', ['-xf', join(work, archive), '-C', made, '--wildcards', '*/src/test/regress/*']);
    const folder = join(cacheFolder(), `postgres-source-${version}`);
    // Whole at once.
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
