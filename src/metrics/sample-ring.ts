/** One point of a chart. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly lagMs: number | null;
  /** Totals since this service was started. */
  readonly rows: number;
  readonly transactions: number;
  readonly retainedBytes: number | null;
}

const sampleMs = 5_000;
const capacity = 720;
const fields = ['at', 'lagMs', 'rows', 'transactions', 'retainedBytes'] as const;

/** The last hour of a route, one sample for each five seconds, in 30 kB that are never given up or grown. */
export class SampleRing {
  readonly #values = new Float64Array(capacity * fields.length);
  #count = 0;
  #slot = Number.NaN;

  /** Left out where there is one of the same five seconds. */
  add(sample: Sample): void {
    const slot = Math.floor(sample.at / sampleMs);
    if (slot === this.#slot) return;
    this.#slot = slot;
    const from = (this.#count++ % capacity) * fields.length;
    for (const [at, field] of fields.entries()) this.#values[from + at] = sample[field] ?? Number.NaN;
  }

  /** Oldest first. */
  samples(): Sample[] {
    const kept = Math.min(this.#count, capacity);
    return Array.from({ length: kept }, (_, at) => this.#at(this.#count - kept + at));
  }

  #at(index: number): Sample {
    const from = (index % capacity) * fields.length;
    const [at = 0, lagMs, rows = 0, transactions = 0, retainedBytes] = this.#values.subarray(
      from,
      from + fields.length,
    );
    return { at, lagMs: known(lagMs), rows, transactions, retainedBytes: known(retainedBytes) };
  }
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
