import type { Finding } from '../../../../src/core/finding.ts';
import type { MysqlSession } from '../../connect.ts';
import { ownDatabase } from '../../own-database.ts';
import type { ServerFacts } from '../../server-facts.ts';

interface Need {
  /** By all the names that servers have given it; one will do. */
  readonly names: readonly string[];
  readonly grant: string;
  /** What it is needed on: everything, or Tidelock's own database. */
  readonly on: '*' | typeof ownDatabase;
  readonly why: string;
}

const dump: Need = { names: ['REPLICATION SLAVE'], grant: 'REPLICATION SLAVE', on: '*', why: 'read the binlog' };
const client = { on: '*', why: 'see which binlogs there are' } as const;
const binlogs: Readonly<Record<ServerFacts['vendor'], Need>> = {
  mysql: { names: ['REPLICATION CLIENT'], grant: 'REPLICATION CLIENT', ...client },
  mariadb: { names: ['BINLOG MONITOR', 'REPLICATION CLIENT'], grant: 'BINLOG MONITOR', ...client },
};
const own: readonly Need[] = ['CREATE', 'SELECT', 'INSERT', 'UPDATE'].map((grant) => ({
  names: [grant],
  grant,
  on: ownDatabase,
  why: `keep its heartbeats and marks in the database ${ownDatabase}`,
}));
/** MariaDB tells the place of a view in its binlog by itself. */
const lock: Need = {
  names: ['LOCK TABLES'],
  grant: 'LOCK TABLES',
  on: '*',
  why: 'lock the tables for the moment in which a load begins',
};

/** By what the server says of the user itself, its active roles included. */
export async function checkPrivileges(
  session: MysqlSession,
  { vendor }: Pick<ServerFacts, 'vendor'>,
  { loads }: { readonly loads: boolean },
): Promise<Omit<Finding, 'node'>[]> {
  const everywhere = new Set<string>();
  const inOwn = new Set<string>();
  let locksSomewhere = false;
  for (const [text] of await session.query('SHOW GRANTS')) {
    const match = /^GRANT (.*?) ON (\S+) TO /.exec(text ?? '');
    const privileges = (match?.[1] ?? '').split(',').map((privilege) => privilege.trim());
    const on = (match?.[2] ?? '').replaceAll('`', '');
    const into = on === '*.*' ? everywhere : on === `${ownDatabase}.*` ? inOwn : null;
    for (const privilege of privileges) into?.add(privilege);
    if (privileges.includes('LOCK TABLES') || privileges.includes('ALL PRIVILEGES'))
      locksSomewhere ||= on !== `${ownDatabase}.*`;
  }
  if (everywhere.has('ALL PRIVILEGES')) return [];
  const [row] = await session.query('SELECT CURRENT_USER()');
  const [user = '', host = ''] = String(row?.[0]).split(/@(?=[^@]*$)/);
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const isHeld = ({ names, on, grant }: Need): boolean =>
    names.some((name) => everywhere.has(name)) ||
    (on === ownDatabase && (inOwn.has(grant) || inOwn.has('ALL PRIVILEGES'))) ||
    // Whichever databases it is granted on: a table that it is not is told by the server.
    (grant === lock.grant && locksSomewhere);
  const needed = [dump, binlogs[vendor], ...own, ...(loads && vendor === 'mysql' ? [lock] : [])];
  return needed
    .filter((need) => !isHeld(need))
    .map(({ grant, on, why }) => ({
      level: 'error' as const,
      code: 'source.privilege',
      message: `the user may not ${why}: it lacks ${grant}${on === '*' ? '' : ` on ${on}`}`,
      remedy: 'Grant it.',
      statement: `GRANT ${grant} ON ${on}.* TO ${quoted(user)}@${quoted(host)};`,
    }));
}
