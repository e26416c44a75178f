import { ABSENT, type Cell, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import type { TablePlan } from './table-plan.ts';

/** Where a change stands, for messages. */
export interface ChangePlace {
  readonly route: string;
  readonly table: string;
  readonly position: string;
  readonly change: string;
}

/** A row has taken the key of another one that the source has not taken away yet. */
export interface Contested {
  readonly plan: TablePlan;
  /** The row that the target has under the key, as the source has told it. */
  readonly now: Row;
  /** The change that has taken the key. */
  readonly taken: ChangePlace;
}

/** What an entry holds in memory beside its row, about. */
const overheadBytes = 200;

/**
 * Keys that the target alone has, or the source checks at the end of a transaction only, and that a row has taken from another one by the route's rule. The
 * row that was there is gone; its own change, which finds the new one, has to be told from those of the new one. Empty at each commit.
 */
export class ContestedKeys {
  #keys = new Map<string, Contested>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Any of this table. */
  has({ label }: TablePlan): boolean {
    for (const { plan } of this.#keys.values()) if (plan.label === label) return true;
    return false;
  }

  of(plan: TablePlan, key: string): Contested | null {
    return this.#keys.get(nameOf(plan, key)) ?? null;
  }

  /** False where the rows would be more than memory allows: the transaction can't go on. */
  put(key: string, contested: Contested): boolean {
    this.remove(contested.plan, key);
    this.#keys.set(nameOf(contested.plan, key), contested);
    this.#bytes += bytesOf(contested.now);
    return this.#bytes <= this.#limitBytes;
  }

  remove(plan: TablePlan, key: string): void {
    const before = this.#keys.get(nameOf(plan, key));
    if (before === undefined) return;
    this.#keys.delete(nameOf(plan, key));
    this.#bytes -= bytesOf(before.now);
  }

  /** Of a table that was emptied. */
  forget({ label }: TablePlan): void {
    for (const [name, { plan, now }] of this.#keys) {
      if (plan.label !== label) continue;
      this.#keys.delete(name);
      this.#bytes -= bytesOf(now);
    }
  }

  takeAll(): readonly Contested[] {
    const all = [...this.#keys.values()];
    this.#keys.clear();
    this.#bytes = 0;
    return all;
  }

  /** For `restore`, where what comes now is rolled back. */
  get state(): unknown {
    return { keys: new Map(this.#keys), bytes: this.#bytes } satisfies State;
  }

  restore(state: unknown): void {
    const { keys, bytes } = state as State;
    this.#keys = keys;
    this.#bytes = bytes;
  }
}

interface State {
  readonly keys: Map<string, Contested>;
  readonly bytes: number;
}

function nameOf({ label }: TablePlan, key: string): string {
  return `${label}\0${key}`;
}

/** Whether an old image is of the row. `unsure` where only documents differ, which may have been put together from parts. */
export function isImageOf({ columns, source }: TablePlan, image: Row, row: Row): boolean | 'unsure' {
  const others = columns.filter(({ index }) => {
    const cell = image[index] ?? null;
    return cell !== ABSENT && cell !== UNCHANGED && !isSame(cell, row[index]);
  });
  if (others.length === 0) return true;
  return others.every(({ index }) => source.columns[index]?.type === 'json') && 'unsure';
}

function isSame(cell: Cell, other: Cell | undefined): boolean {
  return cell === other || (Buffer.isBuffer(cell) && Buffer.isBuffer(other) && cell.equals(other));
}

/** What an update makes of a row: cells that it does not carry stay. */
export function over(before: Row, after: Row): Row {
  return after.includes(UNCHANGED) ? after.map((cell, i) => (cell === UNCHANGED ? (before[i] ?? cell) : cell)) : after;
}

function bytesOf(row: Row): number {
  let bytes = overheadBytes;
  for (const cell of row) if (typeof cell === 'string' || Buffer.isBuffer(cell)) bytes += cell.length;
  return bytes;
}
