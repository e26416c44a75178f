import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';

/** XA transactions between their prepare and their decision, with the parts that they hold back. */
export class PreparedTransactions<T> {
  readonly #route: string;
  readonly #maxBytes: number;
  readonly #account: (bytes: number) => void;
  readonly #transactions = new Map<string, T | 'passed'>();
  #bytes = 0;

  constructor(route: string, maxBytes: number, account: (bytes: number) => void) {
    this.#route = route;
    this.#maxBytes = maxBytes;
    this.#account = account;
  }

  /** A part of a transaction that will be prepared. */
  hold(parts: TransactionPart[], part: TransactionPart, position: string): void {
    parts.push(part);
    this.#bytes += part.bytes;
    this.#account(part.bytes);
    if (this.#bytes <= this.#maxBytes) return;
    const why = `prepared transactions hold ${this.#bytes} bytes, and may hold ${this.#maxBytes} (apply.memory)`;
    throw fail(sourceErrors.preparedTransaction, { route: this.#route, position, why });
  }

  /** Gives parts out: from here on they are accounted elsewhere, or not needed. */
  release(parts: TransactionPart[]): readonly TransactionPart[] {
    const released = parts.splice(0);
    const bytes = released.reduce((sum, part) => sum + part.bytes, 0);
    this.#bytes -= bytes;
    this.#account(-bytes);
    return released;
  }

  add(xid: string, transaction: T): void {
    this.#transactions.set(xid, transaction);
  }

  /** One that has nothing for the route. */
  passOver(xid: string): void {
    this.#transactions.set(xid, 'passed');
  }

  /** Null for one whose prepare has not come by. */
  take(xid: string): T | 'passed' | null {
    const found = this.#transactions.get(xid) ?? null;
    this.#transactions.delete(xid);
    return found;
  }

  close(): void {
    this.#account(-this.#bytes);
    this.#bytes = 0;
    this.#transactions.clear();
  }
}
