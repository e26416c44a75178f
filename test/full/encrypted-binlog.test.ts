// Binlogs that a server encrypts on its disk come as others do: it decrypts them for whoever reads.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { BinlogReading, endOf, mysqlRoute } from '../integration/mysql/binlog-reading.ts';
import { type MysqlOptions, startMysql } from '../support/mysql.ts';
import { findMysql, type MysqlVendor, mysqlVendors } from '../support/mysql-binaries.ts';
import { runDirectory } from '../support/run-directory.ts';

const plugins: Readonly<Record<MysqlVendor, string>> = {
  mysql: 'component_keyring_file.so',
  mariadb: 'file_key_management.so',
};

/** Packages without what keeps keys can't encrypt: those of MariaDB's server alone are such. */
const vendors = mysqlVendors.filter((vendor) => {
  const root = findMysql(vendor);
  return root !== null && existsSync(join(root, 'usr/lib/mysql/plugin', plugins[vendor]));
});

/** Of what the servers are told beside their settings. */
const folder = mkdtempSync(join(runDirectory(), 'keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What MySQL is told beside its program and its components, in a folder of links to its packages. */
function withKeyring(): NonNullable<MysqlOptions['settings']> {
  const packages = findMysql('mysql') ?? '';
  const root = mkdtempSync(join(folder, 'mysql-'));
  for (const name of readdirSync(packages))
    if (name === 'template') symlinkSync(join(packages, name), join(root, name));
    else execFileSync('cp', ['-as', join(packages, name), root]);
  writeFileSync(join(root, 'usr/sbin/mysqld.my'), JSON.stringify({ components: 'file://component_keyring_file' }));
  const keyring = { path: join(root, 'keys'), read_only: false };
  writeFileSync(join(root, 'usr/lib/mysql/plugin/component_keyring_file.cnf'), JSON.stringify(keyring));
  process.env.TIDELOCK_TEST_MYSQL_ROOT = root;
  return { 'binlog-encryption': 'ON' };
}

function withKeyFile(): NonNullable<MysqlOptions['settings']> {
  const file = join(folder, 'keys');
  writeFileSync(file, `1;${'0123456789abcdef'.repeat(4)}\n`);
  return { 'plugin-load-add': 'file_key_management', 'file-key-management-filename': file, 'encrypt-binlog': 'ON' };
}

test('a server that encrypts is among those that are there', () => {
  expect(vendors).toContain('mysql');
});

describe.each(vendors)('on %s', (vendor) => {
  test('rows of encrypted binlogs come as they were written, over several files and from a stored position', async () => {
    await using server = await startMysql({ vendor, settings: vendor === 'mysql' ? withKeyring() : withKeyFile() });
    await server.query('CREATE DATABASE d; CREATE TABLE d.t (id int PRIMARY KEY, v text)');
    const { position, stored } = await endOf(server);
    const route = mysqlRoute(server, 'd');
    const secret = 'nobody reads this on the disk';
    await server.query(`INSERT INTO d.t VALUES (1, '${secret}'); FLUSH BINARY LOGS; UPDATE d.t SET v = REPEAT(v, 500)`);
    const first = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
    await first.reached((await endOf(server)).position);
    await first[Symbol.asyncDispose]();
    expect(first.rows).toEqual([
      ['1', secret],
      ['1', secret.repeat(500)],
    ]);
    await server.query("INSERT INTO d.t VALUES (2, 'x'); DELETE FROM d.t WHERE id = 1");
    await using second = new BinlogReading({ route, start: first.checkpoint, stored });
    await second.reached((await endOf(server)).position);
    expect(second.changes.map(({ kind }) => kind)).toEqual(['insert', 'delete']);
    const files = readdirSync(server.dataDir).filter((name) => /^binlog\.\d+$/.test(name));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(readFileSync(join(server.dataDir, file)).includes(secret), file).toBe(false);
  });
});
