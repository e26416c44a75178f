import type { Row } from '../../core/cell.ts';
import type { CellRule } from '../../core/cell-rule.ts';
import type { BoundExpression } from '../../core/expression.ts';
import type { BoundShare } from '../../core/owned-share.ts';
import type { TableVersion } from '../../core/table.ts';
import type { OperationTransform, RowOperation, RowTransform } from '../../core/table-mapping.ts';
import type { Lineage } from './lineage.ts';
import type { MixedValues } from './mixed-values.ts';

/** One target table of a source table. */
export interface Output {
  readonly table: TableVersion;
  /** The cells of the chain's last row that travel, null where all do in their order. */
  readonly projection: readonly number[] | null;
  /** Of the mapped row's cells. */
  readonly lineage: readonly Lineage[];
  /** Target's names of the source's generated columns, by the source's. */
  readonly generated: ReadonlyMap<string, string>;
  /** Indexes of the key in the mapped row; empty where only the whole row tells. */
  readonly key: readonly number[];
  /** Indexes of what tells apart the rows that transforms have made of one; -1 of what does not travel. */
  readonly apart: readonly number[];
  /** Columns of the source's unique index by which its rows are told apart here, where they stay and the queue does not tell it. */
  readonly toldApartBy: readonly string[] | null;
  /** Which rows of the table are the route's; null for all. */
  readonly owns: BoundShare | null;
}

export type Step =
  | { readonly kind: 'cells'; readonly name: string; readonly rules: readonly CellRule[] }
  | { readonly kind: 'filter'; readonly name: string; readonly condition: BoundExpression }
  | {
      readonly kind: 'rows';
      readonly name: string;
      readonly spread: RowTransform['spread'];
      readonly possible: RowTransform['possible'];
      readonly filters: boolean;
      /** Cells that decide how many rows there are and where they go. */
      readonly reads: readonly number[];
      /** Cells that its rows' values are made of. */
      readonly makesOf: readonly number[];
      /** By index of the output that a row had, and of the transform's own: the output that it has then. */
      readonly outputs: ReadonlyMap<number, readonly number[]>;
    };

/** One version of a source table, bound to what becomes of its rows. */
export interface TableBinding {
  readonly source: TableVersion;
  /** By the ways that rows can go, the first without a choice. Two of the same table are one object. */
  readonly outputs: readonly [Output, ...Output[]];
  /** The target tables, each once. */
  readonly tables: readonly [TableVersion, ...TableVersion[]];
  readonly steps: readonly Step[];
  /** Where the cells of the chain's last row come from. */
  readonly lineage: readonly Lineage[];
  /** Some rows may have no value: what is to be mapped is kept as it came until it is. */
  readonly canFail: boolean;
  /** A row may become none or several, or go to several tables. */
  readonly reshapes: boolean;
  /** Source cells that are taken from the old image where they are UNCHANGED in the new one. */
  readonly fill: readonly number[];
  readonly mixed: readonly MixedValues[];
  /** Names of transforms that read all columns, for want of being told which. */
  readonly readsAll: readonly string[];
  readonly dropped: ReadonlySet<RowOperation>;
  readonly kept: OperationTransform['kept'];
}

export interface MappedRow {
  readonly slot: string;
  readonly output: Output;
  readonly row: Row;
}
