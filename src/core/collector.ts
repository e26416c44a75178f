import type { Position } from './position.ts';
import type { TransactionPart } from './transaction.ts';

/** Where a Collector starts, and what it must be able to prove before it does. */
export interface StartPoint {
  readonly position: Position;
  /** The last source transaction that ended at or before `position`, where it is known: the Collector looks for it in the queue. */
  readonly lastCommit: { readonly position: Position; readonly id: string } | null;
}

/** Reads one source's change queue and yields its transactions in commit order. One instance streams once. */
export interface Collector {
  /**
   * Yields batches of at least one part from after `start` on until aborted, or throws a TidelockError. Verifies the
   * start (source identity, timeline, retention) before the first batch. What it has read and not yet had acknowledged
   * stays within the route's byte budget: it stops reading from the source meanwhile. Once aborted it reads nothing more;
   * what is durable may be acknowledged until it is closed.
   */
  stream(start: StartPoint, signal: AbortSignal): AsyncIterable<readonly TransactionPart[]>;
  /** Tells the source that everything up to here is durable at the target. Never called with more than is stored. */
  acknowledge(durable: Position): void;
  /** Closes its connections. The queue stays. */
  close(): Promise<void>;
}
