import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import type { ConnectionSettings, NodeDefinition } from '../../src/core/route.ts';
import { KeptSession } from './kept-session.ts';
import { type Binaries, postgresBinaries, versions } from './postgres-binaries.ts';
import { endTree } from './process-tree.ts';
import { forgetPid, notePid, runDirectory } from './run-directory.ts';
import { renewSystemIdentifier } from './system-identifier.ts';
import { until } from './until.ts';

export interface PostgresOptions {
  /** Major; where absent those that are tested, in turn: of a pair the source is started first. */
  readonly version?: string;
  readonly settings?: Readonly<Record<string, string>>;
  /** A stopped server's files to start from. */
  readonly copyOf?: string;
}

let databases = 0;
let servers = 0;

/** A PostgreSQL server on a free port of the loopback address, with a system identifier of its own. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const version =
    options.copyOf !== undefined
      ? readFileSync(join(options.copyOf, 'PG_VERSION'), 'utf8').trim()
      : (options.version ?? String(versions[servers++ % versions.length]));
  const binaries = postgresBinaries(version);
  chmodSync(runDirectory(), 0o755);
  const dataDir = mkdtempSync(join(runDirectory(), `pg${version}-`));
  copyFiles(options.copyOf ?? newServer(version, binaries), dataDir, binaries);
  if (options.copyOf === undefined) renewSystemIdentifier(dataDir);
  const server = new PostgresServer({ version, binaries, dataDir, port: await freePort(), settings: options.settings });
  await server.start();
  return server;
}

/** The files of a server that was never started, made once for a test run: initdb takes as long as many a test. */
function newServer(version: string, binaries: Binaries): string {
  const template = join(runDirectory(), `template-${version}`);
  if (existsSync(template)) return template;
  const made = mkdtempSync(`${template}-`);
  const { uid, gid } = binaries.owner;
  if (uid !== undefined && gid !== undefined) chownSync(made, uid, gid);
  execFileSync(
    join(binaries.folder, 'initdb'),
    ['-D', made, '-U', 'postgres', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C'],
    { ...binaries.owner, stdio: ['ignore', 'ignore', 'inherit'], cwd: '/' },
  );
  try {
    // Whole at once: another test process may look for it.
    renameSync(made, template);
  } catch {
    rmSync(made, { recursive: true, force: true });
  }
  return template;
}

/** Of a stopped server, into a folder that is there. */
function copyFiles(from: string, to: string, { owner: { uid, gid } }: Binaries): void {
  execFileSync('cp', ['-a', `${from}/.`, to]);
  rmSync(join(to, 'postmaster.pid'), { force: true });
  if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, to]);
  chmodSync(to, 0o700);
}

interface ServerOptions {
  readonly version: string;
  readonly binaries: Binaries;
  readonly dataDir: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>> | undefined;
}

export class PostgresServer implements AsyncDisposable {
  readonly version: string;
  readonly dataDir: string;
  readonly port: number;
  readonly #options: ServerOptions;
  readonly #copies: string[] = [];
  #process: ChildProcess | null = null;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.version = options.version;
    this.dataDir = options.dataDir;
    this.port = options.port;
  }

  /** Of the postmaster. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('the server does not run');
    return pid;
  }

  /** Also after a stop or a kill: on the same port and files. */
  async start(): Promise<void> {
    const { dataDir, port } = this.#options;
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      wal_level: 'logical',
      max_wal_senders: '20',
      max_replication_slots: '20',
      max_connections: '100',
      shared_buffers: '32MB',
      // Else a server that is killed leaves files in /dev/shm.
      dynamic_shared_memory_type: 'mmap',
      fsync: 'off',
      restore_command: '/bin/false',
      ...this.#options.settings,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(dataDir, 'postgresql.auto.conf'), lines.join(''));
    this.#spawn();
    let attempts = 0;
    await until(
      'a server that starts',
      async () => {
        if (this.#hasEnded()) {
          // Of a postmaster that was killed alone, the other processes end a moment later.
          if (++attempts > 100) throw new Error(`postgres ended: ${this.log()}`);
          this.#spawn();
        }
        // Whoever is the first in a database since the start makes a file of what each session needs to know of the
        // catalogue: databases that are made of this one have it from there.
        const client = newClient(port, 'template1');
        const up = await client.connect().then(
          () => true,
          () => false,
        );
        await client.end().catch(() => {});
        return up;
      },
      30_000,
    );
  }

  #spawn(): void {
    const { binaries, dataDir } = this.#options;
    const log = openSync(join(dataDir, 'server.log'), 'a', 0o644);
    const server = spawn(join(binaries.folder, 'postgres'), ['-D', dataDir], {
      ...binaries.owner,
      cwd: '/',
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#process = server;
    notePid(this.pid);
    server.once('exit', () => server.pid !== undefined && forgetPid(server.pid));
  }

  #hasEnded(): boolean {
    return this.#process === null || this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  log(): string {
    return readFileSync(join(this.dataDir, 'server.log'), 'utf8').slice(-2_000);
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const server = this.#process;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  /** All its processes end at once, as when the power is cut. */
  async kill9(): Promise<void> {
    const server = this.#process;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    endTree(this.pid);
    await ended;
  }

  /** Copies the files of the server, which is stopped for it and started again. The caller starts from the copy later. */
  async copy(): Promise<string> {
    await this.stop('fast');
    const copy = mkdtempSync(join(runDirectory(), 'copy-'));
    this.#copies.push(copy);
    copyFiles(this.dataDir, copy, this.#options.binaries);
    await this.start();
    return copy;
  }

  /** Stops it and puts the files of a copy back: a restored backup, at the same address. */
  async restore(copy: string): Promise<void> {
    await this.stop('immediate');
    rmSync(this.dataDir, { recursive: true, force: true });
    mkdirSync(this.dataDir);
    copyFiles(copy, this.dataDir, this.#options.binaries);
    await this.start();
  }

  /** Stopped: it starts as a hot standby that follows nobody. */
  standBy(): void {
    this.#signal('standby.signal');
  }

  #signal(name: string): void {
    const signal = join(this.dataDir, name);
    writeFileSync(signal, '');
    const { uid, gid } = this.#options.binaries.owner;
    if (uid !== undefined && gid !== undefined) chownSync(signal, uid, gid);
  }

  /** Of a standby: it goes on with its data, on the next timeline. */
  async promote(): Promise<void> {
    const [row] = await query(this.port, 'postgres', 'SELECT pg_promote() AS done');
    if (row?.done !== true) throw new Error(`not promoted: ${this.log()}`);
  }

  /** As a failover ends: the same data on the next timeline. `meanwhile`: while it is a standby. */
  async promoteOntoNewTimeline(meanwhile = async (): Promise<void> => {}): Promise<void> {
    await this.stop('fast');
    this.standBy();
    await this.start();
    await meanwhile();
    await this.promote();
  }

  async createDatabase(name = `d${process.pid}_${++databases}`): Promise<TestDatabase> {
    await this.database('postgres').session(async (client) => {
      await dropLeftSlots(client);
      // A copy through the WAL, the default, costs twice the CPU, and each walsender of the server reads it.
      await client.query(`CREATE DATABASE ${name}${Number(this.version) >= 15 ? ' STRATEGY file_copy' : ''}`);
    });
    return new TestDatabase(this, name);
  }

  /** One that is there: of a copied server. */
  database(name: string): TestDatabase {
    return new TestDatabase(this, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    for (const folder of [this.dataDir, ...this.#copies])
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Of routes of earlier tests, which all have one name: a slot's name is the server's, not the database's. */
async function dropLeftSlots(client: pg.Client): Promise<void> {
  // Whoever drops a slot has it in use: of two at once one would end the other.
  await client.query(`SELECT pg_advisory_lock(hashtext('left slots'))`);
  const left = `FROM pg_replication_slots WHERE slot_name IN ('test__here_to_there', 'test__there_to_here', 'test__one')`;
  await client.query(`SELECT pg_terminate_backend(active_pid, 5000) ${left} AND active`);
  await client.query(`SELECT pg_drop_replication_slot(slot_name) ${left}`);
}

export class TestDatabase {
  readonly server: PostgresServer;
  readonly name: string;
  readonly #session = new KeptSession(() => this.client());

  constructor(server: PostgresServer, name: string) {
    this.server = server;
    this.name = name;
  }

  /** As a route names it; `port` of a proxy in front of the server. */
  url(port = this.server.port, user = 'postgres'): string {
    return `postgres://${user}@127.0.0.1:${port}/${this.name}`;
  }

  get node(): NodeDefinition {
    return nodeAt(this.server.port, this.name);
  }

  /** As over a connection of its own. */
  query(sql: string, params?: unknown[]): Promise<Record<string, unknown>[]> {
    return this.#session.query(sql, params);
  }

  /** Several queries over one connection. */
  async session<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.client();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }

  /** A connected client; the caller ends it. One whose server goes away does not end the process. */
  async client(): Promise<pg.Client> {
    const client = newClient(this.server.port, this.name);
    await client.connect();
    return client;
  }
}

function newClient(port: number, database: string): pg.Client {
  const client = new pg.Client({ host: '127.0.0.1', port, database, user: 'postgres' });
  client.on('error', () => {});
  return client;
}

export function nodeAt(port: number, database: string): NodeDefinition {
  return { name: 'source', type: 'postgres', allow: [], connection: () => settings(port, database) };
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
  const client = newClient(port, database);
  await client.connect();
  try {
    return (await client.query(sql, params)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** Of the loopback address, free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
