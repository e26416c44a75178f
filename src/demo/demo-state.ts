import type { WorkloadCounts } from './workload.ts';

export type Phase = 'starting' | 'loading' | 'running' | 'recovering' | 'catching up' | 'comparing';

export interface DemoEvent {
  /** Since the clients write; null before. */
  readonly atMs: number | null;
  readonly text: string;
  readonly kind: 'plain' | 'good' | 'bad';
}

/** One look at both sides. Rates are transactions a second. */
export interface Sample {
  readonly atMs: number;
  readonly written: number;
  readonly arrived: number;
}

/** What the engine says of its route, as `tidelock status` shows it. */
export interface EngineView {
  readonly state: string;
  readonly health: string;
  readonly restarts: number;
  readonly reason: string | null;
}

const postgres = { source: 'PostgreSQL', target: 'PostgreSQL' };

/** Everything that the demo knows about itself while it runs; the screen and the plain lines show it. */
export class DemoState {
  readonly seconds: number;
  readonly vendors: { readonly source: string; readonly target: string };
  readonly events: DemoEvent[] = [];
  /** For the chart, one for each frame. */
  readonly writtenRates: number[] = [];
  readonly arrivedRates: number[] = [];
  /** With --keep, once the demo is over: what was left and where. */
  kept: string | null = null;
  phase: Phase = 'starting';
  ports: { readonly source: number; readonly target: number } | null = null;
  engine: EngineView | null = null;
  workload: Readonly<WorkloadCounts> = { transactions: 0, rows: 0, rolledBack: 0 };
  clients = 0;
  arrived = 0;
  lagMs: number | null = null;
  highestLagMs = 0;
  bankChecks = 0;
  bankViolations = 0;
  /** As the last reader at the target saw it; null before the load. */
  bankTotal: string | null = null;
  readonly #beganAt = performance.now();
  #clientsAt: number | null = null;
  readonly #listeners: ((event: DemoEvent) => void)[] = [];
  #samples: Sample[] = [];

  constructor(seconds: number, { source, target }: { readonly source: string; readonly target: string } = postgres) {
    this.seconds = seconds;
    this.vendors = { source, target };
  }

  get elapsedMs(): number {
    return performance.now() - this.#beganAt;
  }

  /** What the demo's seconds are counted from: servers that start slowly take nothing of them. */
  clientsBegin(): void {
    this.#clientsAt = performance.now();
  }

  /** Since the clients write; null before. */
  get clockMs(): number | null {
    return this.#clientsAt === null ? null : performance.now() - this.#clientsAt;
  }

  event(text: string, kind: DemoEvent['kind'] = 'plain'): void {
    const event = { atMs: this.clockMs, text, kind };
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: DemoEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Notes how far both sides are, for the rates. */
  sample(): void {
    this.#samples.push({ atMs: this.elapsedMs, written: this.workload.transactions, arrived: this.arrived });
    const from = this.elapsedMs - 5_000;
    while ((this.#samples[0]?.atMs ?? from) < from) this.#samples.shift();
  }

  /** Transactions a second, over about the last `overMs`. */
  rate(which: 'written' | 'arrived', overMs: number): number {
    const last = this.#samples.at(-1);
    const first = this.#samples.find(({ atMs }) => atMs >= (last?.atMs ?? 0) - overMs);
    if (last === undefined || first === undefined || last.atMs <= first.atMs) return 0;
    return ((last[which] - first[which]) * 1_000) / (last.atMs - first.atMs);
  }

  /** One step of the chart. */
  step(): void {
    for (const [values, which] of [
      [this.writtenRates, 'written'],
      [this.arrivedRates, 'arrived'],
    ] as const) {
      values.push(this.rate(which, 500));
      if (values.length > 1_000) values.shift();
    }
  }
}
