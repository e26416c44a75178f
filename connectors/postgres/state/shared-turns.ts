/** Who may use a session when: those who need it alone, one after the other; others together, but never beside one of these. */
export class SharedTurns {
  #last: Promise<unknown> = Promise.resolve();
  readonly #together = new Set<Promise<unknown>>();

  /** Runs when everything before it has ended, however it ended. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    const result = Promise.all([this.#last, ...this.#together]).then(run);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Runs when whoever needed the session alone before it has ended. */
  together<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#last.then(run);
    const ended = result.then(
      () => {},
      () => {},
    );
    this.#together.add(ended);
    void ended.then(() => this.#together.delete(ended));
    return result;
  }
}
