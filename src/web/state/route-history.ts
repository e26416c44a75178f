import type { RouteDocument, SampleDocument } from '../api/documents.ts';

/** What a route was at one moment; totals as the service counts them. */
export interface Sample {
  readonly atMs: number;
  readonly lagMs: number | null;
  readonly rows: number;
  readonly transactions: number;
  readonly retainedBytes: number | null;
}

const keptMs = 3_600_000;
/** Of what comes live every second or two: as fine as the service's own samples are kept. */
const stepMs = 2000;

/** The last hour of one route, in order. */
export class RouteHistory {
  readonly #samples: Sample[] = [];

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  add({ lagMs, rows, transactions }: RouteDocument, atMs: number): void {
    const last = this.#samples.at(-1);
    const sample = { atMs, lagMs, rows, transactions, retainedBytes: null };
    // A change within a step replaces the last one, so that the newest is always the newest.
    const before = this.#samples.at(-2);
    if (last !== undefined && before !== undefined && last.atMs - before.atMs < stepMs) this.#samples.pop();
    this.#samples.push(sample);
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - keptMs) this.#samples.shift();
  }

  /** What the service remembers of the time before the page was opened. */
  fillIn(history: readonly SampleDocument[]): void {
    const firstMs = this.#samples[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const before = history.map((one) => ({ ...one, atMs: Date.parse(one.at) })).filter(({ atMs }) => atMs < firstMs);
    this.#samples.unshift(...before);
  }
}

export interface Rates {
  readonly rows: number;
  readonly transactions: number;
}

/** A second, between two samples; null where they are none to compare. Totals that fell were counted anew. */
export function ratesBetween(before: Sample | undefined, after: Sample | undefined): Rates | null {
  if (before === undefined || after === undefined || after.atMs <= before.atMs) return null;
  const seconds = (after.atMs - before.atMs) / 1000;
  return {
    rows: Math.max(0, after.rows - before.rows) / seconds,
    transactions: Math.max(0, after.transactions - before.transactions) / seconds,
  };
}

/** Over the last seconds, so that the number can be read. */
export function currentRates(samples: readonly Sample[], overMs = 10_000): Rates | null {
  const last = samples.at(-1);
  if (last === undefined) return null;
  const first = samples.findLast(({ atMs }) => atMs <= last.atMs - overMs) ?? samples[0];
  return ratesBetween(first, last);
}
