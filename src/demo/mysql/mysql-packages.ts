import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { unpackedCommand } from './unpacked-command.ts';

export type MysqlVendor = 'mysql' | 'mariadb';

interface ServerPackage {
  /** The suite of Debian whose package is taken: the newest MySQL is only in the one that moves. */
  readonly suite: string;
  readonly package: string;
  readonly daemon: string;
}

export const serverPackages: Readonly<Record<MysqlVendor, ServerPackage>> = {
  mysql: { suite: 'sid', package: 'mysql-server-core', daemon: 'usr/sbin/mysqld' },
  mariadb: { suite: 'bookworm', package: 'mariadb-server-core', daemon: 'usr/sbin/mariadbd' },
};

export const mysqlVendors: readonly MysqlVendor[] = ['mysql', 'mariadb'];

export interface MysqlBinaries {
  /** What starts the server: its packages' own loader, with their own libraries, on whatever system this is. */
  readonly command: readonly string[];
  /** `usr` of the unpacked packages. */
  readonly prefix: string;
  /** The files of a server that was never started, made once with the packages: that takes longer than many a test. */
  readonly template: string;
}

/** Unpacked packages, with the server's version in the name; it stays when the suite has moved on. */
function folders(vendor: MysqlVendor): string[] {
  return globSync(`${vendor}-*/`, { cwd: cacheFolder() })
    .toSorted(new Intl.Collator('en', { numeric: true }).compare)
    .map((name) => join(cacheFolder(), name));
}

/** TIDELOCK_TEST_MYSQL_ROOT or TIDELOCK_TEST_MARIADB_ROOT (a folder that holds usr/sbin/...), else the cache; null where it is not there. */
export function findMysql(vendor: MysqlVendor): string | null {
  const given = process.env[`TIDELOCK_TEST_${vendor.toUpperCase()}_ROOT`];
  const places = given === undefined ? folders(vendor) : [given];
  return places.findLast((place) => existsSync(join(place, serverPackages[vendor].daemon))) ?? null;
}

/** Throws where there are none: a missing server never passes for a passed test. */
export function mysqlBinaries(vendor: MysqlVendor): MysqlBinaries {
  const root = findMysql(vendor);
  if (root === null) {
    throw new Error(
      `no ${vendor} server: run "npm run fetch-servers", or set TIDELOCK_TEST_${vendor.toUpperCase()}_ROOT`,
    );
  }
  const command = unpackedCommand(root, serverPackages[vendor].daemon);
  return { command, prefix: join(root, 'usr'), template: join(root, 'template') };
}
