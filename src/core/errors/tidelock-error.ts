/**
 * What the engine does by itself about an error: `retry` reconnects with back-off and goes on from the checkpoint;
 * `halt` stops the route until a person has acted; `resynchronise` does too, and the data has to be loaded or compared
 * before it goes on; `fenced` gives the route up to the engine that took it; `usage` is for commands only.
 */
export type Recovery = 'retry' | 'halt' | 'resynchronise' | 'fenced' | 'usage';

/** One kind of failure. The catalogue (catalogue/) has all of them; docs/errors.md is generated from it. */
export interface ErrorKind<P extends object = object> {
  /** TL- and four digits: 1xxx configuration and commands, 2xxx target, 3xxx source, 4xxx routes and Supervisor, 5xxx servers. */
  readonly code: string;
  readonly title: string;
  readonly recovery: Recovery;
  /** One clear line with the place: route, table, column, position. Never a row value or a secret. */
  readonly message: (place: P) => string;
  /** What a DBA does now, in the imperative. */
  readonly remedy: (place: P) => string;
  /** For docs/errors.md: when it happens and why the engine refuses to go on. */
  readonly explanation: string;
}

export class TidelockError extends Error {
  override readonly name = 'TidelockError';
  readonly code: string;
  readonly recovery: Recovery;
  readonly remedy: string;
  /** The parameters of the message: for logs, --json and metrics. */
  readonly place: object;

  constructor(kind: ErrorKind, text: { message: string; remedy: string; place: object }, cause?: unknown) {
    super(text.message, cause === undefined ? undefined : { cause });
    this.code = kind.code;
    this.recovery = kind.recovery;
    this.remedy = text.remedy;
    this.place = text.place;
  }

  toJSON(): object {
    return { code: this.code, message: this.message, remedy: this.remedy, recovery: this.recovery, place: this.place };
  }
}

/** Defines a kind with typed parameters. */
export function errorKind<P extends object>(kind: ErrorKind<P>): ErrorKind<P> {
  return kind;
}

/** Makes the error; the caller throws it: `throw fail(sourceErrors.slotLost, { slot })`. */
export function fail<P extends object>(kind: ErrorKind<P>, place: P, cause?: unknown): TidelockError {
  const text = { message: kind.message(place), remedy: kind.remedy(place), place };
  return new TidelockError(kind as unknown as ErrorKind, text, cause);
}
