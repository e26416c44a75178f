import { z } from 'zod';
import type { Scalars } from './scalars.ts';

export function nodeSchema(s: Scalars) {
  return s
    .section({
      type: s.choice({ now: ['postgres', 'mysql', 'mariadb'], later: ['mssql', 'kafka'] }, 'The kind of server.', {
        example: 'postgres',
      }),
      url: s
        .secret(
          'Address as postgres://user:password@host:port/database, mysql://user:password@host:port or mariadb://user:password@host:port; several hosts are separated by commas. Reserved characters in its parts are percent-encoded. Parameters are not taken: TLS is set with `tls`.',
          { example: '${SALES_URL}' },
        )
        .optional(),
      hosts: z
        .array(s.text('A host, or host:port.'))
        .min(1)
        .optional()
        .meta({
          'x-type': 'list of host[:port]',
          description:
            'Instead of `url`: the addresses, tried in this order. A path that begins with / is a directory with a Unix socket, of MySQL and MariaDB the socket itself; IPv6 addresses with a port are in brackets.',
          examples: [['db1.internal', 'db2.internal:5433']],
        }),
      port: s
        .integer(
          { min: 1, max: 65_535 },
          'Port of the hosts that name none; 5432 where it is absent, 3306 of MySQL and MariaDB.',
        )
        .optional(),
      database: s
        .text(
          'Database; beside a `url` that names none. Not of MySQL and MariaDB, where a node is the whole server and tables are database.table.',
          { example: 'sales' },
        )
        .optional(),
      user: s.text('User; beside a `url` that names none.', { example: 'tidelock' }).optional(),
      password: s
        .secret('Password; beside a `url` that has none.', { example: '${file:/run/secrets/sales}' })
        .optional(),
      tls: s
        .section({
          mode: s
            .choice(
              { now: ['verifyFull', 'verifyCa', 'encrypt', 'off'] },
              '`verifyFull`: encrypted, certificate and host name verified; `verifyCa`: the host name is not; `encrypt`: nothing is verified; `off`: plain. Where it is absent: `off` if every host is a loopback address or a Unix socket, else `verifyFull`.',
            )
            .optional(),
          ca: s
            .secret("Certificates to trust instead of the system's: a PEM file, or PEM text by a reference.", {
              example: '/run/secrets/ca.pem',
            })
            .optional(),
          cert: s.secret('Client certificate: a PEM file, or PEM text by a reference.').optional(),
          key: s.secret('Key of the client certificate: a PEM file, or PEM text by a reference.').optional(),
        })
        .meta({ description: 'Encryption of the connection.' })
        .optional(),
      allow: allowList(s, 'What is allowed at this node by name.').optional(),
      capture: s.notYet('other ways to capture changes than the log'),
      read: s.notYet('another address to read chunks from'),
    })
    .meta({ description: 'A database server and database; of MySQL and MariaDB the server.' });
}

export function allowList(s: Scalars, description: string) {
  return z
    .array(s.text('Name of what is allowed.'))
    .meta({ 'x-type': 'list of names', description: `${description} The names are listed under "Allowing by name".` });
}

export type NodeData = z.output<ReturnType<typeof nodeSchema>>;
