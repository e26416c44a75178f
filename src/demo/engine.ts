import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { WorkDirectory } from './work-directory.ts';

/** This installation's own command line: TypeScript in a checkout, compiled in the package. */
export const commandLine = fileURLToPath(
  new URL(`../cli/main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
);

/** `tidelock run` as a child process, and other commands beside it, all on the demo's configuration file. */
export class Engine {
  readonly #run: ChildProcess;
  readonly #file: string;
  readonly #log: string;

  constructor(options: { readonly file: string; readonly work: WorkDirectory }) {
    const { file, work } = options;
    this.#file = file;
    this.#log = join(work.path, 'engine.log');
    const log = openSync(this.#log, 'a', 0o600);
    // In a process group of its own: ^C in the terminal is for the demo, which then stops it in order.
    this.#run = spawn(process.execPath, [commandLine, 'run', '-c', file], {
      stdio: ['ignore', log, log],
      detached: true,
      windowsHide: true,
    });
    closeSync(log);
    work.watch(this.#run);
  }

  /** `tidelock run` has no reason to end by itself. */
  throwIfEnded(): void {
    const { exitCode, signalCode } = this.#run;
    if (exitCode === null && signalCode === null) return;
    throw this.failed(`"tidelock run" has ended (${signalCode ?? `exit code ${exitCode}`})`);
  }

  /** With what the engine has logged last, since its log is removed with everything else. */
  failed(why: string): Error {
    const tail = readFileSync(this.#log, 'utf8').trim().split('\n').slice(-8);
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

  /** `tidelock wait`: true once everything committed before the call is at the target. */
  async caughtUp(route: string, timeoutSeconds: number, signal: AbortSignal): Promise<boolean> {
    const words = [commandLine, 'wait', route, '--timeout', `${timeoutSeconds}s`, '-c', this.#file];
    const failure = await new Promise<unknown>((resolve) => {
      execFile(process.execPath, words, { signal, windowsHide: true }, (error) => resolve(error));
    });
    return failure === null;
  }

  async stop(): Promise<void> {
    const child = this.#run;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
    await exited;
    clearTimeout(timer);
  }
}
