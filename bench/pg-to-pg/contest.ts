import type { SynchronousCommit } from './contender.ts';
import type { Scale } from './workload.ts';

/** How a workload is run. */
export interface Terms {
  readonly rounds: number;
  readonly scale: Scale;
  /** Of one contender in one round of a steady stream. */
  readonly seconds: number;
  readonly synchronousCommit: SynchronousCommit;
  /** `apply.lanes` of Tidelock's routes. */
  readonly lanes: number;
  onRound(line: object): void;
}

/** What came out: one line of JSON, and what the table shows of it. */
export interface Outcome {
  readonly workload: string;
  readonly synchronousCommit: SynchronousCommit;
  /** Contenders whose target was not equal to the source: what they took counts for nothing. */
  readonly failed: readonly string[];
  /** Whether it is as good as it must be. */
  readonly passed: boolean;
  readonly figures: object;
  readonly text: string;
}

/** A workload with those that it is run by. */
export interface Contest {
  readonly name: string;
  readonly title: string;
  run(terms: Terms): Promise<Outcome>;
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
export const megabytes = (bytes: number | null): string => (bytes === null ? '-' : `${(bytes / 1e6).toFixed(0)} MB`);
export const perRow = (us: number | null): string => (us === null ? '-' : `${us.toFixed(2)} us/row`);

/** Rounded, for the JSON. */
export function rounded(value: number | null, digits = 2): number | null {
  return value === null || Number.isNaN(value) ? null : Number(value.toFixed(digits));
}
