import type { NodeSurvey, SurveyedTable } from '../../../src/core/node-inspector.ts';
import { ownSchemas, readTables } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import { readServerFacts } from '../server-facts.ts';

/** What a person is shown before there are routes; of all databases that the user sees. */
export async function surveyNode(session: MysqlSession): Promise<NodeSurvey> {
  const { vendor, version } = await readServerFacts(session);
  const [account] = await session.query('SELECT CURRENT_USER()');
  const [cipher] = await session.query(`SHOW SESSION STATUS LIKE 'Ssl_cipher'`);
  const user = account?.[0] ?? '';
  return {
    server: `${vendor === 'mariadb' ? 'MariaDB' : 'MySQL'} ${version.split('-')[0]}`,
    user: user.slice(0, user.lastIndexOf('@')),
    database: '',
    encrypted: (cipher?.[1] ?? '') !== '',
    superuser: await isSuperuser(session, user),
    tables: (await readTables(session, () => true)).map(
      ({ schema, name, bytes, rows, columns }): SurveyedTable => ({
        schema,
        name,
        bytes,
        rows,
        // The binlog has whole old rows where the server is as `check` wants it.
        identity: columns.some(({ key }) => key) ? 'key' : 'full',
        proposedKey: null,
      }),
    ),
    notCarried: await readNotCarried(session),
  };
}

/** `account` is as CURRENT_USER() writes it: name@host, without quotes. */
async function isSuperuser(session: MysqlSession, account: string): Promise<boolean> {
  const at = account.lastIndexOf('@');
  const grantee = `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
  const rows = await session.query(
    `SELECT 1 FROM information_schema.user_privileges WHERE grantee = ? AND privilege_type = 'SUPER'`,
    [grantee],
  );
  return rows.length > 0;
}

async function readNotCarried(session: MysqlSession): Promise<NodeSurvey['notCarried']> {
  const rows = await session.query(
    `SELECT table_schema, table_name, table_type FROM information_schema.tables
      WHERE table_type IN ('VIEW', 'SEQUENCE') AND table_schema NOT IN (${ownSchemas.map(() => '?').join(', ')})
      ORDER BY table_schema, table_name`,
    [...ownSchemas],
  );
  return rows.map(([schema, name, type]) => ({
    schema: String(schema),
    name: String(name),
    kind: type === 'VIEW' ? 'view' : 'sequence',
  }));
}
