import type { Channel } from '../core/channel.ts';
import type { Progress } from '../core/consumer.ts';
import type { TransactionPart } from '../core/transaction.ts';

/** Collector and Consumer in one process: a queue, bounded by the byte budget that whoever sends has taken from. */
export class MemoryChannel implements Channel {
  #parts: TransactionPart[] = [];
  #ended: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;
  #signal: AbortSignal | null = null;
  readonly #listeners: ((progress: Progress) => void)[] = [];
  #onSend: (() => void) | null = null;

  get waiting(): number {
    return this.#parts.length;
  }

  send(parts: readonly TransactionPart[]): void {
    for (const part of parts) this.#parts.push(part);
    this.#wake?.();
    this.#onSend?.();
  }

  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  async receive(signal: AbortSignal, timeoutMs: number): Promise<readonly TransactionPart[] | null> {
    if (this.#parts.length === 0 && this.#ended === null && !signal.aborted) await this.#wait(signal, timeoutMs);
    if (signal.aborted) return null;
    if (this.#parts.length === 0 && this.#ended !== null) {
      if (this.#ended.error !== undefined) throw this.#ended.error;
      return null;
    }
    return this.take();
  }

  take(): readonly TransactionPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  onSend(listener: (() => void) | null): void {
    this.#onSend = listener;
  }

  report(progress: Progress): void {
    for (const listener of this.#listeners) listener(progress);
  }

  onReport(listener: (progress: Progress) => void): void {
    this.#listeners.push(listener);
  }

  #wait(signal: AbortSignal, timeoutMs: number): Promise<void> {
    this.#listenTo(signal);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }

  /** Once for a session, not for each wait: an AbortSignal's listeners are dear. */
  #listenTo(signal: AbortSignal): void {
    if (this.#signal === signal) return;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }
}
