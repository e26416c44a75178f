import { pause } from '../core/pause.ts';
import type { CompareDocument } from '../operations/compare/compare-document.ts';
import type { DemoState } from './demo-state.ts';
import { Engine } from './engine.ts';
import { Observer } from './observer.ts';
import { RouteWatch } from './route-watch.ts';
import type { DemoSession, Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import type { DemoResult, Recovery } from './summary.ts';
import { milliseconds, number } from './texts.ts';
import { allEqual, type TableVerdict } from './verdict.ts';
import { Workload } from './workload.ts';

export interface PerformanceOptions {
  readonly scenario: Scenario;
  readonly stage: Stage;
  readonly state: DemoState;
  readonly signal: AbortSignal;
  /** For tests: when the target has caught up, before it is compared. */
  readonly beforeCompare: ((target: DemoSession) => Promise<void>) | undefined;
}

/** Makes the target's tables, loads them, writes, kills, waits and compares, in that order. */
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
    const { scenario, stage, state } = this.#options;
    await this.#schema('before');
    const workload = new Workload(await stage.clients('source', scenario.activities.length), scenario);
    this.#workload = workload;
    state.workload = workload.counts;
    state.clients = workload.clients;
    state.clientsBegin();
    state.event(`${workload.clients} clients write; "tidelock run" is started`);
    this.#engine.start();
    this.#observer = new Observer(await stage.client('target'), state, scenario);
    const { file } = stage.configuration;
    this.#watch = new RouteWatch({ file, routeName: scenario.routeName }, (view) => {
      state.engine = view;
    });
    await this.#load();
    await this.#schema('after');
    await this.#loadAgain();
    await this.#until(() => (state.clockMs ?? 0) >= state.seconds * 500, 'half-time', Number.POSITIVE_INFINITY);
    const recovery = await this.#killWorker();
    await this.#until(() => (state.clockMs ?? 0) >= state.seconds * 1_000, 'the end', Number.POSITIVE_INFINITY);
    const meanwhile = scenario.compares ? await this.#compare('while the clients write') : null;
    await workload.finish();
    await this.#catchUp();
    return this.#verdict(recovery, meanwhile);
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

  /** The target's tables, made from the source's, and once they are loaded their indexes and foreign keys. */
  async #schema(half: 'before' | 'after'): Promise<void> {
    const { scenario, state, signal } = this.#options;
    const words = ['schema', scenario.routeName, '--apply', half];
    const { document } = await this.#engine.tidelock<{ readonly applied: readonly unknown[] }>(words, signal);
    const what = half === 'before' ? 'tables of the empty target' : 'indexes and foreign keys';
    state.event(`"tidelock schema --apply ${half}": ${what}, ${document.applied.length} statements`);
  }

  /** One table beside the stream, under the clients' hands. */
  async #loadAgain(): Promise<void> {
    const { scenario, state, signal } = this.#options;
    const begun = state.elapsedMs;
    const words = ['load', scenario.routeName, scenario.loadedAnew, '--existing', 'replace', '--yes'];
    const { isTrue } = await this.#engine.tidelock(words, signal);
    if (!isTrue) throw this.#engine.failed('"tidelock load" has not loaded the table');
    const took = milliseconds(state.elapsedMs - begun);
    state.event(`"tidelock load ${scenario.loadedAnew}": loaded anew beside the stream in ${took}`);
  }

  async #load(): Promise<void> {
    const { state } = this.#options;
    state.phase = 'loading';
    const begun = state.elapsedMs;
    await this.#until(() => state.bankTotal !== null, 'the initial load');
    state.event(`initial load done, ${milliseconds(state.elapsedMs - begun)} after the start`);
    await this.#until(
      () => state.arrived > 0 && (state.lagMs ?? Number.POSITIVE_INFINITY) < 1_000,
      'the first changes',
    );
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
    await this.#until(() => (state.lagMs ?? Number.POSITIVE_INFINITY) < 1_000, 'the backlog after the recovery');
    if (observer) observer.everyMs = 200;
    state.phase = 'running';
    return recovery;
  }

  async #catchUp(): Promise<void> {
    const { scenario, state, signal } = this.#options;
    state.phase = 'catching up';
    state.event(`clients stopped after ${number(state.workload.transactions)} transactions`);
    const begun = state.elapsedMs;
    const words = ['wait', scenario.routeName, '--timeout', `${Math.ceil(scenario.patienceMs / 1_000)}s`];
    if (!(await this.#engine.tidelock(words, signal)).isTrue)
      throw this.#engine.failed('"tidelock wait" says that the target has not caught up');
    state.event(`caught up ${milliseconds(state.elapsedMs - begun)} later ("tidelock wait")`);
  }

  /** `tidelock compare`. */
  async #compare(when: string): Promise<CompareDocument> {
    const { scenario, state, signal } = this.#options;
    const words = ['compare', scenario.routeName];
    const { document } = await this.#engine.tidelock<CompareDocument>(words, signal);
    const { equal, tables } = document;
    const rows = number(tables.reduce((sum, table) => sum + table.rows, 0));
    state.event(
      `"tidelock compare" ${when}: ${equal ? `all ${rows} rows are equal` : 'NOT equal'}`,
      equal ? 'good' : 'bad',
    );
    return document;
  }

  async #verdict(recovery: Recovery, meanwhile: CompareDocument | null): Promise<DemoResult> {
    const { scenario, stage, state, signal, beforeCompare } = this.#options;
    state.phase = 'comparing';
    await this.#observer?.close();
    await beforeCompare?.(await stage.client('target'));
    const compared = scenario.compares ? await this.#compare('at the end') : null;
    const tables = await scenario.compare(stage);
    signal.throwIfAborted();
    const { transactions, rows } = state.workload;
    const bank = { reads: state.bankChecks, wrong: state.bankViolations };
    const equal = allEqual(tables);
    const said = `a plain comparer that shares nothing with the engine: ${equal ? 'every row is equal' : 'NOT equal'}`;
    state.event(said, equal ? 'good' : 'bad');
    const compare =
      meanwhile === null || compared === null
        ? null
        : { meanwhile: meanwhile.equal, equal: compared.equal, agrees: agree(compared, tables) };
    return { equal, tables, compare, recovery, bank, transactions, rows, highestLagMs: state.highestLagMs };
  }

  #throwIfHalted(): void {
    const { engine } = this.#options.state;
    if (engine?.state === 'failed' || engine?.state === 'fenced')
      throw this.#engine.failed(`the route is ${engine.state}: ${engine.reason}`);
  }

  /** Waits for a condition; throws where the engine, a client or the reader has ended meanwhile. */
  async #until(condition: () => boolean, what: string, timeoutMs = this.#options.scenario.patienceMs): Promise<void> {
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

/** Whether both have found the same in each table. */
function agree({ tables }: CompareDocument, verdicts: readonly TableVerdict[]): boolean {
  return verdicts.every(({ name, rows, missing, extra, different }) =>
    tables.some(
      (table) =>
        table.name === name &&
        table.rows === rows &&
        table.missing === missing &&
        table.extra === extra &&
        table.different === different &&
        table.undecided === 0,
    ),
  );
}
