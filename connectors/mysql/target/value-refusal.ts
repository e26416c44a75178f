/** The server would store another value than the one that it is given, without a word. */
export class ValueRefusal extends Error {
  override readonly name = 'ValueRefusal';
  readonly column: string;

  constructor(column: string, why: string) {
    super(why);
    this.column = column;
  }
}
