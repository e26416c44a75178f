import type { Cell, Row } from './cell.ts';
import type { PlainCondition } from './plain-condition.ts';
import type { TableName } from './table.ts';

/** One column of a unique key, as a side has it. */
export interface SideKeyColumn {
  readonly name: string;
  /** Sides that say the same order these columns in the same way, whatever the values; null: nobody can tell. */
  readonly order: string | null;
}

export interface SideColumn {
  readonly name: string;
  /** Without domains: qualified name and modifier, -1 where there is none. */
  readonly type: string;
  readonly modifier: number;
  /** Texts of its values that are the same for equal values whatever the database, and that this one can compute. None: the engine has to. */
  readonly canonicalTexts?: readonly CanonicalText[];
}

/**
 * A value's text, as connectors/mysql/compare/canonical-text.ts defines it for all vendors; `bits` with their number. How it goes into a row's hash is in row-hash.ts
 * beside it: text and bytes with their length in front, the others as they are.
 */
export type CanonicalText =
  | 'number'
  | 'text'
  | 'bytes'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | `bits ${number}`;

/** A table as one side has it, for a compare. */
export interface SideTable extends TableName {
  readonly columns: readonly SideColumn[];
  /** Unique, without NULL, each by an index; the primary key first. */
  readonly keys: readonly (readonly SideKeyColumn[])[];
  /** As the server's statistics have it. */
  readonly estimatedRows: number;
}

/** Values of the columns of a key, in a text that equal values have in common. */
export type RowKey = readonly string[];

/** Of keys in their order: those after the one, up to and including the other. */
export interface KeyRange {
  readonly after: RowKey | null;
  readonly to: RowKey | null;
}

export interface ComparedColumn {
  /** At this side. */
  readonly name: string;
  /** `text`: as it is written; `number`: by value, whatever zeros stand behind the point. */
  readonly form: 'text' | 'number';
  /** Between vendors, where the databases compute the hashes: what of it is hashed. At all columns of a shape, or at none. */
  readonly canonical?: CanonicalText;
}

/** What is compared of a table, in the names of one side. Columns are in the same order at both. */
export interface ComparedShape {
  readonly table: TableName;
  /** Names of `columns`. */
  readonly key: readonly string[];
  readonly columns: readonly ComparedColumn[];
  /** Only rows for which it is true: SQL of this side. */
  readonly condition: string | null;
}

export interface SideCondition {
  readonly table: TableName;
  readonly text: string;
  /** Null where it says more than any database could be asked. */
  readonly plain: PlainCondition | null;
  /** Names of its columns here; those that are missing are called the same. */
  readonly names: ReadonlyMap<string, string>;
}

/** How rows become numbers: one that both sides have. */
export interface RowHash {
  readonly kind: 'server' | 'portable';
  /** Another one for each compare, so that what one has missed by chance the next does not. */
  readonly seed: string;
}

/** Equal for equal sets of rows; for others with a probability of 2^-64. */
export interface RangeDigest {
  readonly rows: number;
  /** The sum of the rows' hashes, in decimal. */
  readonly sum: string;
}

export interface ListedRow {
  readonly key: RowKey;
  readonly hash: string;
  /** Where it was asked for. */
  readonly place?: RowPlace;
}

/** What a row is called at its side until somebody writes it: no row that differs from it in any column is. Rows that are alike may share it. */
export type RowPlace = string;

/** Buckets 0 and up of so many. */
export interface BucketChoice {
  readonly chosen: readonly number[];
  readonly buckets: number;
  /** Rows are listed with their places. Only of sides that have CompareSide.placed. */
  readonly places?: boolean;
}

export interface GivenRows {
  readonly rows: readonly Row[];
  readonly buckets: number;
}

export interface GivenRow extends ListedRow {
  readonly bucket: number;
}

/** A row as compared: the texts of the columns of the shape. */
export type ComparedRow = readonly (string | null)[];

/**
 * One side of a compare, on sessions of its own. Reads only what is committed, each call as of its own moment. All
 * methods throw TidelockErrors, and where the signal that it was opened with aborts.
 */
export interface CompareSide {
  /** Those that are there. */
  tables(names: readonly TableName[]): Promise<readonly SideTable[]>;
  /** A condition of the route's language in SQL of this side. Throws (usage) where it can't be said exactly. Of a table that was asked for. */
  condition(condition: SideCondition): Promise<string>;
  /** Sides that answer the same have the same `server` hash. */
  probe(seed: string): Promise<string>;
  digest(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<RangeDigest>;
  /** The key of the row that ends the next `rows` rows of the range; null where there are not so many. */
  boundary(shape: ComparedShape, range: KeyRange, rows: number): Promise<RowKey | null>;
  /** Least and greatest value of a key of one column; null where there is no row. */
  ends(shape: ComparedShape): Promise<{ readonly first: string; readonly last: string } | null>;
  /** The keys of every `every`th row of the range, in order. */
  boundaries(shape: ComparedShape, range: KeyRange, every: number): Promise<readonly RowKey[]>;
  list(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<readonly ListedRow[]>;
  /** Of all rows, by the bucket that their key, or where there is none the row itself, falls into; empty ones are missing. */
  bucketDigests(shape: ComparedShape, hash: RowHash, buckets: number): Promise<ReadonlyMap<number, RangeDigest>>;
  /** The rows of some of these buckets. Where there is no key, their keys are empty. */
  listBuckets(shape: ComparedShape, hash: RowHash, buckets: BucketChoice): Promise<readonly ListedRow[]>;
  /** Rows with these keys; those that are not there are missing. By the key's texts, see `keyText`. */
  rows(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, ComparedRow>>;
  /**
   * Of rows with these keys, what changes with each write of the row, even one that leaves it as it is; by the key's texts. Those that are
   * not there are missing.
   */
  versions(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, string>>;
  /** Whole rows of a table in a range of keys, for a route's transforms, in batches. `places`: behind their cells. */
  read(
    shape: ComparedShape,
    columns: readonly string[],
    range: KeyRange & { readonly places?: boolean },
  ): AsyncIterable<readonly Row[]>;
  /**
   * The rows at these places, as ComparedRows or with cells as `read` gives them; those that somebody has written since are missing. Sides that can't
   * tell rows apart by their places lack it.
   */
  placed?(
    shape: ComparedShape,
    places: readonly RowPlace[],
    as: 'compared' | 'read',
  ): Promise<ReadonlyMap<RowPlace, readonly Cell[]>>;
  /** What rows would be here, if the table held them, in their order: cells in the order of the shape's columns. */
  listGiven(shape: ComparedShape, hash: RowHash, given: GivenRows): Promise<readonly GivenRow[]>;
  /** As `rows`, of rows that are given as in `listGiven`. */
  rowsGiven(shape: ComparedShape, rows: readonly Row[]): Promise<ReadonlyMap<string, ComparedRow>>;
  /**
   * The same side as it is now, or in an exported snapshot, for whatever is asked of what is returned until that is closed: one call
   * after the other. The table can't be written anew meanwhile.
   */
  frozen(table: TableName, snapshot: string | null): Promise<CompareSide>;
  close(): Promise<void>;
}

/** One text for a key: no two keys have the same. */
export function keyText(key: RowKey): string {
  return JSON.stringify(key);
}
