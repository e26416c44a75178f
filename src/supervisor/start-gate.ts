/** A start that has not said anything by then no longer holds up the others. */
const longestStartMs = 10_000;

/**
 * Lets so many workers start at a time, in the order in which they came. To load a worker's modules takes a core for half a
 * second: all at once, sixty of them would take half a minute until the first one connects, and need the most memory
 * together.
 */
export class StartGate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #starting = 0;

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  /**
   * Calls `start` when it is its turn, which may be at once; it is over when `started` is called, or after a while.
   * Returns a function that takes a start back that has not begun.
   */
  enter(start: (started: () => void) => void): () => void {
    const begin = (): void => {
      this.#starting++;
      let over = false;
      const started = (): void => {
        if (over) return;
        over = true;
        clearTimeout(timer);
        this.#starting--;
        this.#next();
      };
      const timer = setTimeout(started, longestStartMs).unref();
      start(started);
    };
    this.#waiting.add(begin);
    this.#next();
    return () => this.#waiting.delete(begin);
  }

  #next(): void {
    for (const begin of this.#waiting) {
      if (this.#starting >= this.#limit) return;
      this.#waiting.delete(begin);
      begin();
    }
  }
}
