import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { programFile } from '../core/installation.ts';
import type { WorkDirectory } from './work-directory.ts';

/** This installation's own command line: TypeScript in a checkout, compiled in the package. */
export const commandLine = programFile('cli/main');

/** `tidelock run` as a child process, and other commands beside it, all on the demo's configuration file. */
export class Engine {
  readonly #file: string;
  readonly #work: WorkDirectory;
  readonly #log: string;
  #run: ChildProcess | null = null;

  constructor({ file, work }: { readonly file: string; readonly work: WorkDirectory }) {
    this.#file = file;
    this.#work = work;
    this.#log = join(work.path, 'engine.log');
  }

  start(): void {
    const log = openSync(this.#log, 'a', 0o600);
    // In a process group of its own: ^C in the terminal is for the demo, which then stops it in order.
    this.#run = spawn(process.execPath, [commandLine, 'run', '-c', this.#file], {
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true,
    });
    closeSync(log);
    this.#work.watch(this.#run);
  }

  /** `tidelock run` has no reason to end by itself. */
  throwIfEnded(): void {
    if (this.#run === null) return;
    const { exitCode, signalCode } = this.#run;
    if (exitCode === null && signalCode === null) return;
    throw this.failed(`"tidelock run" has ended (${signalCode ?? `exit code ${exitCode}`})`);
  }

  /** With what the engine has logged last, since its log is removed with everything else. */
  failed(why: string): Error {
    const log = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
    const tail = log.trim().split('\n').slice(-8);
    return fail(nodeErrors.demoEngine, { why: [why, ...tail].join('\n  ') });
  }

  /** The worker that was started last, as the Supervisor's log has it. */
  workerPid(): number {
    for (const line of readFileSync(this.#log, 'utf8').split('\n').reverse()) {
      const { msg, worker } = line.startsWith('{') ? JSON.parse(line) : {};
      if (msg === 'worker started' && Number.isInteger(worker)) return worker;
    }
    throw this.failed('"tidelock run" has logged no worker');
  }

  /**
   * A command with --json, as a user would give it: its document, whose exit code says that it could be done. Throws where it could
   * not.
   */
  async tidelock<T>(
    words: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly isTrue: boolean; readonly document: T }> {
    const all = [commandLine, ...words, '--json', '-c', this.#file];
    const { code, out, err } = await new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
      execFile(process.execPath, all, { signal, windowsHide: true, maxBuffer: 64_000_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, out: stdout, err: stderr }),
      );
    });
    signal.throwIfAborted();
    if (code !== 0 && code !== 1) throw this.failed(`"tidelock ${words.join(' ')}" could not be done: ${err.trim()}`);
    return { isTrue: code === 0, document: JSON.parse(out) as T };
  }

  async stop(): Promise<void> {
    const child = this.#run;
    if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
    await exited;
    clearTimeout(timer);
  }
}
