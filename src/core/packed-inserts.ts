import type { InsertChange } from './change.ts';
import { PackedInsert, type PackedRow } from './packed-row.ts';
import type { TableVersion } from './table.ts';

/** Rows that lie in the same bytes. */
export interface PackedPiece {
  readonly bytes: Buffer;
  /** Of each row where it begins, and where it ends: `PackedRow.at` and `PackedRow.end`. */
  readonly places: readonly number[];
  /** Of all of its rows. */
  readonly isAscii: boolean;
}

/**
 * New rows of one table, one behind the other, that nobody has looked into: as many `PackedInsert`, without an object for each. While rows
 * wait for their group all that was made of them lives, and is copied by V8's collector, which is most of what a row of a large insert cost.
 */
export class PackedInserts {
  table: TableVersion;
  readonly #pieces: { bytes: Buffer; places: number[]; isAscii: boolean }[] = [];
  #rows = 0;

  constructor(table: TableVersion) {
    this.table = table;
  }

  get rows(): number {
    return this.#rows;
  }

  get pieces(): readonly PackedPiece[] {
    return this.#pieces;
  }

  /** Takes out of `row` what it needs. */
  add({ bytes, at, end, isAscii }: PackedRow): void {
    let piece = this.#pieces.at(-1);
    if (piece?.bytes !== bytes) {
      piece = { bytes, places: [], isAscii: true };
      this.#pieces.push(piece);
    }
    piece.places.push(at, end);
    piece.isAscii &&= isAscii;
    this.#rows++;
  }

  /** Each row as a change of its own, in their order. */
  changes(): InsertChange[] {
    const changes: InsertChange[] = [];
    for (const { bytes, places, isAscii } of this.#pieces)
      for (let i = 0; i < places.length; i += 2) {
        const [at, end] = [places[i] as number, places[i + 1] as number];
        changes.push(new PackedInsert(this.table, { bytes, at, end, isAscii }));
      }
    return changes;
  }
}
