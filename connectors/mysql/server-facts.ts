import type { MysqlSession } from './connect.ts';

export interface ServerFacts {
  readonly vendor: 'mysql' | 'mariadb';
  readonly version: string;
  /** MySQL's server_uuid, MariaDB's server_uid; '' where an old one has none. */
  readonly uuid: string;
  readonly serverId: string;
  /** Whether positions are GTIDs. */
  readonly gtids: boolean;
  readonly checksums: boolean;
  /** What foreign keys delete and change below a row comes as rows: where the server carries them out itself, not its storage engine. */
  readonly logsCascades: boolean;
}

/** Variables of the server by name; those that it does not have are missing. */
export async function readVariables(
  session: MysqlSession,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const places = names.map(() => '?').join(', ');
  const rows = await session.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${places})`, names);
  return new Map(rows.map(([name, value]) => [String(name).toLowerCase(), value ?? '']));
}

export async function readServerFacts(session: MysqlSession): Promise<ServerFacts> {
  const names = [
    'version',
    'server_uuid',
    'server_uid',
    'server_id',
    'gtid_mode',
    'binlog_checksum',
    'innodb_native_foreign_keys',
  ];
  const variables = await readVariables(session, names);
  const version = variables.get('version') ?? '';
  const vendor = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  return {
    vendor,
    version,
    uuid: variables.get('server_uuid') ?? variables.get('server_uid') ?? '',
    serverId: variables.get('server_id') ?? '',
    // MariaDB always has them.
    gtids: vendor === 'mariadb' || variables.get('gtid_mode') === 'ON',
    checksums: variables.get('binlog_checksum') === 'CRC32',
    logsCascades: variables.get('innodb_native_foreign_keys') === 'OFF',
  };
}
