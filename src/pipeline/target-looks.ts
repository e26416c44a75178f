/**
 * Looks at the target as it is at one place in the stream: everything before it applied, nothing behind it. Applying waits
 * meanwhile, so that a look has to be short.
 */
export class TargetLooks {
  readonly #asked = new Map<string, () => Promise<void>>();

  /** `look` is called, once, where the part that names `id` has been applied; it must not throw. Returns what takes it back. */
  ask(id: string, look: () => Promise<void>): () => void {
    this.#asked.set(id, look);
    return () => this.#asked.delete(id);
  }

  async reached(id: string): Promise<void> {
    const look = this.#asked.get(id);
    this.#asked.delete(id);
    await look?.();
  }
}
