import { AssertionError } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WaitDocument } from '../../src/control/wait-for-route.ts';
import { type Outcome, runCommand } from './command.ts';
import { engineProgram } from './engine.ts';
import { MysqlServer } from './mysql.ts';
import type { TestDatabase } from './postgres.ts';
import { endTree, isAlive, workersOf } from './process-tree.ts';
import { forgetPid, notePid, runDirectory } from './run-directory.ts';
import { until } from './until.ts';

/** One end of a route: a database of PostgreSQL, or a whole server of MySQL or MariaDB. */
export type RouteEnd = TestDatabase | MysqlServer;

export interface RouteOptions {
  readonly source: RouteEnd;
  readonly target: RouteEnd;
  /** Lines of the route's configuration besides from and to, not indented. */
  readonly route?: string;
  /** Lines of a second route, there-to-here: two-way. */
  readonly back?: string;
  /** Ports of proxies in front of the servers. */
  readonly sourcePort?: number;
  readonly targetPort?: number;
  readonly sourceUser?: string;
  readonly targetUser?: string;
  /** Of the deployment, and so of slots. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
}

interface StateEvent {
  readonly route: string;
  readonly state: string;
  readonly reason: { readonly code: string; readonly message: string } | null;
}

/** A configuration file for the route `here-to-there` of the deployment `test` where not told, and commands that use it. */
export class RouteFile implements Disposable {
  readonly folder = mkdtempSync(join(runDirectory(), 'route-'));
  readonly options: RouteOptions;

  constructor(options: RouteOptions) {
    this.options = options;
    this.configure(options.route);
  }

  /** Writes the file, with these lines of the route. */
  configure(route = 'tables: ["public.*"]', routeName = 'here-to-there'): void {
    const { options } = this;
    const { source, target, sourcePort, targetPort, back, name = 'test' } = options;
    writeFileSync(
      join(this.folder, 'tidelock.yaml'),
      `version: 1
name: ${name}
nodes:
  here: { type: ${vendorOf(source)}, url: "${source.url(sourcePort, options.sourceUser)}" }
  there: { type: ${vendorOf(target)}, url: "${target.url(targetPort, options.targetUser)}" }
routes:
  ${routeName}:
    from: here
    to: there
${indented(route)}${back === undefined ? '' : `  there-to-here:\n    from: there\n    to: here\n${indented(back)}`}`,
    );
  }

  /** Files beside the configuration, by their path. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
  }

  /** Lines at the end of the configuration. */
  append(lines: string): void {
    appendFileSync(join(this.folder, 'tidelock.yaml'), lines);
  }

  tidelock(...args: string[]): Promise<Outcome> {
    return this.tidelockWith({}, ...args);
  }

  tidelockWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
    return runCommand(args, { cwd: this.folder, env: environment(env) });
  }

  async status(): Promise<Record<string, unknown>> {
    const { out } = await this.tidelock('status', '--json');
    return (JSON.parse(out) as { routes: Record<string, unknown>[] }).routes[0] ?? {};
  }

  /** Starts `tidelock run` in a process of its own. */
  run(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): RunningRoute {
    return new RunningRoute(this, { ...this.options.env, ...env }, [...(this.options.arguments ?? []), ...args]);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function vendorOf(end: RouteEnd): string {
  return end instanceof MysqlServer ? end.vendor : 'postgres';
}

function indented(lines: string): string {
  return lines
    .split('\n')
    .map((line) => `    ${line}\n`)
    .join('');
}

function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, VITEST: __, ...rest } = process.env;
  return { ...rest, NO_COLOR: '1', ...more };
}

/** One `tidelock run`. Its log is kept, and is part of every error that a wait ends with. */
export class RunningRoute implements AsyncDisposable {
  readonly file: RouteFile;
  readonly #process: ChildProcess;
  #log = '';
  /** It has ended, and all that it has written is in the log. */
  #closed = false;
  readonly #events: StateEvent[] = [];
  readonly #seen = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(file: RouteFile, env: Readonly<Record<string, string>>, args: readonly string[]) {
    this.file = file;
    this.#process = spawn(process.execPath, [engineProgram(), 'run', ...args], {
      cwd: file.folder,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    notePid(this.pid);
    this.#process.once('exit', () => forgetPid(this.pid));
    this.#process.once('close', () => {
      this.#closed = true;
    });
    let rest = '';
    const read = (text: string): void => {
      this.#log += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.includes('"route state"')) this.#events.push(JSON.parse(line) as StateEvent);
      for (const listener of this.#listeners) listener();
    };
    this.#process.stdout?.setEncoding('utf8').on('data', read);
    this.#process.stderr?.setEncoding('utf8').on('data', read);
  }

  /** Of the Supervisor. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  workerPid(): Promise<number> {
    return this.until('a worker', () => workersOf(this.pid)[0]);
  }

  /** Waits until the route reports the state, from now on or as the last one that it reported. */
  async state(state: string, timeoutMs?: number, route = 'here-to-there'): Promise<StateEvent> {
    return await this.until(`state ${state}`, () => this.#next(state, route), timeoutMs);
  }

  #next(state: string, route: string): StateEvent | null {
    const events = this.#events.filter((event) => event.route === route);
    const from = Math.max(0, Math.min(this.#seen.get(route) ?? 0, events.length - 1));
    const at = events.findIndex((event, index) => index >= from && event.state === state);
    if (at < 0) return null;
    this.#seen.set(route, at + 1);
    return events[at] ?? null;
  }

  /**
   * What is waited for while nothing is to halt the route: asserts at once that nothing has, where the wait itself would only end with its limit. Not of a
   * route that was halted before and has been started since: that may not have told of its start yet.
   */
  async unhalted<T>(wait: Promise<T>): Promise<T> {
    const halted = Promise.withResolvers<never>();
    const look = (): void => {
      const { state, reason } = this.#events.findLast(({ route }) => route === 'here-to-there') ?? {};
      if (state !== 'failed') return;
      halted.reject(new AssertionError({ message: `the route has halted: ${reason?.code} ${reason?.message}` }));
    };
    this.#listeners.add(look);
    look();
    // The one that is not waited for any more ends with the service.
    wait.catch(() => {});
    halted.promise.catch(() => {});
    try {
      return await Promise.race([wait, halted.promise]);
    } finally {
      this.#listeners.delete(look);
    }
  }

  /** Waits until the route has halted, between PostgreSQL databases. Asserts that it has, where all that is committed at the source by now has come instead. */
  async halts(timeoutMs?: number): Promise<StateEvent> {
    const halted = (): StateEvent | null => this.#next('failed', 'here-to-there');
    const covered = await this.#covered(this.file.options);
    const ask = async (): Promise<StateEvent | null> => {
      const event = halted();
      if (event !== null || !(await covered())) return event;
      throw new AssertionError({ message: 'the route has not halted: it has applied all that was committed before' });
    };
    return await this.until('a halt', ask, timeoutMs);
  }

  /** Waits until the route has reported a reason with this code. */
  async reason(code: string, timeoutMs?: number): Promise<void> {
    await this.until(`reason ${code}`, () => this.#events.some(({ reason }) => reason?.code === code), timeoutMs);
  }

  /** Everything that is committed at the source by now is at the target, as its stored checkpoint tells. */
  async caughtUp(timeoutMs?: number, way: 'there' | 'back' = 'there'): Promise<void> {
    const { options } = this.file;
    const [source, target] = way === 'there' ? [options.source, options.target] : [options.target, options.source];
    if (source instanceof MysqlServer || target instanceof MysqlServer) {
      // Asked again: what is under test may end meanwhile, and the command with it.
      const route = way === 'there' ? 'here-to-there' : 'there-to-here';
      // What is parked leaves the command's answer a no.
      const waited = async (): Promise<boolean> => {
        const { out } = await this.file.tidelock('wait', route, '--timeout', '20s', '--json');
        return out !== '' && (JSON.parse(out) as WaitDocument).passed;
      };
      await this.until(`wait ${route}`, waited, timeoutMs);
      return;
    }
    const covered = await this.#covered({ source, target });
    await this.until(`checkpoint ${covered.lsn}`, covered, timeoutMs);
  }

  /** Tells whether everything that is committed at the source by now is at the target. Marks the end, which makes an idle route store its position at once. */
  async #covered({ source, target }: Pick<RouteOptions, 'source' | 'target'>) {
    if (source instanceof MysqlServer || target instanceof MysqlServer) throw new Error('of PostgreSQL databases only');
    // Apart from the mark itself.
    const [mark] = await source.query(
      `SELECT pg_logical_emit_message(true, 'tidelock.mark', 'test'), pg_current_wal_insert_lsn()::text AS lsn`,
    );
    const lsn = String(mark?.lsn);
    const ask = async (): Promise<boolean> => {
      const [row] = await target.query(`SELECT max(position::pg_lsn) >= $1::pg_lsn AS yes FROM tidelock.checkpoints`, [
        lsn,
      ]);
      return row?.yes === true;
    };
    // The server may be one that is killed meanwhile.
    return Object.assign(() => ask().catch(() => false), { lsn });
  }

  /** With the log in its error. Fails at once where the service has ended and what it has said before is not what is waited for. */
  until<T>(what: string, ask: () => Promise<T> | T, timeoutMs?: number) {
    const asked = async (): Promise<T> => {
      const closed = this.#closed;
      const answer = await ask();
      if (closed && (answer === null || answer === undefined || answer === false))
        throw new Error(`the service has ended with ${this.exitCode}; waited for: ${what}`);
      return answer;
    };
    return until(what, asked, timeoutMs).catch((error: Error) => {
      if (error instanceof AssertionError) throw error;
      throw new Error(`${error.message}; the route's log ends with:\n${this.#log.slice(-6_000)}`, { cause: error });
    });
  }

  async exit(): Promise<number | null> {
    if (!this.ended) await once(this.#process, 'exit');
    return this.#process.exitCode;
  }

  /** Asks it to read the configuration again. */
  hangUp(): void {
    this.#process.kill('SIGHUP');
  }

  /** Waits until the log holds this text once more. */
  async logged(text: string, times = 1, timeoutMs?: number): Promise<void> {
    await this.until(`${times} times in the log: ${text}`, () => this.#log.split(text).length > times, timeoutMs);
  }

  /** Drains. */
  async stop(): Promise<number | null> {
    if (!this.ended) this.#process.kill('SIGTERM');
    return await this.exit();
  }

  /** Supervisor and worker at once. */
  async kill9(): Promise<void> {
    if (this.ended) return;
    const ended = endTree(this.pid);
    await this.exit();
    await until('the end of the workers', () => !ended.some(isAlive));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill9();
  }
}
