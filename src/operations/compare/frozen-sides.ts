import type { CompareSide } from '../../core/compare-side.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';

/** Both sides as of one position of the source's queue, for as long as it takes to read them. */
export interface FrozenSides extends AsyncDisposable {
  /** But for what `changed` tells: of those rows it shows what they were before, or have become. */
  readonly source: CompareSide;
  readonly target: CompareSide;
  readonly changed: ChangedRows;
  /** The source's columns, in the order in which `changed` has the keys of rows. */
  readonly columns: readonly string[];
}
