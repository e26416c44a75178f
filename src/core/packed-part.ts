import type { Change } from './change.ts';
import type { PackedInserts } from './packed-inserts.ts';
import type { Commit, Origin, TransactionPart, Urgency } from './transaction.ts';

/**
 * A part of nothing but new rows of one table that nobody has looked into. Whoever asks for its changes gets a list that is the part's own from
 * then on, and the rows in bytes are forgotten: what is done to the list, or to a change in it, is never missed. Those who are on the way of every row
 * ask `packedInserts` first.
 */
export class PackedPart implements TransactionPart {
  /**
   * A property of each part's own: `{ ...part }` has the list, and nothing of the bytes. But the getter is one for all of them. With one for each part
   * V8 takes each for an object of another shape: it reads them as it reads a Map, and throws away what it has compiled for parts.
   */
  static readonly #changesOfPart: PropertyDescriptor & ThisType<PackedPart> = {
    enumerable: true,
    get() {
      return this.#list();
    },
  };
  readonly id: string;
  readonly origin: Origin;
  declare readonly changes: Change[];
  readonly rows: number;
  readonly bytes: number;
  readonly commit: Commit | null;
  readonly urgency: Urgency;
  #inserts: PackedInserts | null;
  #changes: Change[] | null = null;

  constructor(inserts: PackedInserts, part: Omit<TransactionPart, 'changes'>) {
    this.id = part.id;
    this.origin = part.origin;
    Object.defineProperty(this, 'changes', PackedPart.#changesOfPart);
    this.rows = part.rows;
    this.bytes = part.bytes;
    this.commit = part.commit;
    this.urgency = part.urgency;
    this.#inserts = inserts;
  }

  static inserts(part: object): PackedInserts | null {
    return part instanceof PackedPart ? part.#inserts : null;
  }

  #list(): Change[] {
    if (this.#changes === null) {
      this.#changes = this.#inserts?.changes() ?? [];
      this.#inserts = null;
    }
    return this.#changes;
  }
}

/** All that the part holds, where that is rows that nobody has looked into; null where its changes tell. */
export function packedInserts(part: Pick<TransactionPart, 'changes'>): PackedInserts | null {
  return PackedPart.inserts(part);
}
