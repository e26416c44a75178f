import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { formatLsn, type Lsn } from '../lsn.ts';
import { overIn } from './snapshot-text.ts';

export interface EarlyTransactionsOptions {
  readonly route: string;
  /** Of the source, before the stream began. */
  readonly snapshot: string;
  /** The end of the source's log, when the start was checked. */
  readonly end: Lsn;
  /** False while somebody has to know of a transaction's end before its rows. */
  isWelcome(): boolean;
  /** Called before the first of them is given out, and where one can't be. */
  onEarly(end: string): void;
}

/**
 * Which transactions are given out before their commit has come (pgoutput sends a large one while it decodes it): those that had ended when the
 * session began, so that their end is in the log right behind, and no open transaction of the source is one at the target.
 *
 * They are parts of one target transaction, and nothing may come between them. Whatever does, another transaction, one that was
 * rolled back, in part or whole, ends the session: the target transaction is rolled back, and the next session has each transaction sent whole, after its commit.
 */
export class EarlyTransactions {
  readonly #options: EarlyTransactionsOptions;
  readonly #isOver: (xid: string) => boolean;
  #isTold = false;

  constructor(options: EarlyTransactionsOptions) {
    this.#options = options;
    this.#isOver = overIn(options.snapshot);
  }

  /** Throws where the transaction must not be given out yet. */
  demand(xid: string): void {
    if (!this.#isOver(xid)) this.refuse(xid, 'it was under way when the session began');
    if (!this.#options.isWelcome()) this.refuse(xid, 'something waits for transactions by their ends');
    this.#tell();
  }

  refuse(xid: string, why: string): never {
    this.#options.onEarly(formatLsn(this.#options.end));
    throw fail(sourceErrors.readWhole, { route: this.#options.route, why: `transaction ${xid}: ${why}` });
  }

  #tell(): void {
    if (!this.#isTold) this.#options.onEarly(formatLsn(this.#options.end));
    this.#isTold = true;
  }
}
