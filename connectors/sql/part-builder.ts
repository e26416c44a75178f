import type { Change } from '../../src/core/change.ts';
import { PackedInserts } from '../../src/core/packed-inserts.ts';
import { PackedPart } from '../../src/core/packed-part.ts';
import { PackedInsert, type PackedRow } from '../../src/core/packed-row.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { Commit, Origin, TransactionPart, Urgency } from '../../src/core/transaction.ts';

const maxPartBytes = 1_000_000;
const maxPartRows = 5_000;
/** The part itself, its list of changes and its commit: of a transaction of one row more than the row. */
const ownBytes = 400;

export interface BuilderMark {
  readonly parts: number;
  readonly changes: number;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Cuts one source transaction into parts. A full part is only given out when the next change comes, so that the last
 * part, the one with the commit, is never without changes: that would be an idle advance.
 */
export class PartBuilder {
  readonly #id: string;
  readonly #emit: (part: TransactionPart) => void;
  #changes: Change[] = [];
  /** All that there is of the part so far, instead of `#changes`. */
  #inserts: PackedInserts | null = null;
  #rows = 0;
  #bytes = 0;
  /** That were given out. */
  #parts = 0;
  origin: Origin = [];
  /** See TransactionPart. */
  replicated = false;
  #unchecked = false;

  constructor(id: string, emit: (part: TransactionPart) => void) {
    this.#id = id;
    this.#emit = emit;
  }

  /** See TransactionPart.unchecked: of what is added from here on. */
  set unchecked(unchecked: boolean) {
    if (this.#unchecked === unchecked) return;
    if (!this.empty) this.#give(null, 'ride');
    this.#unchecked = unchecked;
  }

  get empty(): boolean {
    return this.#changes.length === 0 && this.#inserts === null;
  }

  /** `bytes`: what it takes in memory, which is more than it was on the wire. */
  addRow(change: Change, bytes: number): void {
    this.#cutWhereFull();
    this.#append(change);
    this.#rows++;
    this.#bytes += bytes;
  }

  /** A new row that nobody has looked into. Takes out of `row` what it needs. */
  addInsert(table: TableVersion, row: PackedRow, bytes: number): void {
    this.#cutWhereFull();
    // Of a large transaction only: of few rows a list of their places would take more than they do.
    const isRun = this.#parts > 0 && this.#changes.length === 0 && (this.#inserts?.table ?? table) === table;
    if (isRun) {
      this.#inserts ??= new PackedInserts(table);
      this.#inserts.add(row);
    } else this.#append(new PackedInsert(table, row));
    this.#rows++;
    this.#bytes += bytes;
  }

  add(change: Change, bytes = 256): void {
    this.#cutWhereFull();
    this.#append(change);
    this.#bytes += bytes;
  }

  /** An empty list makes room for 17 with its first entry: most have one. */
  #append(change: Change): void {
    this.#list();
    if (this.#changes.length === 0) this.#changes = [change];
    else this.#changes.push(change);
  }

  /** From here on each change is by itself. */
  #list(): void {
    if (this.#inserts === null) return;
    this.#changes = this.#inserts.changes();
    this.#inserts = null;
  }

  /** What has not been given out yet; not where new rows are kept together (`addInsert`). */
  get pending(): readonly Change[] {
    return this.#changes;
  }

  /** Where the transaction stands: to go back to. */
  get mark(): BuilderMark {
    return {
      parts: this.#parts,
      changes: this.#changes.length + (this.#inserts?.rows ?? 0),
      rows: this.#rows,
      bytes: this.#bytes,
    };
  }

  /** Takes back what came since, and gives it; null where some of it has been given out. */
  rewind(mark: BuilderMark): readonly Change[] | null {
    if (mark.parts !== this.#parts) return null;
    this.#list();
    this.#rows = mark.rows;
    this.#bytes = mark.bytes;
    return this.#changes.splice(mark.changes);
  }

  finish(commit: Commit, urgency: Urgency): void {
    this.#give(commit, urgency);
  }

  #cutWhereFull(): void {
    if (this.#bytes >= maxPartBytes || this.#rows >= maxPartRows) this.#give(null, 'ride');
  }

  #give(commit: Commit | null, urgency: Urgency): void {
    const part = this.#part(commit, urgency);
    this.#changes = [];
    this.#inserts = null;
    this.#rows = 0;
    this.#bytes = 0;
    this.#parts++;
    if (this.replicated || this.#unchecked)
      this.#emit({
        ...part,
        ...(this.replicated && { replicated: true }),
        ...(this.#unchecked && { unchecked: true }),
      });
    else this.#emit(part);
  }

  #part(commit: Commit | null, urgency: Urgency): TransactionPart {
    const [id, origin, rows, bytes] = [this.#id, this.origin, this.#rows, this.#bytes + ownBytes];
    if (this.#inserts !== null) return new PackedPart(this.#inserts, { id, origin, rows, bytes, commit, urgency });
    return { id, origin, changes: fitted(this.#changes), rows, bytes, commit, urgency };
  }
}

/** A list that has grown has room for 17: most transactions are smaller, and wait by the ten thousand. */
function fitted(changes: Change[]): Change[] {
  return changes.length > 1 && changes.length < 12 ? changes.slice() : changes;
}

/** What an idle advance is accounted for: enough that a flood of them is bounded too. */
const idleBytes = 256;

export function idleAdvance(commit: Commit, urgency: Urgency): TransactionPart {
  return { id: '', origin: [], changes: [], rows: 0, bytes: idleBytes, commit, urgency };
}
