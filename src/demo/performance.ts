import type pg from 'pg';
import { pause } from '../core/pause.ts';
import { activities } from './activities.ts';
import { routeName } from './demo-configuration.ts';
import type { DemoState } from './demo-state.ts';
import { Engine } from './engine.ts';
import { Observer } from './observer.ts';
import { RouteWatch } from './route-watch.ts';
import type { Stage } from './stage.ts';
import type { DemoResult, Recovery } from './summary.ts';
import { milliseconds, number } from './texts.ts';
import { allEqual, compareAll } from './verdict.ts';
import { Workload } from './workload.ts';

export interface PerformanceOptions {
  readonly stage: Stage;
  readonly state: DemoState;
  readonly signal: AbortSignal;
  /** For tests: when the target has caught up, before it is compared. */
  readonly beforeCompare: ((target: pg.Client) => Promise<void>) | undefined;
}

/** How long the route may take to load, to recover, to catch up: far more than it should. */
const patienceMs = 60_000;

/** Writes, kills, waits and compares, in that order. */
export class Performance {
  readonly #options: PerformanceOptions;
  readonly #engine: Engine;
  #workload: Workload | null = null;
  #observer: Observer | null = null;
  #watch: RouteWatch | null = null;

  constructor(options: PerformanceOptions) {
    this.#options = options;
    const { stage } = options;
    this.#engine = new Engine({ file: stage.configuration.file, work: stage.work });
  }

  /** Throws the signal's reason where it is aborted. */
  async run(): Promise<DemoResult> {
    const { stage, state } = this.#options;
    const workload = new Workload(await stage.clients('source', activities.length));
    this.#workload = workload;
    state.workload = workload.counts;
    state.clients = workload.clients;
    state.event(`${workload.clients} clients write; "tidelock run" is started`);
    this.#observer = new Observer(await stage.client('target'), state);
    this.#watch = new RouteWatch(stage.configuration.file, (view) => {
      state.engine = view;
    });
    await this.#load();
    await this.#until(() => state.elapsedMs >= state.seconds * 500, 'half-time', Number.POSITIVE_INFINITY);
    const recovery = await this.#killWorker();
    await this.#until(() => state.elapsedMs >= state.seconds * 1_000, 'the end', Number.POSITIVE_INFINITY);
    await workload.finish();
    await this.#catchUp();
    return this.#compare(recovery);
  }

  async close(): Promise<void> {
    // What has failed in one of them was thrown by run() already.
    await Promise.allSettled([
      this.#workload?.finish(),
      this.#observer?.close(),
      this.#watch?.close(),
      this.#engine.stop(),
    ]);
  }

  async #load(): Promise<void> {
    const { state } = this.#options;
    state.phase = 'loading';
    const begun = state.elapsedMs;
    await this.#until(() => state.bankTotal !== null, 'the initial load');
    state.event(`initial load done, ${milliseconds(state.elapsedMs - begun)} after the start`);
    await this.#until(() => state.arrived > 0 && (state.lagMs ?? patienceMs) < 1_000, 'the first changes');
    state.phase = 'running';
    state.event('the route has caught up and follows the clients');
  }

  async #killWorker(): Promise<Recovery> {
    const { state } = this.#options;
    const observer = this.#observer;
    const pid = this.#engine.workerPid();
    const killedAtMs = Date.now();
    process.kill(pid, 'SIGKILL');
    state.phase = 'recovering';
    state.event(`worker ${pid} killed (SIGKILL) in mid-work`, 'bad');
    if (observer) observer.everyMs = 50;
    // A change that was made after the kill is at the target: whoever brought it there was not the one killed.
    await this.#until(() => (observer?.newestAtMs ?? 0) > killedAtMs, 'the recovery');
    const recovery = { workerPid: pid, ms: Date.now() - killedAtMs };
    state.event(`recovered after ${milliseconds(recovery.ms)}, from the checkpoint`, 'good');
    await this.#until(() => (state.lagMs ?? patienceMs) < 1_000, 'the backlog after the recovery');
    if (observer) observer.everyMs = 200;
    state.phase = 'running';
    return recovery;
  }

  async #catchUp(): Promise<void> {
    const { state, signal } = this.#options;
    state.phase = 'catching up';
    state.event(`clients stopped after ${number(state.workload.transactions)} transactions`);
    const begun = state.elapsedMs;
    const done = await this.#engine.caughtUp(routeName, patienceMs / 1_000, signal);
    signal.throwIfAborted();
    if (!done) throw this.#engine.failed('"tidelock wait" says that the target has not caught up');
    state.event(`caught up ${milliseconds(state.elapsedMs - begun)} later ("tidelock wait")`);
  }

  async #compare(recovery: Recovery): Promise<DemoResult> {
    const { stage, state, signal, beforeCompare } = this.#options;
    state.phase = 'comparing';
    await this.#observer?.close();
    const [source, target] = [await stage.client('source'), await stage.client('target')];
    await beforeCompare?.(target);
    const tables = await compareAll({ source, target, maskKey: stage.configuration.maskKey });
    signal.throwIfAborted();
    const { transactions, rows } = state.workload;
    const bank = { reads: state.bankChecks, wrong: state.bankViolations };
    const equal = allEqual(tables);
    state.event(equal ? 'compared: every row is equal' : 'compared: NOT equal', equal ? 'good' : 'bad');
    return { equal, tables, recovery, bank, transactions, rows, highestLagMs: state.highestLagMs };
  }

  #throwIfHalted(): void {
    const { engine } = this.#options.state;
    if (engine?.state === 'failed' || engine?.state === 'fenced')
      throw this.#engine.failed(`the route is ${engine.state}: ${engine.reason}`);
  }

  /** Waits for a condition; throws where the engine, a client or the reader has ended meanwhile. */
  async #until(condition: () => boolean, what: string, timeoutMs = patienceMs): Promise<void> {
    const { signal } = this.#options;
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      signal.throwIfAborted();
      this.#engine.throwIfEnded();
      this.#throwIfHalted();
      this.#workload?.throwIfFailed();
      this.#observer?.throwIfFailed();
      if (performance.now() > deadline) throw this.#engine.failed(`${what} took longer than ${timeoutMs / 1_000} s`);
      await pause(25, signal);
    }
  }
}
