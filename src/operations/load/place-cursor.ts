import type { Place, PlaceRange, StoredPart } from '../../core/table-places.ts';

/** So many rows there may be in a block at most: of the largest block (32 kB), without a byte in them. */
const mostRowsOfBlock = 2_048;

/**
 * Cuts the places of a table into ranges, one behind the other: each place is in exactly one of those that were taken. A range that is too large is
 * cut again, down to the place of a single row.
 */
export class PlaceCursor {
  readonly #parts: readonly StoredPart[];
  #part = 0;
  #from: Place = { block: 0, row: 0 };
  /** Within one block; null while whole blocks are taken. */
  #rows: number | null = null;
  #most: number | null = null;

  /** Parts without a block have no row. */
  constructor(parts: readonly StoredPart[]) {
    this.#parts = parts.filter(({ blocks }) => blocks > 0);
  }

  /** All ranges are taken. */
  get ended(): boolean {
    return this.#part >= this.#parts.length;
  }

  /** As stored and shown: how far it is. */
  get text(): readonly string[] {
    const part = this.#parts[this.#part];
    return part === undefined ? [] : [`${part.schema}.${part.name}`, `(${this.#from.block},${this.#from.row})`];
  }

  /** Of all blocks, those whose rows are taken. */
  get share(): number {
    const all = this.#parts.reduce((sum, { blocks }) => sum + blocks, 0);
    const before = this.#parts.slice(0, this.#part).reduce((sum, { blocks }) => sum + blocks, 0);
    return all === 0 ? 1 : Math.min(1, (before + this.#from.block) / all);
  }

  /** The next range, of so many blocks at most. */
  next(blocks: number): PlaceRange {
    const part = this.#parts[this.#part];
    if (part === undefined) throw new RangeError('no places are left');
    const from = this.#from;
    if (this.#rows !== null) {
      const row = from.row + this.#rows;
      return {
        part,
        from,
        to: row >= mostRowsOfBlock ? this.#block(from.block + 1, part) : { block: from.block, row },
      };
    }
    const most = Math.min(blocks, this.#most ?? blocks);
    return { part, from, to: this.#block(from.block + Math.max(1, Math.floor(most)), part) };
  }

  /** It can't be cut again. */
  isLeast({ from, to }: PlaceRange): boolean {
    if (from.row === mostRowsOfBlock - 1) return true;
    return to !== null && to.block === from.block && to.row === from.row + 1;
  }

  tooLarge({ from, to, part }: PlaceRange): void {
    const blocks = (to?.block ?? part.blocks) - from.block;
    if (this.#rows === null && blocks > 1) {
      this.#most = Math.ceil(blocks / 2);
      return;
    }
    const rows = to !== null && to.block === from.block ? to.row - from.row : mostRowsOfBlock - from.row;
    this.#rows = Math.max(1, Math.ceil(rows / 2));
  }

  /** Its rows go on: the next one is behind it. */
  taken({ to }: PlaceRange): void {
    this.#most = this.#most === null ? null : this.#most * 2;
    if (to === null) {
      this.#part++;
      this.#from = { block: 0, row: 0 };
      this.#rows = null;
      this.#most = null;
      return;
    }
    if (to.block !== this.#from.block) this.#rows = null;
    else if (this.#rows !== null) this.#rows *= 2;
    this.#from = to;
  }

  /** Behind the last block there is nothing: the last range has no end, so that none is left out. */
  #block(block: number, { blocks }: StoredPart): Place | null {
    return block >= blocks ? null : { block, row: 0 };
  }
}
