import type { Row } from './cell.ts';
import type { PlainCondition } from './plain-condition.ts';
import type { Column } from './table.ts';

/** What a route says of its share of a target table that several routes write (`owns`), not yet tied to a table. */
export interface OwnedShare {
  readonly text: string;
  /** Throws a TidelockError where a column is not part of the key, or of a type that does not tell rows apart exactly. */
  bind(place: SharePlace): BoundShare;
}

export interface SharePlace {
  readonly route: string;
  /** The target table, and its columns as mapped. */
  readonly table: string;
  readonly columns: readonly Column[];
  /** Indexes of what identifies a row there. */
  readonly key: readonly number[];
}

/** The share on the rows of one target table. */
export interface BoundShare extends RegisteredShare {
  /** Indexes of the columns that it reads: part of the key. */
  readonly reads: readonly number[];
  /** For servers that do not read the language itself; null where it says more than any could be asked. By the names of the columns. */
  readonly plain: PlainCondition | null;
  /** Null where a cell that it reads is not in the row. */
  isOurs(row: Row): boolean | null;
}

/** A share as it is registered at the target. */
export interface RegisteredShare {
  readonly text: string;
  /** True where no row can be in both; false where one can, or where nobody can tell. */
  isApartFrom(text: string): boolean;
}
