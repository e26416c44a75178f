import { TargetTime } from './target-time.ts';

/** A table's lock is held at the source no longer than this. */
const readMs = 300;
const firstRows = 2_000;
const mostRows = 1_000_000;

interface Measured {
  readonly rows: number;
  readonly ms: number;
}

/** How many rows are read at once: as many as are read, and applied, in a while, and fit into the memory that a chunk may have. */
export class ChunkSize {
  readonly #maxBytes: number;
  readonly #mostRows: number;
  readonly #time: TargetTime;
  #rows: number;
  /** How long the target takes for a row; null until one knows. */
  #applyMsPerRow: number | null = null;

  constructor(
    maxBytes: number,
    {
      first = firstRows,
      most = mostRows,
      time = new TargetTime(),
    }: { readonly first?: number; readonly most?: number; readonly time?: TargetTime } = {},
  ) {
    this.#time = time;
    this.#maxBytes = maxBytes;
    this.#mostRows = Math.min(most, mostRows);
    this.#rows = Math.min(first, this.#mostRows);
  }

  get rows(): number {
    return this.#rows;
  }

  /** How long the target will be at work on the next chunk, about. */
  get expectedApplyMs(): number {
    return Math.min(this.#time.chunkMs, this.#rows * (this.#applyMsPerRow ?? Number.POSITIVE_INFINITY));
  }

  /** What the last chunk was at the source. */
  measured({ rows, bytes, ms }: Measured & { readonly bytes: number }): void {
    if (rows === 0) return;
    const byTime = (rows * readMs) / Math.max(ms, 1);
    // Rows of one range are rarely all as large as those of the one before: a little room is left.
    const byBytes = (0.9 * this.#maxBytes * rows) / Math.max(bytes, 1);
    this.#set(Math.min(byTime, byBytes, 4 * this.#rows));
  }

  /** What one was at the target. A single slow one, of a checkpoint there, does not make all that follow small. */
  applied({ rows, ms }: Measured): void {
    if (rows === 0) return;
    const now = Math.max(ms, 1) / rows;
    this.#applyMsPerRow = this.#applyMsPerRow === null ? now : (this.#applyMsPerRow + now) / 2;
    this.#set(this.#rows);
  }

  /** More has changed under it than could be kept. */
  shrink(): void {
    this.#set(this.#rows / 4);
  }

  #set(rows: number): void {
    const byApply = this.#applyMsPerRow === null ? rows : this.#time.chunkMs / this.#applyMsPerRow;
    this.#rows = Math.max(1, Math.min(this.#mostRows, Math.floor(Math.min(rows, byApply))));
  }
}
