import { isIP, type Socket } from 'node:net';
import type mysql from 'mysql2';
import { nodeErrors } from '../../src/core/errors/catalogue/node.ts';
import { fail, TidelockError } from '../../src/core/errors/tidelock-error.ts';
import type { ConnectionSettings, NodeDefinition } from '../../src/core/route.ts';
import { classifyMysqlError } from './classify-error.ts';
import type { Statement } from './long-value.ts';
import { sendStatements } from './send-statements.ts';

export type MysqlHost = ConnectionSettings['hosts'][number];

const connectMs = 10_000;
/** How long an answer is waited for when a session is closed. */
const answerMs = 3_000;

/** A session of mysql2 whose rows are arrays of the text that the server writes; null is NULL. */
export class MysqlSession {
  readonly node: NodeDefinition;
  readonly connection: mysql.Connection;
  /** Which of the node's. */
  readonly host: MysqlHost;
  readonly #listeners = new Set<() => void>();
  /** Statements that are not answered yet. */
  readonly #underWay = new Set<(lost: Error) => void>();

  constructor(node: NodeDefinition, connection: mysql.Connection, host: MysqlHost) {
    this.node = node;
    this.connection = connection;
    this.host = host;
    // Of a connection that was closed from here, the driver tells nobody when it breaks before the answer has come.
    this.socket.once('close', () => {
      const lost = Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
      for (const reject of this.#underWay) reject(lost);
    });
  }

  /** Throws classified errors. */
  async query(sql: string, values: readonly Value[] = []): Promise<Rows> {
    const answer = await this.#ask(sql, values);
    return Array.isArray(answer) ? (answer as Rows) : [];
  }

  /** As `query`, of a statement that changes rows: how many it has found, whether they were as it wants them already or not. */
  async change(sql: string, values: readonly Value[] = []): Promise<number> {
    return answerOf(await this.#ask(sql, values)).found;
  }

  /**
   * Statements in one message, answered in one: what follows an error is not carried out. Only of a session that was opened for it.
   * Throws what the server or the driver has said, unclassified.
   */
  async batch(statements: readonly Statement[]): Promise<readonly Answer[]> {
    const [only] = statements;
    if (only === undefined) return [];
    const answer = statements.every((statement) => typeof statement === 'string')
      ? await this.#answer(statements.join(';\n'), [])
      : await this.#orLost(sendStatements(this.connection, statements, asText));
    return statements.length === 1 ? [answerOf(answer)] : (answer as unknown[]).map(answerOf);
  }

  async #ask(sql: string, values: readonly Value[]): Promise<unknown> {
    try {
      return await this.#answer(sql, values);
    } catch (error) {
      throw classifyMysqlError(error, this.node.name);
    }
  }

  #answer(sql: string, values: readonly Value[]): Promise<unknown> {
    const answered = new Promise((resolve, reject) => {
      const options = { ...asText, sql, values: [...values] };
      this.connection.query(options, (error, answer) => {
        if (error === null) return resolve(answer);
        // The driver's errors carry the statement, and that holds values.
        Reflect.deleteProperty(error, 'sql');
        reject(error);
      });
    });
    return this.#orLost(answered);
  }

  #orLost<T>(answered: Promise<T>): Promise<T> {
    const lost = Promise.withResolvers<T>();
    this.#underWay.add(lost.reject);
    answered.then(lost.resolve, lost.reject).finally(() => this.#underWay.delete(lost.reject));
    return lost.promise;
  }

  /** What the driver's types lack. */
  get socket(): Socket {
    return (this.connection as unknown as { readonly stream: Socket }).stream;
  }

  /** Calls it once the session is closed from here, of which the driver tells nobody. Returns what takes it back. */
  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Statements under way may be answered still for a moment; then they end with the connection, also where its other end is silent. */
  close(): void {
    this.connection.destroy();
    if (this.#underWay.size > 0) setTimeout(() => this.socket.destroy(), answerMs);
    for (const listener of this.#listeners) listener();
  }
}

/** How answers are read. */
const asText = { rowsAsArray: true, typeCast: (field: TextField) => field.string() };

type Value = string | number | Buffer | null;
type Rows = readonly (readonly (string | null)[])[];

/** What the server says of one statement. */
export interface Answer {
  readonly rows: Rows;
  /** Rows that it has found, inserted or deleted. */
  readonly found: number;
}

function answerOf(answer: unknown): Answer {
  if (Array.isArray(answer)) return { rows: answer as Rows, found: 0 };
  // The driver asks for CLIENT_FOUND_ROWS: an UPDATE counts the rows that its condition means, and not those that it has made different.
  return { rows: [], found: (answer as { readonly affectedRows: number }).affectedRows };
}

export interface MysqlSessionOptions {
  /** The server of another session, where the two have to be of one. */
  readonly host?: MysqlHost;
  /** For MysqlSession.batch(). */
  readonly batches?: boolean;
}

interface TextField {
  string(): string | null;
}

/**
 * Session settings under which every value has one text form, and no statement waits for good. Names are bound by the client; the
 * zone makes TIMESTAMPs what the binlog has, and a date that a server may hold can be named in a condition.
 */
const canonical = [
  'SET NAMES utf8mb4',
  "SET SESSION autocommit = 1, time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES', wait_timeout = 86400, net_write_timeout = 3600, net_read_timeout = 60" +
    // A transaction of ours may wait for rows that the source has yet to find.
    ' /*M!100303 , idle_transaction_timeout = 0, idle_write_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */',
];

/** Each host in its order until one takes the session. */
export async function connectMysql(node: NodeDefinition, options: MysqlSessionOptions = {}): Promise<MysqlSession> {
  const settings = node.connection();
  let last: unknown;
  let address = '';
  const hosts = options.host === undefined ? settings.hosts : [options.host];
  for (const host of hosts) {
    address = `${host.host}:${host.port}`;
    try {
      const session = new MysqlSession(node, await connect(node, settings, host, options), host);
      try {
        for (const statement of canonical) await session.query(statement);
        await demandVendor(session);
        // Heartbeats, marks and rows are written: after a failover the next in the list is the one.
        if (hosts.length > 1) await demandWritable(session, address);
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

async function connect(
  node: NodeDefinition,
  settings: ConnectionSettings,
  host: MysqlHost,
  { batches = false }: MysqlSessionOptions,
): Promise<mysql.Connection> {
  const ssl = tlsOptions(node, settings, host);
  // Not before it is needed: every process of every route imports this module.
  const { default: driver } = await import('mysql2');
  const connection = driver.createConnection({
    ...(host.host.startsWith('/') ? { socketPath: host.host } : { host: host.host, port: host.port }),
    user: settings.user,
    password: settings.password ?? '',
    charset: 'utf8mb4',
    multipleStatements: batches,
    connectTimeout: connectMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: 5_000,
    ...(ssl !== null && { ssl }),
  });
  return await new Promise((resolve, reject) => {
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

function tlsOptions(node: NodeDefinition, settings: ConnectionSettings, { host }: MysqlHost): mysql.SslOptions | null {
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
