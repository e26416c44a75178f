import { isIP } from 'node:net';
import mysql from 'mysql2';
import { nodeErrors } from '../../src/core/errors/catalogue/node.ts';
import { fail, TidelockError } from '../../src/core/errors/tidelock-error.ts';
import type { ConnectionSettings, NodeDefinition } from '../../src/core/route.ts';
import { classifyMysqlError } from './classify-error.ts';

type Host = ConnectionSettings['hosts'][number];

const connectMs = 10_000;

/** A session of mysql2 whose rows are arrays of the text that the server writes; null is NULL. */
export class MysqlSession {
  readonly node: NodeDefinition;
  readonly connection: mysql.Connection;

  constructor(node: NodeDefinition, connection: mysql.Connection) {
    this.node = node;
    this.connection = connection;
  }

  /** Throws classified errors. */
  query(sql: string, values: readonly (string | number)[] = []): Promise<readonly (readonly (string | null)[])[]> {
    return new Promise((resolve, reject) => {
      const options = { sql, values: [...values], rowsAsArray: true, typeCast: (field: TextField) => field.string() };
      this.connection.query(options, (error, rows) => {
        if (error !== null) reject(classifyMysqlError(error, this.node.name));
        else resolve(Array.isArray(rows) ? (rows as unknown as (string | null)[][]) : []);
      });
    });
  }

  close(): void {
    this.connection.destroy();
  }
}

interface TextField {
  string(): string | null;
}

/**
 * Session settings under which every value has one text form, and no statement waits for good. Names are bound by the client; the
 * zone makes TIMESTAMPs what the binlog has.
 */
const canonical = [
  'SET NAMES utf8mb4',
  "SET SESSION autocommit = 1, time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION', wait_timeout = 86400, net_write_timeout = 3600, net_read_timeout = 60",
];

/** Each host in its order until one takes the session. */
export async function connectMysql(node: NodeDefinition): Promise<MysqlSession> {
  const settings = node.connection();
  let last: unknown;
  let address = '';
  for (const host of settings.hosts) {
    address = `${host.host}:${host.port}`;
    try {
      const session = new MysqlSession(node, await connect(node, settings, host));
      try {
        for (const statement of canonical) await session.query(statement);
        await demandVendor(session);
        // Heartbeats, marks and rows are written: after a failover the next in the list is the one.
        if (settings.hosts.length > 1) await demandWritable(session, address);
        return session;
      } catch (error) {
        session.close();
        throw error;
      }
    } catch (error) {
      last = error;
    }
  }
  throw last instanceof TidelockError ? last : classifyMysqlError(last, node.name, address);
}

/** What the next host is tried for; where there is none, the servers are asked again later. */
async function demandWritable(session: MysqlSession, address: string): Promise<void> {
  const [row] = await session.query('SELECT @@GLOBAL.read_only');
  if (row?.[0] === '0') return;
  const { name: node } = session.node;
  throw fail(nodeErrors.interrupted, { node, sqlState: 'HY000', message: `${address} is read-only` });
}

async function demandVendor(session: MysqlSession): Promise<void> {
  const { name, type } = session.node;
  const [row] = await session.query('SELECT VERSION()');
  const version = String(row?.[0]);
  const vendor = /mariadb/i.test(version) ? 'MariaDB' : 'MySQL';
  if (vendor.toLowerCase() !== type)
    throw fail(nodeErrors.otherVendor, { node: name, type, found: `${vendor} ${version.split('-')[0]}` });
}

function connect(node: NodeDefinition, settings: ConnectionSettings, host: Host): Promise<mysql.Connection> {
  const ssl = tlsOptions(node, settings, host);
  const connection = mysql.createConnection({
    ...(host.host.startsWith('/') ? { socketPath: host.host } : { host: host.host, port: host.port }),
    user: settings.user,
    password: settings.password ?? '',
    charset: 'utf8mb4',
    connectTimeout: connectMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: 5_000,
    ...(ssl !== null && { ssl }),
  });
  return new Promise((resolve, reject) => {
    // Without a listener a connection that breaks while idle would end the process; the next query reports it.
    connection.on('error', reject);
    connection.connect((error) => {
      if (error === null) resolve(connection);
      else {
        connection.destroy();
        reject(error);
      }
    });
  });
}

function tlsOptions(node: NodeDefinition, settings: ConnectionSettings, { host }: Host): mysql.SslOptions | null {
  const { mode, ca, cert, key } = settings.tls;
  if (mode === 'off') return null;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (mode === 'encrypt') return { ...files, rejectUnauthorized: false };
  if (mode === 'verifyCa') return { ...files, rejectUnauthorized: true, verifyIdentity: false };
  // The driver would compare the certificate with the name localhost.
  if (isIP(host) !== 0) {
    const why = `tls.mode verifyFull needs the server's name, and ${host} is an address: give the name, or choose verifyCa`;
    throw fail(nodeErrors.unreachable, { node: node.name, why });
  }
  return { ...files, rejectUnauthorized: true, verifyIdentity: true };
}
