import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';

/** XA transactions between their prepare and their decision, with the parts that they hold back. */
export class PreparedTransactions<T> {
  readonly #route: string;
  readonly #maxBytes: number;
  readonly #account: (bytes: number) => void;
  readonly #transactions = new Map<string, { readonly transaction: T | 'passed'; readonly bytes: number }>();
  #bytes = 0;

  constructor(route: string, maxBytes: number, account: (bytes: number) => void) {
    this.#route = route;
    this.#maxBytes = maxBytes;
    this.#account = account;
  }

  /** A part of a transaction that will be prepared. */
  hold(parts: TransactionPart[], part: TransactionPart, position: string): void {
    parts.push(part);
    this.#take(part.bytes, position);
  }

  #take(bytes: number, position: string): void {
    this.#bytes += bytes;
    this.#account(bytes);
    if (this.#bytes <= this.#maxBytes) return;
    const why = `prepared transactions hold ${this.#bytes} bytes, and may hold ${this.#maxBytes} (apply.memory)`;
    throw fail(sourceErrors.preparedTransaction, { route: this.#route, position, why });
  }

  /** Gives parts out: from here on they are accounted elsewhere, or not needed. */
  release(parts: TransactionPart[]): readonly TransactionPart[] {
    const released = parts.splice(0);
    this.#giveBack(released.reduce((sum, part) => sum + part.bytes, 0));
    return released;
  }

  #giveBack(bytes: number): void {
    this.#bytes -= bytes;
    this.#account(-bytes);
  }

  /** `bytes`: of what is in none of its parts yet. */
  add(xid: string, transaction: T, { bytes, position }: { readonly bytes: number; readonly position: string }): void {
    this.#transactions.set(xid, { transaction, bytes });
    this.#take(bytes, position);
  }

  /** One that has nothing for the route. */
  passOver(xid: string): void {
    this.#transactions.set(xid, { transaction: 'passed', bytes: 0 });
  }

  /** Null for one whose prepare has not come by. */
  take(xid: string): T | 'passed' | null {
    const found = this.#transactions.get(xid) ?? null;
    this.#transactions.delete(xid);
    if (found !== null) this.#giveBack(found.bytes);
    return found?.transaction ?? null;
  }

  close(): void {
    this.#account(-this.#bytes);
    this.#bytes = 0;
    this.#transactions.clear();
  }
}
