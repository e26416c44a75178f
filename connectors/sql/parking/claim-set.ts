/**
 * A key that a change touches. `exclusive`: it appears, goes or is taken; shared: it only has to go on existing, as
 * what a foreign key points to. A null digest stands for every value of the resource.
 */
export interface Claim {
  /** Kind, table and columns: only claims on the same resource meet. */
  readonly resource: string;
  readonly exclusive: boolean;
  readonly digest: number | null;
}

interface Held {
  readonly exclusive: Set<number>;
  readonly shared: Set<number>;
  /** Every value is claimed. */
  all: 'exclusive' | 'shared' | null;
}

/**
 * Claims in bounded memory: above `limit` digests the resource that has most of them is claimed as a whole, which
 * blocks more than it has to and never less.
 */
export class ClaimSet {
  readonly #limit: number;
  readonly #resources = new Map<string, Held>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Digests that are held. */
  get size(): number {
    return this.#size;
  }

  get empty(): boolean {
    return this.#resources.size === 0;
  }

  /** True where something is claimed of the resource: nothing else has to be looked at. */
  has(resource: string): boolean {
    return this.#resources.has(resource);
  }

  add({ resource, exclusive, digest }: Claim): void {
    const held = this.#held(resource);
    if (digest === null) {
      if (exclusive || held.all === null) held.all = exclusive ? 'exclusive' : 'shared';
      if (held.all === 'exclusive') this.#forgetDigests(held);
      return;
    }
    if (held.all === 'exclusive' || (held.all === 'shared' && !exclusive)) return;
    const digests = exclusive ? held.exclusive : held.shared;
    if (digests.has(digest)) return;
    digests.add(digest);
    if (++this.#size > this.#limit) this.#collapse();
  }

  conflicts({ resource, exclusive, digest }: Claim): boolean {
    const held = this.#resources.get(resource);
    if (held === undefined) return false;
    if (held.all === 'exclusive' || (held.all === 'shared' && exclusive)) return true;
    if (digest === null) return held.exclusive.size > 0 || (exclusive && (held.shared.size > 0 || held.all !== null));
    return held.exclusive.has(digest) || (exclusive && held.shared.has(digest));
  }

  *claims(): Generator<Claim> {
    for (const [resource, { exclusive, shared, all }] of this.#resources) {
      if (all !== null) yield { resource, exclusive: all === 'exclusive', digest: null };
      for (const digest of exclusive) yield { resource, exclusive: true, digest };
      for (const digest of shared) if (!exclusive.has(digest)) yield { resource, exclusive: false, digest };
    }
  }

  clear(): void {
    this.#resources.clear();
    this.#size = 0;
  }

  #held(resource: string): Held {
    let held = this.#resources.get(resource);
    if (held === undefined) {
      held = { exclusive: new Set(), shared: new Set(), all: null };
      this.#resources.set(resource, held);
    }
    return held;
  }

  #collapse(): void {
    let largest: Held | null = null;
    for (const held of this.#resources.values()) if (largest === null || count(held) > count(largest)) largest = held;
    if (largest === null) return;
    largest.all = largest.exclusive.size > 0 || largest.all === 'exclusive' ? 'exclusive' : 'shared';
    this.#forgetDigests(largest);
  }

  #forgetDigests(held: Held): void {
    this.#size -= count(held);
    held.exclusive.clear();
    held.shared.clear();
  }
}

function count({ exclusive, shared }: Held): number {
  return exclusive.size + shared.size;
}
