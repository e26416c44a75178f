import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import type { WorkerVitals } from '../core/route-metrics.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { Health, Reason, Restart, RouteState, RouteStatus, Told } from '../core/route-status.ts';
import { crashesInRow, restartDelayMs } from './backoff.ts';
import { type CrashRules, isCrashLoop, recentCrashes, restartsCountMs } from './crash-loop.ts';
import { judgeMemory, noMemoryHistory } from './memory-limit.ts';
import type { SignOfLife } from './sign-of-life.ts';
import { judgeProgress, moving } from './stand-still.ts';
import type { StartGate } from './start-gate.ts';
import { asReason, crashLoopReason, deathReason, type WorkerDeath } from './worker-end.ts';
import type { WorkerGuard } from './worker-guard.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';
import type { WorkerProgram } from './worker-program.ts';
import {
  aliveMs,
  isAlive,
  isDying,
  isFenced,
  isLease,
  isRegistered,
  isStatus,
  type WorkerTask,
} from './worker-protocol.ts';

/** What a group in flight may take when a worker is told to end. */
const drainMs = 10_000;

/** After a worker that has ended in order without being told to: nobody waits for it, and it may do so again. */
const orderlyDelayMs = 200;

/** While the engine that is on the disk is not the one that runs: it may be put back, or be in the middle of being replaced. */
const replacedDelayMs = 2_000;

/** How long the Supervisor looks on before it does something. */
export interface Patience {
  /** A worker that says nothing for so long, while the Supervisor itself runs, is killed and started again. */
  readonly silentMs: number;
  /** A route that stands still for so long, while its source moves on, gets another worker. */
  readonly standStillMs: number;
  /** So many crashes are a crash loop. */
  readonly crashes: CrashRules;
}

export interface SupervisedRouteOptions {
  readonly file: string;
  /** Handed to each worker as it is; null: it reads the file by itself. */
  readonly configuration: object | null;
  readonly route: string;
  readonly holder: LeaseHolder;
  /** For the first worker only. */
  readonly takeover: boolean;
  readonly program: WorkerProgram;
  readonly patience: Patience;
  readonly gate: StartGate;
  readonly guard: WorkerGuard;
  readonly logger: Logger;
  onStatus(status: RouteStatus): void;
  /** Whatever else the worker says. */
  onMessage(message: unknown): void;
}

interface Replacement {
  /** Once the old worker has gone: whether it went by itself. */
  readonly drained: Promise<boolean>;
  /** It has gone. */
  ended(): void;
  /** Starts the new one. */
  next(): void;
  /** There is to be none. */
  cancel(): void;
}

/** The worker of a route, as its Supervisor knows it. */
export interface WorkerView {
  /** Null between two workers. */
  readonly pid: number | null;
  readonly startedAt: Date | null;
  /** Workers that have died, or were ended by the Supervisor since something was wrong with them. */
  readonly restarts: number;
  /** Why the worker before this one ended; null where it was told to, or was the first. */
  readonly restarted: Restart | null;
  readonly vitals: WorkerVitals | null;
}

/**
 * Keeps one worker of one route running. A worker is either running, or due to be started again after a pause, or, once
 * `stop` was called, gone for good.
 *
 *     died                    started again after a pause that grows with each crash
 *     died too often          the route has failed: the next worker holds its lease and shows why, until somebody asks
 *                             for something (`tidelock start`); only then it works. It needs the database for that, which
 *                             the Supervisor has no connection to. Where even that worker dies, it is tried again
 *     says nothing            killed, then as died
 *     stands still, or uses   drained (killed where it does not end in time) and started again at once, under the same
 *     too much memory         lease; less and less often, where that does not help
 *     ended in order          started again at once: it was asked to restart
 *
 * None is started from the files of another version that have been put in this one's place: the route waits for the service to
 * be started again, or for its own files to come back.
 */
export class SupervisedRoute {
  readonly #options: SupervisedRouteOptions;
  readonly #logger: Logger;
  readonly #ended = Promise.withResolvers<void>();
  #configuration: object | null;
  #worker: WorkerProcess | null = null;
  #startedAt: Date | null = null;
  /** Takes back a start that is due, and has not begun. */
  #cancelStart: (() => void) | null = null;
  #started = 0;
  #restarts = 0;
  #restarted: Restart | null = null;
  #crashesInRow = 0;
  #crashedAtMs: readonly number[] = [];
  /** Of workers that died, or that something was wrong with. */
  #endedAtMs: readonly number[] = [];
  #halted: Reason | null = null;
  #dying: string | null = null;
  #memory = noMemoryHistory;
  #progress = moving;
  #vitals: WorkerVitals | null = null;
  #stopping = false;
  /** The worker that runs is to end, to be followed by another at once. */
  #replacing: Replacement | null = null;
  #registration: string | null = null;
  #epoch: string | null = null;
  #request: number | null = null;
  /** What had been asked for when the worker was fenced; null where it was not. */
  #fencedAt: number | null = null;
  #status: RouteStatus | null = null;
  /** What people were told last, while this engine had the route. */
  #told: Told | null = null;
  #said = '';

  constructor(options: SupervisedRouteOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#logger = options.logger.child({ route: options.route });
  }

  get status(): RouteStatus | null {
    return this.#status;
  }

  get view(): WorkerView {
    return {
      pid: this.#worker?.pid ?? null,
      startedAt: this.#startedAt,
      restarts: this.#restarts,
      restarted: this.#restarted,
      vitals: this.#vitals,
    };
  }

  /** When it is its turn. */
  start(): void {
    this.#cancelStart = null;
    let isItsTurn = false;
    const cancel = this.#options.gate.enter((started) => {
      isItsTurn = true;
      this.#run(started);
    });
    // What has begun may have found that it has to be tried again later, and has its own way back.
    if (!isItsTurn) this.#cancelStart = cancel;
  }

  #run(started: () => void): void {
    const { file, route, holder, takeover, program, patience, guard } = this.#options;
    this.#cancelStart = null;
    if (!program.isSame) {
      started();
      this.#wasReplaced();
      return;
    }
    const task: WorkerTask = {
      file,
      isConfigured: this.#configuration !== null,
      route,
      holder,
      restarts: this.#restarts,
      takeover: takeover && this.#started === 0,
      heldEpoch: this.#epoch,
      fencedAt: this.#fencedAt,
      registration: this.#registration,
      restarted: this.#restarted,
      halted: this.#halted === null ? null : { reason: this.#halted, request: this.#request },
    };
    this.#started++;
    this.#startedAt = new Date();
    this.#vitals = null;
    this.#dying = null;
    let isHeard = false;
    const worker: WorkerProcess = new WorkerProcess({
      module: program.url,
      task,
      configuration: this.#configuration,
      silentMs: patience.silentMs,
      logger: this.#logger,
      onMessage: (message) => {
        started();
        // It may have loaded what was put there between the look and now.
        if (!isHeard && !program.isSame) worker.kill();
        isHeard = true;
        this.#hear(message);
      },
      onEnd: (end) => {
        started();
        this.#exited(worker, end);
      },
    });
    this.#worker = worker;
    if (worker.pid !== null) guard.started(worker.pid);
    if (this.#told !== null) worker.send({ kind: 'told', told: this.#told });
    this.#logger.info({ worker: worker.pid, restarts: this.#restarts }, 'worker started');
  }

  /** Drains the worker. False where it had to be killed. Repeatable. */
  async stop(): Promise<boolean> {
    this.#startNoMore();
    this.#worker?.send({ kind: 'stop', release: true });
    return await this.#inTime(this.#ended.promise);
  }

  /**
   * Drains the worker and starts another at once, with this configuration or with the same. The lease is kept: an
   * engine that stands by does not come in between. False where the old worker had to be killed. Repeatable.
   */
  async replace(configuration: object | null = this.#configuration): Promise<boolean> {
    this.#configuration = configuration;
    if (this.#stopping) return await this.stop();
    this.#restarted = null;
    this.#forgetCrashes();
    return await this.#anew();
  }

  async #anew(): Promise<boolean> {
    if (this.#worker === null) {
      this.#cancelStart?.();
      this.start();
      return true;
    }
    this.#replacing ??= this.#replacement();
    return await this.#replacing.drained;
  }

  /**
   * The old worker works on until it is the new one's turn to start: when many routes are replaced at once, each lease has
   * to last no longer than one worker needs for its end and another one for its beginning.
   */
  #replacement(): Replacement {
    const ended = Promise.withResolvers<void>();
    const told = Promise.withResolvers<void>();
    let started: (() => void) | null = null;
    const leave = this.#options.gate.enter((done) => {
      started = done;
      // One that was told to end for good gives its lease back.
      if (!this.#stopping) this.#worker?.send({ kind: 'stop', release: false });
      told.resolve();
    });
    return {
      drained: Promise.race([told.promise, ended.promise]).then(() => this.#inTime(ended.promise)),
      ended: () => {
        leave();
        ended.resolve();
      },
      // One that has died by itself meanwhile is followed at once, too.
      next: () => (started === null ? this.start() : this.#run(started)),
      cancel: () => started?.(),
    };
  }

  /** The next worker is told, too: this one may be gone, or go before it has stored it. */
  tell(told: Told): void {
    this.#told = told;
    this.#worker?.send({ kind: 'told', told });
  }

  /** Ends the worker at once, for good. */
  kill(): void {
    this.#startNoMore();
    this.#worker?.kill();
  }

  #startNoMore(): void {
    this.#stopping = true;
    this.#cancelStart?.();
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

  #exited(worker: WorkerProcess, end: WorkerEnd): void {
    if (worker.pid !== null) this.#options.guard.ended(worker.pid);
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#startedAt = null;
    const replacing = this.#replacing;
    this.#replacing = null;
    const { exitCode, signal } = end;
    const fields = { worker: worker.pid, exitCode, signal };
    if (this.#stopping) {
      this.#logger.info(fields, 'worker ended');
      replacing?.cancel();
      replacing?.ended();
      this.#ended.resolve();
    } else if (replacing !== null) {
      this.#logger.info(fields, 'worker ended, starting another');
      replacing.next();
      replacing.ended();
    } else if (exitCode === 0) {
      this.#logger.info({ ...fields, delayMs: orderlyDelayMs }, 'worker ended in order, starting another');
      this.#restarted = null;
      this.#startIn(orderlyDelayMs);
    } else {
      this.#died(worker, end);
    }
  }

  /** Nobody has the lease any more when it is over: an engine that stands by may take the route. */
  #wasReplaced(): void {
    const reason = asReason(fail(supervisionErrors.engineReplaced, { route: this.#options.route }));
    if (this.#halted === null) this.#show('retrying', 'critical', reason, false);
    this.#startIn(replacedDelayMs);
  }

  #startIn(delayMs: number): void {
    const timer = setTimeout(() => this.start(), delayMs);
    this.#cancelStart = () => clearTimeout(timer);
  }

  #died({ pid }: WorkerProcess, { exitCode, signal, ranMs, silent, notStarted }: WorkerEnd): void {
    const { route, patience } = this.#options;
    const death: WorkerDeath = {
      exitCode,
      signal,
      silentMs: silent ? patience.silentMs : null,
      error: notStarted ?? this.#dying,
    };
    const reason = deathReason(route, death);
    this.#noteRestart(reason);
    this.#crashesInRow = crashesInRow(this.#crashesInRow, ranMs);
    const nowMs = performance.now();
    this.#crashedAtMs = recentCrashes(this.#crashedAtMs, nowMs, patience.crashes);
    const crashes = this.#crashedAtMs.length;
    if (this.#halted === null && isCrashLoop(this.#crashedAtMs, patience.crashes)) {
      this.#halted = crashLoopReason(route, { death, crashes, windowMs: patience.crashes.windowMs });
    }
    const delayMs = restartDelayMs({ crashes: this.#crashesInRow, random: Math.random() });
    this.#logger.error({ worker: pid, exitCode, signal, crashes, delayMs }, 'worker died, starting it again');
    if (this.#halted === null) this.#show('retrying', 'warning', reason);
    else this.#show('failed', 'critical', this.#halted);
    this.#startIn(delayMs);
  }

  #noteRestart(reason: Reason): void {
    this.#restarts++;
    this.#endedAtMs = recentCrashes(this.#endedAtMs, performance.now(), { windowMs: restartsCountMs });
    this.#restarted = { at: new Date().toISOString(), reason, recent: this.#endedAtMs.length };
  }

  #hear(message: unknown): void {
    if (isStatus(message)) this.#report(message.status);
    else if (isAlive(message)) this.#examine(message);
    else if (isRegistered(message)) this.#registered(message.registration);
    else if (isLease(message)) {
      this.#epoch = message.epoch;
      this.#request = message.request;
      this.#fencedAt = null;
    } else if (isFenced(message)) this.#fencedAt = message.request;
    else if (isDying(message)) this.#dying = message.error;
    else this.#options.onMessage(message);
  }

  /** What was of a route that was dropped, and begun anew since, is of no other. */
  #registered(registration: string): void {
    if (this.#registration !== null && this.#registration !== registration) {
      this.#epoch = null;
      this.#request = null;
      this.#fencedAt = null;
      this.#forgetCrashes();
    }
    this.#registration = registration;
  }

  #examine({ vitals, memoryLimitBytes: limitBytes, progress: report }: SignOfLife): void {
    const { route, patience } = this.#options;
    this.#vitals = vitals;
    const { rss: bytes } = vitals.memory;
    const memory = judgeMemory(this.#memory, { rssBytes: bytes, limitBytes }, performance.now());
    this.#memory = memory.history;
    const progress = judgeProgress(this.#progress, report, Math.ceil(patience.standStillMs / aliveMs));
    this.#progress = progress.now;
    if (this.#replacing !== null || this.#stopping) return;
    if (memory.restart) {
      this.#restart(
        asReason(fail(supervisionErrors.memory, { route, bytes, limitBytes: limitBytes ?? 0, restarted: true })),
      );
    } else if (progress.restart) {
      this.#restart(asReason(fail(supervisionErrors.standsStill, { route, stoodMs: patience.standStillMs })));
    }
  }

  #restart(reason: Reason): void {
    this.#logger.error({ worker: this.#worker?.pid, reason }, 'starting the worker again');
    this.#noteRestart(reason);
    if (this.#halted === null) this.#show('retrying', 'warning', reason);
    // Nobody has asked for it: a route that has failed stays so.
    void this.#anew();
  }

  /** What no worker can say: it has gone, or is told to. `leads`: the next one follows within the lease. */
  #show(state: RouteState, health: Health, reason: Reason, leads = true): void {
    const now = new Date().toISOString();
    const status = { ...(this.#status ?? nothingKnown), lagMs: null, load: null, concerns: [] };
    this.#report({
      ...status,
      ...(!leads && { leads }),
      state,
      health,
      reason,
      restarts: this.#restarts,
      restarted: this.#restarted,
      since: status.state === state ? (status.since ?? now) : now,
      healthSince: status.health === health ? (status.healthSince ?? now) : now,
    });
  }

  #report(status: RouteStatus): void {
    // Somebody has asked for something after the halt, or another engine has the route.
    const isTheWorkers = this.#worker !== null && this.#replacing === null;
    if (this.#halted !== null && isTheWorkers && status.state !== 'failed') this.#forgetCrashes();
    // Another engine tells people from now on.
    if (status.state === 'standby' || status.state === 'fenced') this.#told = null;
    this.#status = status;
    this.#options.onStatus(status);
    const { state, reason, health, concerns = [] } = status;
    const says = JSON.stringify([state, reason?.code, health, concerns.map(({ code, level }) => [code, level])]);
    if (says === this.#said) return;
    this.#said = says;
    this.#logger.info({ state, health, reason, ...(concerns.length > 0 && { concerns }) }, 'route state');
  }

  #forgetCrashes(): void {
    this.#crashesInRow = 0;
    this.#crashedAtMs = [];
    this.#endedAtMs = [];
    this.#halted = null;
  }
}

const nothingKnown: RouteStatus = {
  state: 'starting',
  reason: null,
  health: 'unknown',
  sourcePosition: null,
  targetPosition: null,
  lagMs: null,
  transactions: 0,
  rows: 0,
  collisions: 0,
  parked: 0,
  restarts: 0,
  retainedBytes: null,
  load: null,
};
