/** Changes of the stream were applied so lately that more of them are likely to come. */
const busyMs = 2_000;

interface Shares {
  /** One chunk. */
  readonly chunkMs: number;
  /**
   * All that is under way. Of two chunks one is applied while the other is read, so that the target has always something to do.
   */
  readonly underWayMs: number;
}

const idle: Shares = { chunkMs: 180, underWayMs: 400 };
/** Most changes wait for what is under way; on a busy machine that takes twice or three times as long as the chunks before it. */
const busy: Shares = { chunkMs: 90, underWayMs: 200 };

/** How long the target may be at work on what a route's loads bring, while changes of the stream wait behind it. Where none come, longer: larger chunks cost less. */
export class TargetTime {
  readonly #nowMs: () => number;
  #changedAtMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Changes of the stream were applied. */
  changed(): void {
    this.#changedAtMs = this.#nowMs();
  }

  get chunkMs(): number {
    return this.#shares.chunkMs;
  }

  get underWayMs(): number {
    return this.#shares.underWayMs;
  }

  get #shares(): Shares {
    return this.#nowMs() - this.#changedAtMs < busyMs ? busy : idle;
  }
}
