import type { KeyRange, RangeDigest, RowKey } from '../../core/compare-side.ts';
import { type Suspect, suspectsOf } from './suspects.ts';
import type { TableReader } from './table-readers.ts';

/** Not more rows of either side are listed at once. */
export const leafRows = 1_000;
/** A range that differs is cut into so many. */
const cuts = 16;

export interface RangeReaders {
  readonly source: TableReader;
  readonly target: TableReader;
  /** The keys of every `every`th row of a range, as the source or the target has them. */
  boundaries(side: 'source' | 'target', range: KeyRange, every: number): Promise<readonly RowKey[]>;
}

export interface RangeResult {
  /** At the source. */
  readonly rows: number;
  /** At either side, whichever has more. */
  readonly most: number;
}

/**
 * Compares a range by its digests, and cuts one that differs until its rows can be listed. Both sides are asked at once,
 * not as of one moment: what is found is suspects, told in small groups.
 */
export async function rangeSuspects(
  readers: RangeReaders,
  range: KeyRange,
  onSuspects: (suspects: readonly Suspect[]) => Promise<void>,
): Promise<RangeResult> {
  const [here, there] = await digests(readers, range);
  const most = Math.max(here.rows, there.rows);
  if (here.rows === there.rows && here.sum === there.sum) return { rows: here.rows, most };
  // Where one side has most of the rows, its keys cut them.
  const side = here.rows >= there.rows ? 'source' : 'target';
  const every = Math.max(Math.floor(leafRows / 2), Math.ceil(most / cuts));
  const keys = most <= leafRows ? [] : await readers.boundaries(side, range, every);
  // Rows with keys that the other side can't have are not cut.
  if (keys.length === 0) {
    const [listed, others] = await Promise.all([readers.source.list(range), readers.target.list(range)]);
    const suspects = suspectsOf(listed, others);
    if (suspects.length > 0) await onSuspects(suspects);
    return { rows: here.rows, most };
  }
  let rows = 0;
  let after = range.after;
  for (const to of [...keys, range.to]) {
    rows += (await rangeSuspects(readers, { after, to }, onSuspects)).rows;
    after = to;
  }
  return { rows, most };
}

function digests({ source, target }: RangeReaders, range: KeyRange): Promise<[RangeDigest, RangeDigest]> {
  return Promise.all([source.digest(range), target.digest(range)]);
}
