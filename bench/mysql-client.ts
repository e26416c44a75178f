import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../src/demo/mysql/cache-folder.ts';
import { unpackDebianPackage } from '../src/demo/mysql/debian-packages.ts';
import { unpackedCommand } from '../src/demo/mysql/unpacked-command.ts';
import type { MysqlServer } from '../test/support/mysql.ts';

export interface MysqlClient {
  /** What runs a program of MySQL's client package as root of this server, before its own arguments. */
  command(program: 'mysqldump' | 'mysql', server: MysqlServer): readonly string[];
}

/** MySQL's own client programs, which the servers' packages lack: fetched once into the cache folder. */
export async function mysqlClient(): Promise<MysqlClient> {
  const find = (): string | undefined => globSync('client-mysql-*/', { cwd: cacheFolder() }).toSorted().at(-1);
  if (find() === undefined)
    await unpackDebianPackage({ suite: 'sid', package: 'mysql-client' }, cacheFolder(), 'client-mysql');
  const root = join(cacheFolder(), find() ?? '');
  return {
    command: (program, { port }) => [
      ...unpackedCommand(root, `usr/bin/${program}`),
      ...['--no-defaults', '--host=127.0.0.1', `--port=${port}`, '--user=root', '--ssl-mode=DISABLED'],
    ],
  };
}
