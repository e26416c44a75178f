import type { Position } from '../../src/core/position.ts';
import type { SourceIdentity } from '../../src/core/route-state-store.ts';

/** What the reading process is told. */
export interface DecodeTask {
  readonly port: number;
  readonly database: string;
  readonly stored: SourceIdentity;
  /** Where the backlog begins, each time. */
  readonly start: Position;
  readonly end: Position;
  /** The same process reads it so many times, as a worker that has been at work for a while. */
  readonly rounds: number;
}

/** What it tells of each reading. */
export interface DecodeRound {
  readonly rows: number;
  readonly transactions: number;
  readonly ms: number;
  readonly userUs: number;
  readonly systemUs: number;
  /** In garbage collection, as far as the main thread waited for it. */
  readonly collectedMs: number;
  readonly peakBytes: number;
}
