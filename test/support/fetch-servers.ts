// Before the tests, outside of their time: the binaries of the servers, and the tools, that are wanted and not there yet.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/demo/mysql/cache-folder.ts';
import { unpackDebianPackage } from '../../src/demo/mysql/debian-packages.ts';
import { makeMysqlTemplate } from '../../src/demo/mysql/mysql-template.ts';
import { findMysql, type MysqlVendor, mysqlBinaries, mysqlVendors, serverPackages } from './mysql-binaries.ts';
import {
  findBinaries,
  packageVersions,
  platformPackage,
  refusedPackage,
  refusedVersion,
  wantedVersions,
} from './postgres-binaries.ts';
import { findPromtool, promtoolPackage } from './promtool.ts';

const wanted = process.argv[2]?.split(',') ?? wantedVersions;
let missing = 0;
for (const version of wanted) {
  if (findBinaries(version) !== null) continue;
  process.stdout.write(`fetching PostgreSQL ${version}\n`);
  try {
    fetch(version);
  } catch (error) {
    missing++;
    process.stdout.write(`PostgreSQL ${version} could not be fetched: ${(error as Error).message.split('\n')[0]}\n`);
  }
}
if (process.argv[2] === undefined) {
  const lacking = mysqlVendors.filter((vendor) => !isReady(vendor));
  const fetched = lacking.map(async (vendor) => {
    process.stdout.write(`fetching ${vendor}\n`);
    try {
      if (findMysql(vendor) === null) await unpackDebianPackage(serverPackages[vendor], cacheFolder(), vendor);
      makeMysqlTemplate(vendor);
    } catch (error) {
      missing++;
      process.stdout.write(`${vendor} could not be fetched: ${(error as Error).message.split('\n')[0]}\n`);
    }
  });
  await Promise.all([...fetched, fetchPromtool()]);
}
// Elsewhere the tests of a version that is not there are listed as skipped.
process.exitCode = missing > 0 && process.env.CI ? 1 : 0;

/** Of Prometheus, which the alert rules are for. */
async function fetchPromtool(): Promise<void> {
  if (findPromtool() !== null) return;
  process.stdout.write('fetching promtool\n');
  try {
    await unpackDebianPackage(promtoolPackage, cacheFolder(), 'prometheus');
  } catch (error) {
    missing++;
    process.stdout.write(`promtool could not be fetched: ${(error as Error).message.split('\n')[0]}\n`);
  }
}

function isReady(vendor: MysqlVendor): boolean {
  return findMysql(vendor) !== null && existsSync(mysqlBinaries(vendor).template);
}

function fetch(version: string): void {
  const folder = join(cacheFolder(), `postgres-${version}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const name = platformPackage();
  const options = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  execFileSync(
    'npm',
    ['install', ...options, `${name}@${version === refusedVersion ? refusedPackage : packageVersions[version]}`],
    { cwd: folder, stdio: 'pipe' },
  );
  // The libraries' symbolic links, which an archive of npm can't carry.
  const hydrate = join(folder, 'node_modules', name, 'scripts/hydrate-symlinks.js');
  if (existsSync(hydrate)) execFileSync(process.execPath, [hydrate], { cwd: join(folder, 'node_modules', name) });
  if (findBinaries(version) === null) throw new Error(`${name} ${packageVersions[version]} has no binaries`);
}
