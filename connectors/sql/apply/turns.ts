/** Lets asynchronous work run one after the other, in the order in which it was asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<() => void>();

  /** Runs when everything before it has ended, however it ended. */
  take<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Runs in a turn of its own if `ready` holds then: true. Otherwise waits until `changed` is called or the signal
   * aborts: false.
   */
  async takeWhere(ready: () => boolean, run: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    // Listened for from within the turn, so that no change is missed.
    let change: Promise<void> | null = null;
    await this.take(async () => {
      if (ready()) await run();
      else change = this.#change(signal);
    });
    if (change === null) return true;
    await change;
    return false;
  }

  /** Whoever waits looks again. */
  changed(): void {
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
