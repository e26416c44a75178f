/** What is wrong with an expression before any row is read: its text, its names, or its types. */
export class ExpressionProblem extends Error {
  /** Where in the expression's text, counted from 0 in UTF-16 units. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'ExpressionProblem';
    this.offset = offset;
  }
}

/** An expression that has no value for one row (`division by zero`). The message never holds a value of the row. */
export class ExpressionFailure extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ExpressionFailure';
  }
}
