import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type MysqlBinaries, type MysqlVendor, mysqlBinaries } from './mysql-packages.ts';
import { placeWhole, removeLeft } from './shared-folder.ts';

/** What a server of these packages is always started with. */
export function mysqlOptions({ prefix }: MysqlBinaries, dataDir: string): string[] {
  return [
    '--no-defaults',
    `--basedir=${prefix}`,
    `--lc-messages-dir=${join(prefix, 'share/mysql')}`,
    `--plugin-dir=${join(prefix, 'lib/mysql/plugin')}`,
    `--datadir=${dataDir}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
}

/** Initializes a server's files beside its packages, where they are not there yet. root has no password and comes from this host only. */
export function makeMysqlTemplate(vendor: MysqlVendor): void {
  const binaries = mysqlBinaries(vendor);
  if (existsSync(binaries.template)) return;
  const beginning = `${basename(binaries.template)}-`;
  removeLeft(dirname(binaries.template), beginning);
  const made = mkdtempSync(`${binaries.template}-${process.pid}-`);
  const [command = '', ...first] = binaries.command;
  const options = [...first, ...mysqlOptions(binaries, made)];
  const settings = { cwd: '/', timeout: 300_000, stdio: 'pipe' } as const;
  if (vendor === 'mysql') {
    const small = ['--innodb-redo-log-capacity=8M', '--log-bin=binlog', '--initialize-insecure'];
    execFileSync(command, [...options, ...small], settings);
    for (const left of ['auto.cnf', 'binlog.000001', 'binlog.index']) rmSync(join(made, left), { force: true });
  } else {
    mkdirSync(join(made, 'mysql'));
    const small = ['--bootstrap', '--innodb-log-file-size=8M', '--max-allowed-packet=8M', '--skip-log-bin'];
    execFileSync(command, [...options, ...small], { ...settings, input: systemTables(binaries) });
  }
  placeWhole(made, binaries.template);
}

/** As mariadb-install-db makes them, which does not know of another loader. */
function systemTables({ prefix }: MysqlBinaries): string {
  const scripts = ['mysql_system_tables.sql', 'mysql_system_tables_data.sql'].map((name) =>
    readFileSync(join(prefix, 'share/mysql', name), 'utf8'),
  );
  return ['use mysql;', 'SET @auth_root_socket=NULL, @skip_auth_anonymous=1;', ...scripts].join('\n');
}
