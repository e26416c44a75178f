import type { RowKey } from '../../../sql/apply/row-key.ts';

/** Of one group. More are not kept: whatever comes next is taken for a change of the same. */
const mostKeys = 50_000;

/**
 * The keys that the changes of a group touch, old and new: rows and unique values, of which a change of each is in the way of every other; and
 * the keys that rows point to, which may do so beside each other and not beside the coming or going of that key.
 */
export class TouchedKeys {
  readonly #taken = new Map<string, Set<RowKey>>();
  readonly #needed = new Map<string, Set<RowKey>>();
  /** What names the rows of a table, of each table. */
  readonly #named = new Map<string, string>();
  #size = 0;

  /** Keys that are held. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size > mostKeys;
  }

  /** False where rows of the table are named in another way, too: such keys can't be compared. */
  names(table: string, columns: string): boolean {
    const known = this.#named.get(table);
    if (known === undefined) this.#named.set(table, columns);
    return known === undefined || known === columns;
  }

  take(resource: string, key: RowKey): void {
    this.#add(this.#taken, resource, key);
  }

  need(resource: string, key: RowKey): void {
    this.#add(this.#needed, resource, key);
  }

  /** True where one of the two groups must not be carried out before the other has ended. */
  meets(earlier: TouchedKeys): boolean {
    for (const [table, columns] of this.#named) if ((earlier.#named.get(table) ?? columns) !== columns) return true;
    return (
      meet(this.#taken, earlier.#taken) || meet(this.#taken, earlier.#needed) || meet(this.#needed, earlier.#taken)
    );
  }

  #add(to: Map<string, Set<RowKey>>, resource: string, key: RowKey): void {
    let keys = to.get(resource);
    if (keys === undefined) {
      keys = new Set();
      to.set(resource, keys);
    }
    const before = keys.size;
    keys.add(key);
    this.#size += keys.size - before;
  }
}

function meet(some: ReadonlyMap<string, Set<RowKey>>, others: ReadonlyMap<string, Set<RowKey>>): boolean {
  for (const [resource, keys] of some) {
    const there = others.get(resource);
    if (there === undefined) continue;
    const [fewer, more] = keys.size < there.size ? [keys, there] : [there, keys];
    for (const key of fewer) if (more.has(key)) return true;
  }
  return false;
}
