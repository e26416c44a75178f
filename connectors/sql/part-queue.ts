import type { ByteBudget } from '../../src/core/byte-budget.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

/**
 * Parts between the socket and whoever reads the stream. Pushing never waits: what is queued counts against the byte
 * budget, and the socket is paused when that is used up. Whatever was not read is released when the queue is closed.
 */
export class PartQueue {
  readonly #budget: ByteBudget;
  #parts: TransactionPart[] = [];
  #ended: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  push(part: TransactionPart): void {
    if (this.#ended !== null) return;
    const wake = this.#wake;
    if (wake !== null) {
      this.#wake = null;
      wake();
    }
    const last = this.#parts.at(-1);
    if (last !== undefined && isIdle(last) && isIdle(part)) {
      // Only the last of several advances in a row matters; a flood of them must not fill the queue.
      const urgency = last.urgency === 'now' ? 'now' : part.urgency;
      this.#parts[this.#parts.length - 1] = { ...part, bytes: last.bytes, urgency };
      return;
    }
    this.#parts.push(part);
    this.#budget.take(part.bytes);
  }

  /** Ends the stream, with the first error that is given or without one. What is queued is dropped and released. */
  end(error: unknown = null): void {
    if (this.#ended !== null) return;
    this.#ended = { error };
    for (const part of this.#parts) this.#budget.release(part.bytes);
    this.#parts = [];
    this.#wake?.();
  }

  /** Everything that is queued, at least one part; null at the end. Whoever takes parts releases their bytes. */
  async take(): Promise<readonly TransactionPart[] | null> {
    while (this.#parts.length === 0 && this.#ended === null)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = null;
    if (this.#ended !== null) {
      if (this.#ended.error !== null) throw this.#ended.error;
      return null;
    }
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}

function isIdle(part: TransactionPart): boolean {
  return part.id === '' && part.commit !== null && part.changes.length === 0;
}
