import type { TransactionPart } from '../../../src/core/transaction.ts';
import { cutAtEvolutions, hasEvolutions } from './evolutions.ts';

/** What was given to be applied and is not yet, in order. Definitions to be followed are cut out as parts of their own. */
export class IncomingParts {
  #parts: TransactionPart[] = [];
  #rows = 0;
  #bytes = 0;
  /** Pieces of a part that was cut, without its last. */
  readonly #pieces = new Set<TransactionPart>();

  constructor(parts: readonly TransactionPart[]) {
    this.add(parts);
  }

  get parts(): readonly TransactionPart[] {
    return this.#parts;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(given: readonly TransactionPart[]): void {
    for (const part of given) {
      if (!hasEvolutions(part)) this.#push(part);
      else {
        const pieces = cutAtEvolutions(part);
        for (const piece of pieces) this.#push(piece);
        for (const piece of pieces.slice(0, -1)) this.#pieces.add(piece);
      }
    }
  }

  /** Takes out so many from the front. Returns how many of those that were given have ended with them. */
  drop(count: number): number {
    let ended = 0;
    for (const part of this.#parts.splice(0, count)) {
      this.#rows -= part.rows;
      this.#bytes -= part.bytes;
      if (!this.#pieces.delete(part)) ended++;
    }
    return ended;
  }

  #push(part: TransactionPart): void {
    this.#parts.push(part);
    this.#rows += part.rows;
    this.#bytes += part.bytes;
  }
}
