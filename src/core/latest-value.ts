/** Carries the latest of a series of values to one reader: a slow reader misses steps and never the last one. */
export class LatestValue<T> {
  #value: { readonly of: T } | null = null;
  #closed = false;
  #wake: (() => void) | null = null;

  set(value: T): void {
    this.#value = { of: value };
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *values(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      if (this.#value !== null) {
        const { of } = this.#value;
        this.#value = null;
        yield of;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }
}
