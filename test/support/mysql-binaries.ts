import { basename } from 'node:path';
import { findMysql, type MysqlVendor, mysqlVendors } from '../../src/demo/mysql/mysql-packages.ts';

export {
  findMysql,
  type MysqlBinaries,
  type MysqlVendor,
  mysqlBinaries,
  mysqlVendors,
  serverPackages,
} from '../../src/demo/mysql/mysql-packages.ts';

/** With CI set a server that is missing is a failure. Elsewhere what needs it is left out, and named (missing-servers.ts). */
export const missingMysql: readonly MysqlVendor[] = process.env.CI
  ? []
  : mysqlVendors.filter((vendor) => findMysql(vendor) === null);

/** Which servers there are, by vendor and version. */
export function foundMysql(): string[] {
  return mysqlVendors.map((vendor) => basename(findMysql(vendor) ?? `${vendor} none`).replace('-', ' '));
}
