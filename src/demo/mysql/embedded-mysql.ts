import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeErrors } from '../../core/errors/catalogue/node.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { freePort } from '../free-port.ts';
import type { DemoSession } from '../scenario.ts';
import type { WorkDirectory } from '../work-directory.ts';
import type { MysqlBinaries } from './mysql-packages.ts';
import { openMysqlSession } from './mysql-session.ts';
import { mysqlOptions } from './mysql-template.ts';

const startTimeoutMs = 60_000;

/** A MySQL server of the demo, on a free port of the loopback address, with a password of its own and a full binlog of rows. */
export class EmbeddedMysql {
  readonly port: number;
  readonly #password: string;
  readonly #process: ChildProcess;

  private constructor(port: number, password: string, process: ChildProcess) {
    this.port = port;
    this.#password = password;
    this.#process = process;
  }

  static async start(binaries: MysqlBinaries, work: WorkDirectory): Promise<EmbeddedMysql> {
    const directory = join(work.path, 'source');
    const dataDir = join(directory, 'data');
    mkdirSync(join(directory, 'tmp'), { recursive: true, mode: 0o700 });
    cpSync(binaries.template, dataDir, { recursive: true });
    const port = await freePort();
    const password = randomBytes(18).toString('base64url');
    // Carried out before anybody is let in: the files that it starts from have no password.
    const first = join(directory, 'first.sql');
    writeFileSync(first, `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';\n`, { mode: 0o600 });
    const settings: Record<string, string> = {
      'bind-address': '127.0.0.1',
      port: String(port),
      socket: 'socket',
      'pid-file': 'pid',
      tmpdir: join(directory, 'tmp'),
      'server-id': '1',
      'log-bin': 'binlog',
      'binlog-format': 'ROW',
      'binlog-row-image': 'FULL',
      'binlog-row-metadata': 'FULL',
      'gtid-mode': 'ON',
      'enforce-gtid-consistency': 'ON',
      'secure-file-priv': '',
      'init-file': first,
      'performance-schema': 'OFF',
      'innodb-buffer-pool-size': '128M',
      'character-set-server': 'utf8mb4',
      'default-time-zone': '+00:00',
      'log-bin-trust-function-creators': 'ON',
      mysqlx: 'OFF',
    };
    const log = join(directory, 'server.log');
    const output = openSync(log, 'a', 0o600);
    const [command = '', ...loader] = binaries.command;
    const given = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    // In a process group of its own: ^C in the terminal is for the demo, which then stops its servers in order.
    const server = spawn(command, [...loader, ...mysqlOptions(binaries, dataDir), ...given], {
      ...{ stdio: ['ignore', output, output], cwd: dataDir, detached: true, windowsHide: true },
    });
    closeSync(output);
    work.watch(server);
    const self = new EmbeddedMysql(port, password, server);
    try {
      await self.#untilReady(log);
      rmSync(first);
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  get url(): string {
    return `mysql://root:${this.#password}@127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  client(): Promise<DemoSession> {
    return openMysqlSession({ port: this.port, user: 'root', password: this.#password });
  }

  /** For --keep: this process may end and the server goes on. */
  release(): void {
    this.#process.unref();
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(timer);
  }

  async #untilReady(log: string): Promise<void> {
    const deadline = Date.now() + startTimeoutMs;
    let last: unknown;
    this.#process.once('error', (error) => {
      last = error;
    });
    while (Date.now() < deadline && this.#process.exitCode === null && this.#process.pid !== undefined) {
      try {
        await (await this.client()).end();
        return;
      } catch (error) {
        last = error;
        await delay(50);
      }
    }
    const why = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').at(-1) : '';
    throw fail(nodeErrors.demoMysql, { why: why || String(last) }, last);
  }
}
