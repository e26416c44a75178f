import type { Existing } from '../../core/load.ts';

/** A table that a job wants loaded. */
export interface WantedLoad {
  /** Label of the source table. */
  readonly source: string;
  readonly existing: Existing;
  /** Only these rows; null for all. */
  readonly where: string | null;
  readonly job: number;
}

/**
 * Where jobs and the stream of the same engine meet: a job wants a table loaded for as long as it runs, and the stream, which may begin and end
 * meanwhile, does it beside itself.
 */
export class LoadDesk {
  readonly #wanted = new Map<string, WantedLoad>();
  /** By job: a table may have another name by the time that it fails. */
  readonly #failed = new Map<number, unknown>();
  readonly #listeners = new Set<() => void>();

  /** Until its job is over. */
  want(load: WantedLoad): void {
    this.#wanted.set(load.source, load);
    this.#failed.delete(load.job);
    this.#changed();
  }

  over(job: number): void {
    for (const [source, wanted] of this.#wanted) if (wanted.job === job) this.#wanted.delete(source);
    this.#changed();
  }

  /** By the stream: the table has another name from here on. */
  rename(from: string, to: string): void {
    const load = this.#wanted.get(from);
    if (load === undefined) return;
    this.#wanted.delete(from);
    this.#wanted.set(to, { ...load, source: to });
  }

  /** By the stream: there is no such table any more, and its job does without it. */
  drop(source: string): void {
    this.#wanted.delete(source);
  }

  /** By the job: of its loads no others are wanted any more. */
  keep(job: number, sources: readonly string[]): void {
    for (const [source, wanted] of this.#wanted)
      if (wanted.job === job && !sources.includes(source)) this.#wanted.delete(source);
  }

  get wanted(): readonly WantedLoad[] {
    return [...this.#wanted.values()];
  }

  isWanted(source: string, job: number): boolean {
    return this.#wanted.get(source)?.job === job;
  }

  /** By the stream: it can't be done. */
  fail(source: string, error: unknown): void {
    const load = this.#wanted.get(source);
    if (load === undefined) return;
    this.#failed.set(load.job, error);
    this.#wanted.delete(source);
    this.#changed();
  }

  /** What a load of the job has failed with, once. */
  takeFailure(job: number): unknown {
    const error = this.#failed.get(job) ?? null;
    this.#failed.delete(job);
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
