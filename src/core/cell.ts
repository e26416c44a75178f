/** The server did not send this value because it did not change (PostgreSQL: an unchanged TOAST value). */
export const UNCHANGED: unique symbol = Symbol('tidelock.unchanged');
/** The value is not part of the logged image (for example a non-key column of an old key). */
export const ABSENT: unique symbol = Symbol('tidelock.absent');

/** Canonical text per logical type, Buffer for binary types, null for SQL NULL. */
export type Cell = string | Buffer | null | typeof UNCHANGED | typeof ABSENT;

/**
 * One row image, in the order of `TableVersion.columns`. The pipeline may replace cells in place before the row
 * reaches the Channel; after that it is read-only.
 */
export type Row = Cell[];
