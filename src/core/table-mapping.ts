import type { Row } from './cell.ts';
import type { CellRule } from './cell-rule.ts';
import type { Expression } from './expression.ts';
import type { OwnedShare } from './owned-share.ts';
import type { Column, TableName } from './table.ts';

/** What becomes of one source table: its target's name, its columns and the transforms, in their order. */
export interface MappedTable {
  readonly target: TableName;
  /** Rows for which it is not true do not travel. */
  readonly where: Expression | null;
  /** The only columns that travel, in names of before the renaming; null for all. */
  readonly includedColumns: readonly string[] | null;
  /** Columns that do not travel. */
  readonly excludedColumns: readonly string[];
  /** Source name to target name. */
  readonly renamedColumns: ReadonlyMap<string, string>;
  /** What identifies a row at the target, in names of before the renaming; null: the source's key. */
  readonly key: readonly string[] | null;
  readonly transforms: readonly ConfiguredTransform[];
  /** Which rows of the target table are the route's; null for all. */
  readonly owns: OwnedShare | null;
  /** Of tables that are loaded beside the stream those with a greater one come first. */
  readonly loadPriority: number;
}

/** The columns of a table's rows at one point of the chain: those of the source, then those that transforms added. */
export interface RowLayout {
  readonly route: string;
  readonly table: string;
  readonly columns: readonly Column[];
  /** Indexes of what identifies a row, as far as that is known: nothing where whole old rows are logged and no key is named. */
  readonly key: readonly number[];
  /** Column index, or an error (halt) that names the column and the nearest there is. */
  indexOf(column: string): number;
}

/** A transform as configured: with its options, not yet bound to a table version. */
export interface ConfiguredTransform {
  readonly name: string;
  /** Columns that it writes or decides by, for people. */
  readonly columns: readonly string[];
  /** It has a value for every row. */
  readonly isTotal?: true;
  /** Of the files that it uses, which are part of the configuration. */
  readonly digest?: string;
  /** What the values depend on and nobody is told. */
  readonly secret?: () => string;
  /** Loads what it needs of files. Called before any `bind`, again at each start. */
  prepare?(): Promise<void>;
  /** Binds it to one table version, once. Throws a TidelockError where it can't work on these columns. */
  bind(layout: RowLayout): BoundTransform;
}

/** What one transform does to rows, or to the operations on them. */
export type BoundTransform = CellTransform | RowTransform | OperationTransform;

/** Each row stays one row. */
export interface CellTransform {
  readonly kind: 'cells';
  /** The layout that it leaves: as it was, with other types perhaps, and with new columns behind. */
  readonly columns: readonly Column[];
  /** All read the row as it was before the transform. */
  readonly rules: readonly CellRule[];
  /** It reads all columns that there are, for want of being told which. */
  readonly readsAll?: boolean;
}

/** A row becomes none, one or several. */
export interface RowTransform {
  readonly kind: 'rows';
  readonly columns: readonly Column[];
  /** How cells behind the old layout, and those that are written, come about: for each row that `spread` makes. */
  readonly lineage: readonly Pick<CellRule, 'index' | 'reads' | 'injective'>[];
  /** The cells that decide how many rows there are and where they go: always in the old image. */
  readonly reads: readonly number[];
  /** Columns that tell the rows of one source row apart: part of the key at the target. */
  readonly key: readonly string[];
  /** Where rows may go. */
  readonly outputs: readonly RowOutput[];
  /** Rows may have no output of their own. */
  readonly goesOn: boolean;
  /** Rows that always have the same slot are the same row in an old and a new image. Makes new arrays. */
  spread(row: Row): readonly SpreadRow[];
  /**
   * All rows that `spread` could make of a row of which some cells are not known (ABSENT): what they decide may be
   * either way. Without it nothing is known of the rows.
   */
  possible?(row: Row): readonly SpreadRow[];
  /** It leaves out rows by what it reads, as a condition does: such rows may be those of others at the target. */
  readonly filters?: boolean;
  /** As of CellTransform. */
  readonly readsAll?: boolean;
}

export interface RowOutput {
  /** Null: where the row went anyway. */
  readonly target: TableName | null;
  /** Columns of the layout that these rows do not have. */
  readonly hidden: readonly string[];
}

export interface SpreadRow {
  readonly slot: string;
  /** Index in `outputs`; null: where the row went anyway, with all its columns. */
  readonly output: number | null;
  readonly row: Row;
}

export type RowOperation = 'insert' | 'update' | 'delete' | 'truncate';

/** Which operations travel, and what a delete does. */
export interface OperationTransform {
  readonly kind: 'operations';
  readonly columns: readonly Column[];
  readonly rules: readonly CellRule[];
  /** Operations that do not travel. */
  readonly dropped: ReadonlySet<RowOperation>;
  /** Rows stay at the target when the source deletes them; `mark`: this column says so. Null: deletes delete. */
  readonly kept: { readonly mark: { readonly index: number; readonly value: string | null } | null } | null;
}
