import type { StartPoint } from './collector.ts';
import type { ParkedCount } from './parked.ts';
import type { Position } from './position.ts';
import type { TransactionPart } from './transaction.ts';

export interface Progress {
  /** Visible at the target. */
  readonly applied: Position;
  /** Survives a crash of the target. Only this may be acknowledged to the source. Null while the session has been told of nothing that does. */
  readonly durable: Position | null;
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

/** So many rows that wait together are a backlog. A route that keeps up with 100,000 rows a second has less waiting. */
export function backlogRows(groupRows: number): number {
  return groupRows / 16;
}

/** As `backlogRows`, where rows are few and large. */
export function backlogBytes(groupBytes: number): number {
  return groupBytes / 16;
}

/** What comes while `apply` is at work. */
export interface PartFeed {
  /** Everything that waits, in order; empty where nothing does. */
  take(): readonly TransactionPart[];
  /** Of a backlog, where so many rows are held that are less than a group: what comes within a moment. */
  gather(rows: number): Promise<readonly TransactionPart[]>;
  /** Called whenever something begins to wait; null takes the listener off. */
  onMore(listener: (() => void) | null): void;
  /** So many parts, in order, are applied: what they held in memory may be given back. */
  done(parts: number): void;
}

/** Applies transactions to one target and keeps the checkpoint there, in the same target transaction as the rows. */
export interface Consumer {
  /** The last position stored at the target, read when the Consumer was opened. */
  readonly start: StartPoint;
  /**
   * Applies the parts in order, whole source transactions grouped into as few target transactions as the limits allow.
   * Resolves when they are committed, and with them what the feed had; a transaction whose last part is missing stays open
   * until the next call.
   * Throws a TidelockError; after that the instance is of no more use and is closed.
   */
  apply(parts: readonly TransactionPart[], signal: AbortSignal, feed?: PartFeed): Promise<void>;
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
  /** Resolves when all that was applied is durable and told, or that takes longer than a stop may. */
  settled(): Promise<void>;
  /** Closes its connections at once: `apply` in flight throws, the target rolls back. */
  abort(): void;
  close(): Promise<void>;
}
