/** Of a row that waits: its object, its places in lists, and what the server sends around each row. */
const ownBytes = 128;

/**
 * Rows that wait as they came hold the whole chunk of the socket that they lie in, also where most of it was for nobody:
 * other tables, transactions that are not forwarded. Tells what a chunk holds beyond what its rows are accounted for.
 */
export class RetainedBytes {
  #chunk: Buffer | null = null;
  #accounted = 0;

  /** A row of the chunk waits as it came, for which `accounted` bytes were taken. Returns what the chunk before is still owed. */
  add(chunk: Buffer, accounted: number): number {
    if (chunk === this.#chunk) {
      this.#accounted += accounted - ownBytes;
      return 0;
    }
    const owed = this.#chunk === null ? 0 : Math.max(0, this.#chunk.length - this.#accounted);
    this.#chunk = chunk;
    this.#accounted = accounted - ownBytes;
    return owed;
  }
}
