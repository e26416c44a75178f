import { existsSync } from 'node:fs';
import { nodeErrors } from '../../core/errors/catalogue/node.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { cacheFolder } from './cache-folder.ts';
import { unpackDebianPackage } from './debian-packages.ts';
import { findMysql, type MysqlBinaries, mysqlBinaries, serverPackages } from './mysql-packages.ts';
import { makeMysqlTemplate } from './mysql-template.ts';

/** The MySQL server of the demo: from the cache, or where the system is Debian from its mirror, into the cache and nowhere else. */
export async function demoMysql(): Promise<MysqlBinaries> {
  try {
    if (findMysql('mysql') === null) await unpackDebianPackage(serverPackages.mysql, cacheFolder(), 'mysql');
    const binaries = mysqlBinaries('mysql');
    if (!existsSync(binaries.template)) makeMysqlTemplate('mysql');
    return binaries;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw fail(nodeErrors.demoMysql, { why: why ?? '' }, error);
  }
}
