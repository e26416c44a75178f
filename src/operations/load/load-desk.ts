import type { Existing } from '../../core/load.ts';

/** A table that a job wants loaded. */
export interface WantedLoad {
  /** Label of the source table. */
  readonly source: string;
  readonly existing: Existing;
  readonly job: number;
}

/**
 * Where jobs and the stream of the same engine meet: a job wants a table loaded for as long as it runs, and the stream, which may begin and end
 * meanwhile, does it beside itself.
 */
export class LoadDesk {
  readonly #wanted = new Map<string, WantedLoad>();
  readonly #failed = new Map<string, unknown>();
  readonly #listeners = new Set<() => void>();

  /** Until the function that it gives is called. */
  want(load: WantedLoad): () => void {
    this.#wanted.set(load.source, load);
    this.#failed.delete(load.source);
    this.#changed();
    return () => {
      this.#wanted.delete(load.source);
      this.#changed();
    };
  }

  get wanted(): readonly WantedLoad[] {
    return [...this.#wanted.values()];
  }

  isWanted(source: string, job: number): boolean {
    return this.#wanted.get(source)?.job === job;
  }

  /** By the stream: it can't be done. */
  fail(source: string, error: unknown): void {
    this.#failed.set(source, error);
    this.#wanted.delete(source);
    this.#changed();
  }

  /** What the load of the table has failed with, once. */
  takeFailure(source: string): unknown {
    const error = this.#failed.get(source) ?? null;
    this.#failed.delete(source);
    return error;
  }

  /** Called at each change. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
