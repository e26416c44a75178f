import type { StartPoint } from './collector.ts';
import type { ParkedCount } from './parked.ts';
import type { Position } from './position.ts';
import type { TransactionPart } from './transaction.ts';

export interface Progress {
  /** Visible at the target. */
  readonly applied: Position;
  /** Survives a crash of the target. Only this may be acknowledged to the source. */
  readonly durable: Position;
}

/** Totals since the Consumer was made. */
export interface ApplyCounts {
  readonly transactions: number;
  readonly rows: number;
  readonly groups: number;
  /** Groups that had to be replayed row by row. */
  readonly replays: number;
  readonly collisions: number;
}

/** Applies transactions to one target and keeps the checkpoint there, in the same target transaction as the rows. */
export interface Consumer {
  /** The last position stored at the target, read when the Consumer was opened. */
  readonly start: StartPoint;
  /**
   * Applies the parts in order, whole source transactions grouped into as few target transactions as the limits allow.
   * Resolves when they are committed; a transaction whose last part is missing stays open until the next call.
   * Throws a TidelockError; after that the instance is of no more use and is closed.
   */
  apply(parts: readonly TransactionPart[], signal: AbortSignal): Promise<void>;
  /** Stores an idle advance that is still riding, if there is one. */
  flushIdle(): Promise<void>;
  /** Latest progress, conflated: a slow reader misses steps and never the last one. Ends when the Consumer is closed. */
  progress(): AsyncIterable<Progress>;
  counts(): ApplyCounts;
  /** Transactions that are set aside. */
  parked(): ParkedCount;
  /**
   * Carries out what people have asked about parked transactions, between two groups. Resolves when nothing is left
   * to be done, or the signal aborts; what was not done stays asked for.
   */
  carryOut(signal: AbortSignal): Promise<void>;
  /** Closes its connections at once: `apply` in flight throws, the target rolls back. */
  abort(): void;
  close(): Promise<void>;
}
