import type { RouteDocument, SampleDocument } from '../api/documents.ts';

/** What a route was at one moment; totals as they were counted by who told them. */
export interface Sample {
  readonly atMs: number;
  readonly lagMs: number | null;
  readonly rows: number;
  readonly transactions: number;
}

const keptMs = 3_600_000;
/** Of what comes live every second or two. */
const stepMs = 2000;

/**
 * The last hour of one route. What the service remembers and what the page has seen count from different beginnings, so
 * rates are made within one of them only.
 */
export class RouteHistory {
  readonly #live: Sample[] = [];
  #remembered: readonly Sample[] = [];

  /** Since the page was opened. */
  get live(): readonly Sample[] {
    return this.#live;
  }

  /** Before that. */
  get remembered(): readonly Sample[] {
    return this.#remembered;
  }

  add({ lagMs, rows, transactions }: RouteDocument, atMs: number): void {
    const last = this.#live.at(-1);
    const before = this.#live.at(-2);
    // Within a step it replaces the last one, so that the newest is always the newest.
    if (last !== undefined && before !== undefined && last.atMs - before.atMs < stepMs) this.#live.pop();
    this.#live.push({ atMs, lagMs, rows, transactions });
    while ((this.#live[0]?.atMs ?? atMs) < atMs - keptMs) this.#live.shift();
  }

  remember(history: readonly SampleDocument[]): void {
    const firstMs = this.#live[0]?.atMs ?? Number.POSITIVE_INFINITY;
    const samples = history.map((sample) => ({ ...sample, atMs: Date.parse(sample.at) }));
    this.#remembered = samples.filter(({ atMs }) => atMs < firstMs);
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

/** Over the last seconds, so that the number can be read; of what the service remembers until enough was seen. */
export function currentRates({ live, remembered }: RouteHistory, overMs = 10_000): Rates | null {
  const seenMs = (live.at(-1)?.atMs ?? 0) - (live[0]?.atMs ?? 0);
  const samples = seenMs > 0 ? live : remembered;
  const last = samples.at(-1);
  if (last === undefined) return null;
  const first = samples.findLast(({ atMs }) => atMs <= last.atMs - overMs) ?? samples[0];
  return ratesBetween(first, last);
}
