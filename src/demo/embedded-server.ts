import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { ServerBinaries } from './embedded-binaries.ts';
import { freePort } from './free-port.ts';
import type { WorkDirectory } from './work-directory.ts';

const startTimeoutMs = 30_000;

export interface EmbeddedServerOptions {
  readonly name: string;
  readonly database: string;
  readonly binaries: ServerBinaries;
  readonly work: WorkDirectory;
  readonly settings: Readonly<Record<string, string>>;
}

/** One PostgreSQL server of the demo, on a free port of the loopback address, with a password of its own. */
export class EmbeddedServer {
  readonly port: number;
  readonly #database: string;
  readonly #password: string;
  readonly #process: ChildProcess;

  private constructor(port: number, options: EmbeddedServerOptions, password: string, process: ChildProcess) {
    this.port = port;
    this.#database = options.database;
    this.#password = password;
    this.#process = process;
  }

  static async start(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
    const { binaries, work, name } = options;
    const directory = join(work.path, name);
    mkdirSync(directory, { mode: 0o700 });
    if (binaries.owner) chownSync(directory, binaries.owner.uid, binaries.owner.gid);
    const password = randomBytes(18).toString('base64url');
    const dataDir = join(directory, 'data');
    const log = join(directory, 'server.log');
    await initialise(options, { directory, dataDir, password });
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      max_connections: '40',
      shared_buffers: '64MB',
      ...options.settings,
    };
    const output = openSync(log, 'a', 0o600);
    const server = spawn(
      binaries.postgres,
      ['-D', dataDir, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
      // A process group of its own: ^C in the terminal is for the demo, which then stops its servers in order.
      { stdio: ['ignore', output, output], cwd: directory, detached: true, windowsHide: true, ...binaries.owner },
    );
    closeSync(output);
    work.watch(server);
    const self = new EmbeddedServer(port, options, password, server);
    try {
      await self.#untilReady(log);
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.port}/${this.#database}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async client(database = this.#database): Promise<pg.Client> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      password: this.#password,
      database,
      application_name: 'tidelock demo',
    });
    // A server that is stopped under an idle connection is no reason to end the process; the next query says so.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** For --keep: this process may end and the server goes on. */
  release(): void {
    this.#process.unref();
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    // SIGINT is a fast shutdown, SIGQUIT an immediate one, which is as good for a directory that is then removed.
    child.kill('SIGINT');
    const timers = [setTimeout(() => child.kill('SIGQUIT'), 3_000), setTimeout(() => child.kill('SIGKILL'), 8_000)];
    await exited;
    for (const timer of timers) clearTimeout(timer);
  }

  async #untilReady(log: string): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    let last: unknown;
    this.#process.once('error', (error) => {
      last = error;
    });
    while (Date.now() < deadline && this.#process.exitCode === null && this.#process.pid !== undefined) {
      try {
        const client = await this.client('postgres');
        await client.query(`CREATE DATABASE ${pg.escapeIdentifier(this.#database)}`);
        await client.end();
        return;
      } catch (error) {
        last = error;
        await delay(30);
      }
    }
    throw fail(nodeErrors.demoServers, { why: lastLine(log) || String(last) }, last);
  }
}

async function initialise(
  options: EmbeddedServerOptions,
  place: { directory: string; dataDir: string; password: string },
): Promise<void> {
  const { binaries } = options;
  const passwordFile = join(place.directory, 'password');
  writeFileSync(passwordFile, place.password, { mode: 0o600 });
  if (binaries.owner) chownSync(passwordFile, binaries.owner.uid, binaries.owner.gid);
  const words = ['-D', place.dataDir, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  try {
    await promisify(execFile)(binaries.initdb, [...words, '-E', 'UTF8', '--locale=C', '--no-sync'], {
      ...binaries.owner,
      cwd: place.directory,
      windowsHide: true,
    });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const why = stderr.trim().split('\n')[0] || (error instanceof Error ? error.message : String(error));
    throw fail(nodeErrors.demoServers, { why: `initdb: ${why}` }, error);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
}
