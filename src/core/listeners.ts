/** Everybody who wants to know of one kind of event, called in the order in which they came. */
export class Listeners<A extends readonly unknown[]> {
  readonly #listeners = new Set<(...event: A) => void>();

  /** Returns a function that takes the listener off again. */
  add(listener: (...event: A) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(...event: A): void {
    for (const listener of this.#listeners) listener(...event);
  }
}
