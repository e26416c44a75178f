import { pause } from '../core/pause.ts';
import type { DemoState } from './demo-state.ts';
import type { DemoSession, Scenario } from './scenario.ts';

/** Transactions that far back in the journal's numbers have surely arrived, or never will. */
const settledDistance = 5_000;

/**
 * Reads at the target as an application would, again and again, each time in one snapshot: does the money in the bank
 * add up, do orders agree with their lines, what has arrived, and how old is it?
 */
export class Observer {
  readonly #client: DemoSession;
  readonly #scenario: Pick<Scenario, 'lookSql' | 'total'>;
  readonly #state: DemoState;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Journal rows up to this number are counted already. */
  #settled = { id: 0, count: 0 };
  #newestId = 0;
  #newestAtMs = 0;
  #failure: { readonly error: unknown } | null = null;
  everyMs = 200;

  constructor(client: DemoSession, state: DemoState, scenario: Pick<Scenario, 'lookSql' | 'total'>) {
    this.#client = client;
    this.#scenario = scenario;
    this.#state = state;
    this.#running = this.#run();
    this.#running.catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  /** When the newest change that has arrived was made at the source, in Date.now()'s time; 0 before the first. */
  get newestAtMs(): number {
    return this.#newestAtMs;
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Takes a last look. Throws what the reader has failed with. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#look();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#look();
      await pause(this.everyMs, this.#stop.signal);
    }
  }

  async #look(): Promise<void> {
    const state = this.#state;
    const written = state.workload.transactions;
    const settle = Math.max(this.#settled.id, this.#newestId - settledDistance);
    const { rows } = await this.#client.query(this.#scenario.lookSql, [this.#settled.id, settle]);
    const { money, wrong_orders, newest_id, newest_at_ms, age_ms, newly_settled, counted } = rows[0] ?? {};
    state.arrived = this.#settled.count + Number(counted);
    this.#settled = { id: settle, count: this.#settled.count + Number(newly_settled) };
    if (typeof money === 'string') {
      state.bankTotal = money;
      state.bankChecks += 1;
      if (Number(money) !== this.#scenario.total || Number(wrong_orders) > 0) state.bankViolations += 1;
    }
    if (newest_id !== null && newest_id !== undefined) {
      this.#newestId = Number(newest_id);
      this.#newestAtMs = Number(newest_at_ms);
      state.lagMs = state.arrived >= written ? 0 : Number(age_ms);
      state.highestLagMs = Math.max(state.highestLagMs, state.lagMs);
    }
    state.sample();
  }
}
