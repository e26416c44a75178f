import { type ChildProcess, fork } from 'node:child_process';
import type { Logger } from '../core/logger.ts';
import {
  type ConfigurationMessage,
  type StopMessage,
  type ToldMessage,
  taskVariable,
  type WorkerTask,
} from './worker-protocol.ts';

/**
 * V8 lets garbage pile up to a multiple of what lives before it collects. A route's garbage are rows: a transaction of 5 million rows, each
 * of them objects, peaked at 520 MB. With these flags and rows that nobody looks into it peaks at 145 MB. Less growth than that saves some 5 MB more and takes
 * a fifth more CPU. The last one is for settle-memory.ts.
 */
export const heapFlags = ['--max-semi-space-size=8', '--heap-growing-percent=100', '--expose-gc'] as const;

/** Silence is counted in so many looks, not by the clock: a Supervisor that was frozen itself has heard nobody. */
const silentLooks = 12;

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ranMs: number;
  /** It was killed since it said nothing any more. */
  readonly silent: boolean;
  /** Why there was no process; null where there was one. */
  readonly notStarted: string | null;
}

export interface WorkerProcessOptions {
  readonly module: URL;
  readonly task: WorkerTask;
  /** What the worker runs with; null: it reads the files by itself. */
  readonly configuration: object | null;
  readonly silentMs: number;
  readonly logger: Logger;
  onMessage(message: unknown): void;
  /** Once, also where no process could be started. */
  onEnd(end: WorkerEnd): void;
}

/** One worker from its start to its end. It is killed when it says nothing any more: nobody else would take its route up. */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions;
  readonly #process: ChildProcess;
  readonly #startedAtMs = performance.now();
  readonly #looking: NodeJS.Timeout;
  #silence = 0;
  #ended = false;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    // The route's name is for those who look at the list of processes.
    this.#process = fork(options.module, [options.task.route], {
      env: { ...process.env, [taskVariable]: JSON.stringify(options.task) },
      // Without the Supervisor's own: two processes can't listen at one debugger port.
      execArgv: [...heapFlags],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    if (options.configuration !== null) {
      const message: ConfigurationMessage = { kind: 'configuration', configuration: options.configuration };
      this.#say(message);
    }
    this.#looking = setInterval(() => this.#look(), options.silentMs / silentLooks).unref();
    this.#process.on('message', (message) => {
      this.#silence = 0;
      options.onMessage(message);
    });
    this.#process.once('error', (error) => {
      options.logger.error({ err: error }, 'worker process failed');
      // Without a process there is no exit either.
      if (this.#process.pid === undefined) this.#end(null, null, `it could not be started (${codeOf(error)})`);
    });
    this.#process.once('exit', (code, signal) => this.#end(code, signal));
  }

  get pid(): number | null {
    return this.#process.pid ?? null;
  }

  /** Asks it to finish the group in flight and to end, or tells it something. */
  send(message: StopMessage | ToldMessage): void {
    this.#say(message);
  }

  /** Ends it at once. The target's transaction in flight is rolled back by its server. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Without a process, as where there are no more files or processes to be had, there is no channel either. */
  #say(message: StopMessage | ToldMessage | ConfigurationMessage): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  #look(): void {
    if (++this.#silence < silentLooks) return;
    const { logger, silentMs } = this.#options;
    logger.error({ worker: this.pid, silentMs }, 'worker does not answer, killing it');
    this.kill();
  }

  #end(exitCode: number | null, signal: NodeJS.Signals | null, notStarted: string | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#looking);
    const ranMs = performance.now() - this.#startedAtMs;
    this.#options.onEnd({ exitCode, signal, ranMs, silent: this.#silence >= silentLooks, notStarted });
  }
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
