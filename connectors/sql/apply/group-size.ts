import type { GroupLimits } from './group.ts';

/** Times `rows`, at most. */
const mostGrowth = 8;

/** A group that takes longer holds its locks for long, and a stop waits for it. */
const mostMs = 1_000;

/**
 * How large a group may be. Each costs what its rows don't: the round trip of its COMMIT, a statement for each table and
 * operation, the commit itself. So while rows wait, groups grow, as long as they are quick; a route that keeps up has small ones by itself.
 */
export class GroupSize {
  readonly #least: GroupLimits;
  #growth = 1;

  /** `rows` of a group while nothing is known; `bytes` stay the limit however many rows there may be. */
  constructor(least: GroupLimits) {
    this.#least = least;
  }

  get limits(): GroupLimits {
    return { rows: this.#least.rows * this.#growth, bytes: this.#least.bytes };
  }

  /** A group took so long, and so many rows wait behind it. */
  applied(tookMs: number, waitingRows: number): void {
    if (waitingRows < this.#least.rows) this.#growth = 1;
    else if (tookMs > mostMs) this.#growth = Math.max(1, this.#growth / 2);
    else if (tookMs <= mostMs / 2 && waitingRows >= this.limits.rows)
      this.#growth = Math.min(mostGrowth, this.#growth * 2);
  }

  /** A group did not go through as a whole: a larger one would be more to do again. */
  replayed(): void {
    this.#growth = 1;
  }
}
