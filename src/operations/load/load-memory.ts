import { TargetTime } from './target-time.ts';

/** What a chunk takes of what the loads of a route may have under way. */
export interface Reservation {
  readonly bytes: number;
  /** How long the target is at work on it, as far as one knows beforehand. */
  readonly ms: number;
}

/**
 * What of a route's loads is under way, from the read to the commit at the target: bytes in memory, and time of the target. Not the stream's memory: its
 * high watermark has to come through before the rows of a chunk can go anywhere.
 */
export class LoadMemory {
  readonly #limitBytes: number;
  readonly #time: TargetTime;
  #usedBytes = 0;
  #usedMs = 0;
  #chunks = 0;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number, time = new TargetTime()) {
    this.#limitBytes = limitBytes;
    this.#time = time;
  }

  /** Waits until there is room. Whoever takes gives it back. Rejects where the signal aborts. */
  async take({ bytes, ms }: Reservation, signal: AbortSignal): Promise<void> {
    while (
      this.#chunks > 0 &&
      (this.#usedBytes + bytes > this.#limitBytes || this.#usedMs + ms > this.#time.underWayMs)
    ) {
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
    this.#chunks++;
    this.#usedBytes += bytes;
    this.#usedMs += ms;
  }

  give({ bytes, ms }: Reservation): void {
    this.#chunks--;
    this.#usedBytes -= bytes;
    this.#usedMs -= ms;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
