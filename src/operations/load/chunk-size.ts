/** The target waits for a chunk no longer than this, and a table's lock is held no longer. */
const targetMs = 300;
const firstRows = 2_000;
const mostRows = 1_000_000;

/** How many rows are read at once: as many as are read in a while and fit into the memory that a chunk may have. */
export class ChunkSize {
  readonly #maxBytes: number;
  readonly #mostRows: number;
  #rows: number;

  constructor(
    maxBytes: number,
    { first = firstRows, most = mostRows }: { readonly first?: number; readonly most?: number } = {},
  ) {
    this.#maxBytes = maxBytes;
    this.#mostRows = Math.min(most, mostRows);
    this.#rows = Math.min(first, this.#mostRows);
  }

  get rows(): number {
    return this.#rows;
  }

  /** What the last chunk was. */
  measured({ rows, bytes, ms }: { readonly rows: number; readonly bytes: number; readonly ms: number }): void {
    if (rows === 0) return;
    const byTime = (rows * targetMs) / Math.max(ms, 1);
    // Rows of one range are rarely all as large as those of the one before: a little room is left.
    const byBytes = (0.9 * this.#maxBytes * rows) / Math.max(bytes, 1);
    this.#set(Math.min(byTime, byBytes, 4 * this.#rows));
  }

  /** More has changed under it than could be kept. */
  shrink(): void {
    this.#set(this.#rows / 4);
  }

  #set(rows: number): void {
    this.#rows = Math.max(1, Math.min(this.#mostRows, Math.floor(rows)));
  }
}
