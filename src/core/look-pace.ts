/** No more than a fiftieth of the time goes into a look that takes the longer the more there is to see. */
const share = 50;

/** One that had to wait for a busy machine, or was the first of its session, does not tell how long a look takes. */
const counted = 3;

/** Says when something is looked at again. A single slow look puts the next one off no more than a quick one does. */
export class LookPace {
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #tookMs: number[] = [];
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, now: () => number = () => performance.now()) {
    this.#everyMs = everyMs;
    this.#now = now;
  }

  /** Looks if it is time to. What fails is due again at once. */
  async look(work: () => Promise<void>): Promise<void> {
    const beganMs = this.#now();
    if (beganMs < this.#dueMs) return;
    await work();
    this.#tookMs.push(this.#now() - beganMs);
    if (this.#tookMs.length > counted) this.#tookMs.shift();
    const leastMs = this.#tookMs.length < counted ? 0 : Math.min(...this.#tookMs);
    this.#dueMs = beganMs + Math.max(this.#everyMs, leastMs * share);
  }
}
