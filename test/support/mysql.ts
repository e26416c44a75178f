import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import type { NodeDefinition } from '../../src/core/route.ts';
import { mysqlOptions } from '../../src/demo/mysql/mysql-template.ts';
import { type MysqlBinaries, type MysqlVendor, mysqlBinaries } from './mysql-binaries.ts';
import { freePort } from './postgres.ts';
import { endTree } from './process-tree.ts';
import { forgetPid, notePid, runDirectory } from './run-directory.ts';
import { until } from './until.ts';

export interface MysqlOptions {
  readonly vendor: MysqlVendor;
  /** In addition to, or in place of, the usual ones, as `--name=value` without the dashes; null takes one away. */
  readonly settings?: Readonly<Record<string, string | null>>;
}

let servers = 0;

/** A MySQL or MariaDB server on a free port of the loopback address, as a source has to be: a full binlog of rows. */
export async function startMysql({ vendor, settings = {} }: MysqlOptions): Promise<MysqlServer> {
  const binaries = mysqlBinaries(vendor);
  const dataDir = mkdtempSync(join(runDirectory(), `${vendor}-`));
  execFileSync('cp', ['-a', `${binaries.template}/.`, dataDir]);
  const server = new MysqlServer({ vendor, binaries, dataDir, port: await freePort(), settings });
  await server.start();
  return server;
}

interface ServerOptions {
  readonly vendor: MysqlVendor;
  readonly binaries: MysqlBinaries;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string | null>>;
}

/** A server that runs here, whose root has no password. */
export function mysqlNodeAt(port: () => number, type: MysqlVendor): NodeDefinition {
  return {
    name: 'source',
    type,
    allow: [],
    connection: () => ({
      hosts: [{ host: '127.0.0.1', port: port() }],
      database: '',
      user: 'root',
      password: undefined,
      tls: { mode: 'off' },
    }),
  };
}

export class MysqlServer implements AsyncDisposable {
  readonly vendor: MysqlVendor;
  readonly dataDir: string;
  readonly port: number;
  readonly #options: ServerOptions;
  readonly #serverId = 1_000 + ++servers;
  #process: ChildProcess | null = null;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.vendor = options.vendor;
    this.dataDir = options.dataDir;
    this.port = options.port;
  }

  /** Not within the data directory, of which every folder is a database. */
  get #temporary(): string {
    return `${this.dataDir}.tmp`;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  get node(): NodeDefinition {
    return mysqlNodeAt(() => this.port, this.vendor);
  }

  /** As a configuration has it. */
  url(port = this.port, user = 'root'): string {
    return `${this.vendor}://${user}@127.0.0.1:${port}`;
  }

  /** Also after a stop or a kill: on the same port and files. */
  async start(): Promise<void> {
    const { vendor, binaries, dataDir } = this.#options;
    mkdirSync(this.#temporary, { recursive: true });
    const settings: Record<string, string | null> = {
      'bind-address': '127.0.0.1',
      port: String(this.port),
      // Relative to the data directory: a path of a socket is short.
      socket: 'socket',
      'pid-file': 'pid',
      // Of its own: a server that starts removes the temporary tables that others have in the same folder, and those crash.
      tmpdir: this.#temporary,
      'server-id': String(this.#serverId),
      'log-bin': 'binlog',
      'binlog-format': 'ROW',
      'binlog-row-image': 'FULL',
      'binlog-row-metadata': 'FULL',
      'sync-binlog': '1',
      'log-slave-updates': 'ON',
      'secure-file-priv': '',
      'performance-schema': 'OFF',
      'innodb-buffer-pool-size': '32M',
      'character-set-server': 'utf8mb4',
      // Also where the host's own zone is another one.
      'default-time-zone': '+00:00',
      'max-connections': '50',
      ...(vendor === 'mysql'
        ? { mysqlx: 'OFF', 'innodb-redo-log-capacity': '32M', 'gtid-mode': 'ON', 'enforce-gtid-consistency': 'ON' }
        : { 'innodb-log-file-size': '32M', 'gtid-strict-mode': 'ON' }),
      ...this.#options.settings,
    };
    const given = Object.entries(settings).flatMap(([name, value]) => (value === null ? [] : [`--${name}=${value}`]));
    const [command = '', ...first] = binaries.command;
    const args = [...first, ...mysqlOptions(binaries, dataDir), ...given];
    const log = openSync(join(dataDir, 'server.log'), 'a', 0o644);
    const server = spawn(command, args, { cwd: dataDir, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = server;
    notePid(this.pid);
    server.once('exit', () => server.pid !== undefined && forgetPid(server.pid));
    await until(
      'a server that starts',
      async () => {
        if (this.#hasEnded()) throw new Error(`${vendor} ended: ${this.log()}`);
        return this.connect().then(
          (connection) => connection.end().then(() => true),
          (error: { readonly errno?: number; readonly syscall?: string }) => {
            // What the server itself answers will not change.
            if (error.syscall === undefined && error.errno !== undefined) throw error;
            return false;
          },
        );
      },
      60_000,
    );
  }

  #hasEnded(): boolean {
    return this.#process === null || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  log(): string {
    return readFileSync(join(this.dataDir, 'server.log'), 'utf8').slice(-2_000);
  }

  async stop(): Promise<void> {
    await this.#end((server) => server.kill('SIGTERM'));
  }

  /** As when the power is cut. */
  async kill9(): Promise<void> {
    await this.#end(() => endTree(this.pid));
  }

  async #end(by: (server: ChildProcess) => void): Promise<void> {
    const server = this.#process;
    if (server === null || this.#hasEnded()) return;
    const ended = once(server, 'exit');
    by(server);
    await ended;
  }

  /** The caller ends it. Values come as the text that the server writes. */
  async connect(options: mysql.ConnectionOptions = {}): Promise<mysql.Connection> {
    const connection = await mysql.createConnection({
      host: '127.0.0.1',
      port: this.port,
      user: 'root',
      multipleStatements: true,
      typeCast: (field) => field.string(),
      ...options,
    });
    connection.on('error', () => {});
    return connection;
  }

  /** Over a connection of its own. */
  async query(sql: string): Promise<Record<string, string | null>[]> {
    const connection = await this.connect();
    try {
      const [rows] = await connection.query(sql);
      return rows as Record<string, string | null>[];
    } finally {
      await connection.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
    for (const folder of [this.dataDir, this.#temporary])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}
