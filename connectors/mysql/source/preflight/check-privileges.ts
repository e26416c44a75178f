import type { Finding } from '../../../../src/core/finding.ts';
import type { MysqlSession } from '../../connect.ts';
import type { ServerFacts } from '../../server-facts.ts';

/** What reading a binlog takes, by all the names that servers have given it. */
const needed = {
  mysql: [
    { names: ['REPLICATION SLAVE'], grant: 'REPLICATION SLAVE', why: 'read the binlog' },
    { names: ['REPLICATION CLIENT'], grant: 'REPLICATION CLIENT', why: 'see which binlogs there are' },
  ],
  mariadb: [
    { names: ['REPLICATION SLAVE'], grant: 'REPLICATION SLAVE', why: 'read the binlog' },
    { names: ['BINLOG MONITOR', 'REPLICATION CLIENT'], grant: 'BINLOG MONITOR', why: 'see which binlogs there are' },
  ],
} as const;

/** By what the server says of the user itself, its active roles included. */
export async function checkPrivileges(
  session: MysqlSession,
  { vendor }: ServerFacts,
): Promise<Omit<Finding, 'node'>[]> {
  const held = new Set<string>();
  for (const grants of await session.query('SHOW GRANTS')) {
    const match = /^GRANT (.*?) ON \*\.\* TO /.exec(grants[0] ?? '');
    for (const privilege of (match?.[1] ?? '').split(',')) held.add(privilege.trim());
  }
  if (held.has('ALL PRIVILEGES')) return [];
  const [row] = await session.query('SELECT CURRENT_USER()');
  const [user = '', host = ''] = String(row?.[0]).split(/@(?=[^@]*$)/);
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  return needed[vendor]
    .filter(({ names }) => !names.some((name) => held.has(name)))
    .map(({ grant, why }) => ({
      level: 'error' as const,
      code: 'source.privilege',
      message: `the user may not ${why}: it lacks ${grant}`,
      remedy: 'Grant it.',
      statement: `GRANT ${grant} ON *.* TO ${quoted(user)}@${quoted(host)};`,
    }));
}
