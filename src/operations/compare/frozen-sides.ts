import type { CompareSide } from '../../core/compare-side.ts';
import type { ChangedRows } from '../../pipeline/watermark-windows.ts';
import type { ChangesSince } from './changes-since.ts';

/** Both sides as of one position of the source's queue, for as long as it takes to read them. */
export interface FrozenSides extends AsyncDisposable {
  /** But for what `changed` tells: of those rows it shows what they were before, or have become. */
  readonly source: CompareSide;
  readonly target: CompareSide;
  readonly changed: ChangedRows;
  /** The source's columns, in the order in which `changed` has the keys of rows. */
  readonly columns: readonly string[];
  /** What comes behind the position; null where nobody has asked for it. It outlives the sides, and has to be disposed of by itself. */
  readonly since: ChangesSince | null;
}
