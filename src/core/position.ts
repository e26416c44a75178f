/**
 * A place in a source's change queue, as opaque text (PostgreSQL: an LSN such as `0/1A2B3C8`). Positions are never
 * compared as text; only the connector that made them can tell whether one covers another.
 */
export type Position = string & { readonly __position: unique symbol };

export interface PositionOrder {
  /** True where everything up to and including `b` is also in `a`. */
  covers(a: Position, b: Position): boolean;
  /** Reads text from a user or from stored state. Throws a TidelockError where it is no position. */
  parse(text: string): Position;
  /** How many bytes of the log come before it; null where positions are not places in one log. */
  bytes(position: Position): number | null;
}
