/** Reading goes on when so much of the limit is free again. */
const gapShare = 1 / 8;

/**
 * The memory that a route may hold between the source's socket and the target's commit. Whoever reads takes bytes,
 * whoever has applied them releases them. Reading stops at `limitBytes` and goes on when an eighth of it is free: without that
 * gap a route at its limit would pause and resume its socket for every message. More would let the target wait: two groups under way may
 * hold all of it, and the next has to be read while the second of them is applied.
 */
export class ByteBudget {
  readonly limitBytes: number;
  readonly #resumeBelowBytes: number;
  readonly #listeners = new Set<(paused: boolean) => void>();
  #usedBytes = 0;
  #peakBytes = 0;
  #paused = false;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#resumeBelowBytes = Math.floor(limitBytes * (1 - gapShare));
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  take(bytes: number): void {
    this.#usedBytes += bytes;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
    if (!this.#paused && this.#usedBytes >= this.limitBytes) this.#set(true);
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#usedBytes < 0)
      throw new RangeError(`byte budget released ${-this.#usedBytes} bytes more than were taken`);
    if (this.#paused && this.#usedBytes <= this.#resumeBelowBytes) this.#set(false);
  }

  /** Calls `listener` at each change between reading and paused. Returns a function that takes it off again. */
  onChange(listener: (paused: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #set(paused: boolean): void {
    this.#paused = paused;
    for (const listener of this.#listeners) listener(paused);
  }
}
