/** A row can't be taken: it is longer than a row may be. */
export class LongRowError extends Error {
  readonly bytes: number;

  constructor(bytes: number) {
    super('a row is too long');
    this.bytes = bytes;
  }
}
