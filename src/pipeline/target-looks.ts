/** A server that has stopped in the midst of a look must not hold up the route. */
const longestMs = 10_000;

/**
 * Looks at the target as it is at one place in the stream: everything before it applied, nothing behind it. Applying waits
 * meanwhile, so that a look has to be short; one that is not is given up, and the stream goes on.
 */
export class TargetLooks {
  readonly #asked = new Map<string, Look>();
  readonly #longestMs: number;

  constructor(longest: { readonly ms: number } = { ms: longestMs }) {
    this.#longestMs = longest.ms;
  }

  /** `look` is called, once, where the part that names `id` has been applied; it must not throw. Returns what takes it back. */
  ask(id: string, look: Look): () => void {
    this.#asked.set(id, look);
    return () => this.#asked.delete(id);
  }

  async reached(id: string): Promise<void> {
    const look = this.#asked.get(id);
    this.#asked.delete(id);
    if (look === undefined) return;
    const over = new AbortController();
    const givenUp = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      over.abort();
      givenUp.resolve();
    }, this.#longestMs);
    try {
      await Promise.race([look(over.signal), givenUp.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** `over` aborts where it takes too long: from then on it knows nothing of the target, and must not write anything there. */
type Look = (over: AbortSignal) => Promise<void>;
