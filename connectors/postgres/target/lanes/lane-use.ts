/** So many groups in a row that touch keys of the one before are reason to look less often. */
const mostMet = 8;

const firstRest = 4;
const longestRest = 256;

/** Of so many that were carried out beside others none had to be begun again: what was is forgotten. */
const wellGroups = 32;

/**
 * Whether it is worth while to look what groups touch, and to carry them out beside each other. Where all change the same few rows, or where one
 * had to be begun again since it met another in a way that could not be told before, nothing is gained: then they go one behind the other for a
 * while, and each time for longer.
 */
export class LaneUse {
  #rest = 0;
  #nextRest = firstRest;
  #met = 0;
  #well = 0;

  /** Asked once for each group. */
  isWorthwhile(): boolean {
    if (this.#rest === 0) return true;
    this.#rest--;
    return false;
  }

  /** It goes beside others. */
  beside(): void {
    this.#met = 0;
    if (++this.#well < wellGroups) return;
    this.#well = 0;
    this.#nextRest = firstRest;
  }

  /** It touches what the one before it does. */
  met(): void {
    if (++this.#met >= mostMet) this.#pause();
  }

  /** Something had to be begun again because of others beside it. */
  disturbed(): void {
    this.#pause();
  }

  #pause(): void {
    this.#rest = this.#nextRest;
    this.#nextRest = Math.min(longestRest, this.#nextRest * 2);
    this.#met = 0;
    this.#well = 0;
  }
}
