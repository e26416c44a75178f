import type { Logger } from '../core/logger.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { RouteStatus } from '../core/route-status.ts';
import { crashesInRow, restartDelayMs } from './backoff.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';
import { isLease, isStatus, type WorkerTask } from './worker-protocol.ts';

/** What a group in flight may take when a worker is told to end. */
const drainMs = 10_000;

/** After a worker that has ended in order without being told to: nobody waits for it, and it may do so again. */
const orderlyDelayMs = 200;

export interface SupervisedRouteOptions {
  readonly file: string;
  readonly route: string;
  readonly holder: LeaseHolder;
  /** For the first worker only. */
  readonly takeover: boolean;
  readonly workerModule: URL;
  readonly silentMs: number;
  readonly logger: Logger;
  onStatus(status: RouteStatus): void;
  /** Whatever else the worker says. */
  onMessage(message: unknown): void;
}

/** The worker of a route, as its Supervisor knows it. */
export interface WorkerView {
  /** Null between two workers. */
  readonly pid: number | null;
  readonly startedAt: Date | null;
  /** Crashes so far. */
  readonly restarts: number;
}

/**
 * Keeps one worker of one route running. A worker is either running, or due to be started again after a pause, or, once
 * `stop` was called, gone for good.
 */
export class SupervisedRoute {
  readonly #options: SupervisedRouteOptions;
  readonly #logger: Logger;
  readonly #ended = Promise.withResolvers<void>();
  #worker: WorkerProcess | null = null;
  #startedAt: Date | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #started = 0;
  #restarts = 0;
  #crashes = 0;
  #stopping = false;
  /** The worker that runs is told to end, to be followed by another at once. */
  #replacing: PromiseWithResolvers<void> | null = null;
  #epoch: string | null = null;
  #status: RouteStatus | null = null;
  #said = '';

  constructor(options: SupervisedRouteOptions) {
    this.#options = options;
    this.#logger = options.logger.child({ route: options.route });
  }

  get status(): RouteStatus | null {
    return this.#status;
  }

  get view(): WorkerView {
    return { pid: this.#worker?.pid ?? null, startedAt: this.#startedAt, restarts: this.#restarts };
  }

  start(): void {
    const { file, route, holder, takeover, workerModule, silentMs } = this.#options;
    this.#restartTimer = null;
    const task: WorkerTask = {
      file,
      route,
      holder,
      restarts: this.#restarts,
      takeover: takeover && this.#started === 0,
      heldEpoch: this.#epoch,
    };
    this.#started++;
    this.#startedAt = new Date();
    const worker: WorkerProcess = new WorkerProcess({
      module: workerModule,
      task,
      silentMs,
      logger: this.#logger,
      onMessage: (message) => this.#hear(message),
      onEnd: (end) => this.#exited(worker, end),
    });
    this.#worker = worker;
    this.#logger.info({ worker: worker.pid, restarts: this.#restarts }, 'worker started');
  }

  /** Drains the worker. False where it had to be killed. Repeatable. */
  async stop(): Promise<boolean> {
    this.#startNoMore();
    this.#worker?.drain({ kind: 'stop', release: true });
    return await this.#inTime(this.#ended.promise);
  }

  /**
   * Drains the worker and starts another at once, which reads the configuration as it is then. The lease is kept: an
   * engine that stands by does not come in between. False where the old worker had to be killed. Repeatable.
   */
  async replace(): Promise<boolean> {
    if (this.#stopping) return await this.stop();
    this.#crashes = 0;
    if (this.#worker === null) {
      if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
      this.start();
      return true;
    }
    this.#replacing ??= Promise.withResolvers();
    this.#worker.drain({ kind: 'stop', release: false });
    return await this.#inTime(this.#replacing.promise);
  }

  /** Ends the worker at once, for good. */
  kill(): void {
    this.#startNoMore();
    this.#worker?.kill();
  }

  #startNoMore(): void {
    this.#stopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    if (this.#worker === null) this.#ended.resolve();
  }

  async #inTime(ended: Promise<void>): Promise<boolean> {
    const worker = this.#worker;
    let drained = true;
    const timer = setTimeout(() => {
      drained = false;
      this.#logger.warn({ worker: worker?.pid, drainMs }, 'not drained in time, killing the worker');
      worker?.kill();
    }, drainMs);
    await ended;
    clearTimeout(timer);
    return drained;
  }

  #exited(worker: WorkerProcess, { exitCode, signal, ranMs }: WorkerEnd): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#startedAt = null;
    const replacing = this.#replacing;
    this.#replacing = null;
    const fields = { worker: worker.pid, exitCode, signal };
    if (this.#stopping) {
      this.#logger.info(fields, 'worker ended');
      replacing?.resolve();
      this.#ended.resolve();
    } else if (replacing !== null) {
      this.#logger.info(fields, 'worker ended, starting another');
      this.start();
      replacing.resolve();
    } else if (exitCode === 0) {
      this.#logger.info({ ...fields, delayMs: orderlyDelayMs }, 'worker ended in order, starting another');
      this.#restartTimer = setTimeout(() => this.start(), orderlyDelayMs);
    } else {
      this.#restarts++;
      this.#crashes = crashesInRow(this.#crashes, ranMs);
      const delayMs = restartDelayMs({ crashes: this.#crashes, random: Math.random() });
      this.#logger.error({ ...fields, delayMs }, 'worker died, starting it again');
      this.#restartTimer = setTimeout(() => this.start(), delayMs);
    }
  }

  #hear(message: unknown): void {
    if (isStatus(message)) this.#report(message.status);
    else if (isLease(message)) this.#epoch = message.epoch;
    else this.#options.onMessage(message);
  }

  #report(status: RouteStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
    const { state, reason, health } = status;
    const says = JSON.stringify([state, reason?.code, health]);
    if (says === this.#said) return;
    this.#said = says;
    this.#logger.info({ state, health, reason }, 'route state');
  }
}
