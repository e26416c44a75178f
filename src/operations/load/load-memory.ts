/**
 * The memory of a route's loads, from the read to the commit at the target. Not the stream's: its high watermark has to come
 * through before the rows of a chunk can go anywhere.
 */
export class LoadMemory {
  readonly #limitBytes: number;
  #usedBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Waits until there is room. Whoever takes gives it back. Rejects where the signal aborts. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.#usedBytes > 0 && this.#usedBytes + bytes > this.#limitBytes) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    signal.throwIfAborted();
    this.#usedBytes += bytes;
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
