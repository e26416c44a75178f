import type { Progress } from './consumer.ts';
import type { TransactionPart } from './transaction.ts';

/** What lies between Collector and Consumer: parts go down in order, progress comes back. */
export interface Channel {
  /** Collector's side. Never waits: what may be in flight is bounded by the byte budget, taken before sending. */
  send(parts: readonly TransactionPart[]): void;
  /** No more parts will come, because of `error` or because the stream ended. */
  end(error?: unknown): void;
  /** Consumer's side: how many parts are waiting. */
  readonly waiting: number;
  /**
   * Consumer's side: everything that is waiting, in order; an empty list after `timeoutMs` without a part; null when
   * the channel has ended or the signal is aborted. Throws what the channel was ended with, after the last part.
   */
  receive(signal: AbortSignal, timeoutMs: number): Promise<readonly TransactionPart[] | null>;
  /** Consumer's side: everything that is waiting now, in order. */
  take(): readonly TransactionPart[];
  /** Consumer's side: called with each part or list of parts that comes; null takes the listener off. */
  onSend(listener: (() => void) | null): void;
  /** Consumer's side: what is applied and durable. */
  report(progress: Progress): void;
  /** Collector's side: called with each report. */
  onReport(listener: (progress: Progress) => void): void;
}
