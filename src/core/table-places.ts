import type { TableName } from './table.ts';

/** Where a row lies in its storage: by block, and within the block. */
export interface Place {
  readonly block: number;
  readonly row: number;
}

/** What rows of a table are stored in: the table itself, or one of its partitions. */
export interface StoredPart extends TableName {
  readonly id: string;
  /** Becomes another one when the rows are written anew (TRUNCATE, VACUUM FULL, CLUSTER, ALTER TABLE): places mean nothing then. */
  readonly storage: string;
  /** Of a moment behind that of the snapshot: there is no row of it in a later one. */
  readonly blocks: number;
}

/** Rows from one place on and before another. Null: to the end. */
export interface PlaceRange {
  readonly part: StoredPart;
  readonly from: Place;
  readonly to: Place | null;
}

export interface PlaceRequest {
  readonly range: PlaceRange;
  /** Names of the columns to read, in this order. */
  readonly columns: readonly string[];
  /** More is not read: the range is too large. */
  readonly maxBytes: number;
  /** All of the range is read, however large it is: it can't be made smaller. */
  readonly isLeast: boolean;
}

/** `tooLarge`: nothing of it is to be had. `moved`: rows have other places by now, or the table another definition. */
export type PlaceRows =
  | {
      readonly kind: 'rows';
      /** As ReadRows.text. */
      readonly text: readonly Buffer[];
      readonly rows: number;
      readonly bytes: number;
    }
  | { readonly kind: 'tooLarge' | 'moved' };
