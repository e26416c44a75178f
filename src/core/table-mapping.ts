import type { Cell } from './cell.ts';

/** What becomes of one source table: its target's name, its columns and the transforms, in their order. */
export interface MappedTable {
  readonly target: { readonly schema: string; readonly name: string };
  /** Source columns that do not travel. */
  readonly excludedColumns: readonly string[];
  /** Source name to target name. */
  readonly renamedColumns: ReadonlyMap<string, string>;
  readonly transforms: readonly ConfiguredTransform[];
}

/** A transform as configured: with its options, not yet bound to a table version. */
export interface ConfiguredTransform {
  readonly name: string;
  /** Source columns that it reads or writes; each must exist. */
  readonly columns: readonly string[];
  /** False where two source keys could become one target key: refused on key columns. */
  readonly injective: boolean;
  /** Binds the transform to one column. The function is deterministic and sees only values (never UNCHANGED, ABSENT). */
  compile(column: { readonly name: string; readonly type: string }): (value: Cell) => Cell;
}
