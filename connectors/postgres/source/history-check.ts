import type { StartPoint } from '../../../src/core/collector.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { formatLsn, type Lsn, parseLsn } from '../lsn.ts';

/**
 * Tells whether the queue still holds the history that the checkpoint was made with. The stream starts at the slot's
 * confirmed position, which lies at or before the checkpoint, so what was applied and not yet acknowledged comes once
 * more. The last applied transaction must be among it, with the same end and id: a source that was restored from an
 * older copy and has gone on on the same timeline has something else there, and nothing but this would show it.
 */
export class HistoryCheck {
  readonly #route: string;
  readonly #checkpoint: Lsn;
  #expected: { readonly endLsn: Lsn; readonly id: string } | null = null;

  constructor(route: string, start: StartPoint, confirmed: Lsn) {
    this.#route = route;
    this.#checkpoint = parseLsn(start.position);
    if (start.lastCommit === null) return;
    const endLsn = parseLsn(start.lastCommit.position);
    if (endLsn > confirmed && endLsn <= this.#checkpoint) this.#expected = { endLsn, id: start.lastCommit.id };
  }

  /** At each commit of the queue, also one that was applied before the restart. */
  commit(endLsn: Lsn, id: string): void {
    if (this.#expected === null) return;
    if (endLsn === this.#expected.endLsn && id === this.#expected.id) this.#expected = null;
    else if (endLsn >= this.#expected.endLsn) throw this.#differs(`transaction ${id} ending at ${formatLsn(endLsn)}`);
  }

  /** When the server says that it has sent everything up to `lsn`, or begins a transaction that was not applied yet. */
  passed(lsn: Lsn): void {
    if (this.#expected !== null && lsn >= this.#expected.endLsn) throw this.#differs('no such transaction');
  }

  /** A commit record that lies across the checkpoint: the checkpoint is no boundary of this history. */
  across(endLsn: Lsn, id: string): never {
    throw this.#differs(`transaction ${id} ending at ${formatLsn(endLsn)}, across it`);
  }

  #differs(found: string): Error {
    const expected = this.#expected;
    return fail(sourceErrors.historyDiffers, {
      route: this.#route,
      checkpoint: formatLsn(this.#checkpoint),
      expected: expected
        ? `transaction ${expected.id} ending at ${formatLsn(expected.endLsn)}`
        : 'the end of a transaction',
      found,
    });
  }
}
