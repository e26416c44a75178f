import { unknownName } from './unknown-name.ts';

/**
 * Names are known at once, values are made when they are first asked for: a command that is about one route must not
 * fail because a variable that only another one needs is not set.
 */
export class LazyMap<T> implements ReadonlyMap<string, T> {
  readonly #names: ReadonlySet<string>;
  readonly #make: (name: string) => T;
  readonly #made = new Map<string, T>();

  constructor(names: Iterable<string>, make: (name: string) => T) {
    this.#names = new Set(names);
    this.#make = make;
  }

  get size(): number {
    return this.#names.size;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  get(name: string): T | undefined {
    if (!this.#names.has(name)) return undefined;
    const existing = this.#made.get(name);
    if (existing !== undefined) return existing;
    const value = this.#make(name);
    this.#made.set(name, value);
    return value;
  }

  /** The value of a name that has to be there; `what` is route or node. */
  demand(name: string, what: string): T {
    const value = this.get(name);
    if (value === undefined) throw unknownName(what, name, [...this.#names]);
    return value;
  }

  keys(): MapIterator<string> {
    return this.#names.keys();
  }

  *entries(): MapIterator<[string, T]> {
    for (const name of this.#names) yield [name, this.demand(name, 'entry')];
  }

  *values(): MapIterator<T> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, T]> {
    return this.entries();
  }

  forEach(callback: (value: T, name: string, map: ReadonlyMap<string, T>) => void): void {
    for (const [name, value] of this) callback(value, name, this);
  }
}
