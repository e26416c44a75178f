import { pause } from '../core/pause.ts';
import type { Activity, DemoSession, Scenario } from './scenario.ts';

export interface WorkloadCounts {
  transactions: number;
  rows: number;
  /** Refused by a constraint, or a deadlock's victim: rolled back, as applications do. */
  rolledBack: number;
}

/** Several clients that write to the source at the same time, each on a connection of its own. */
export class Workload {
  readonly counts: WorkloadCounts = { transactions: 0, rows: 0, rolledBack: 0 };
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[] = [];
  #failure: { readonly error: unknown } | null = null;
  readonly #startedAt = performance.now();
  readonly #scenario: Pick<Scenario, 'journalSql' | 'isRefused'>;

  constructor(
    connections: readonly DemoSession[],
    scenario: Pick<Scenario, 'activities' | 'journalSql' | 'isRefused'>,
  ) {
    this.#scenario = scenario;
    const { activities } = scenario;
    for (const [index, client] of connections.entries()) {
      const activity = activities[index % activities.length];
      if (activity !== undefined) this.#clients.push(this.#run(client, activity));
    }
    for (const running of this.#clients)
      running.catch((error: unknown) => {
        this.#failure ??= { error };
      });
  }

  get clients(): number {
    return this.#clients.length;
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Lets every client commit what it is at. Throws what a client has failed with. */
  async finish(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  async #run(client: DemoSession, activity: Activity): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const begun = performance.now();
      await this.#transaction(client, activity);
      const restMs = activity.everyMs * this.#calm() * (0.5 + Math.random()) - (performance.now() - begun);
      if (restMs > 0) await pause(restMs, signal);
    }
  }

  /** Busier and quieter times take turns: 0.5 to 1.5 times the usual rest, in waves of ten seconds. */
  #calm(): number {
    return 1 + 0.5 * Math.sin((performance.now() - this.#startedAt) / 1_600);
  }

  async #transaction(client: DemoSession, activity: Activity): Promise<void> {
    await client.query('BEGIN');
    try {
      const changed = await activity.write(client);
      const kind = changed > 0 ? activity.name : `${activity.name} (nothing to do)`;
      await client.query(this.#scenario.journalSql, [kind]);
      await client.query('COMMIT');
      this.counts.transactions += 1;
      this.counts.rows += changed + 1;
    } catch (error) {
      // Integrity violations and deadlocks are part of life; anything else ends the client.
      if (!this.#scenario.isRefused(error)) throw error;
      await client.query('ROLLBACK');
      this.counts.rolledBack += 1;
    }
  }
}
