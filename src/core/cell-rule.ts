import { ABSENT, type Cell, type Row, UNCHANGED } from './cell.ts';

/** How one cell of a row is made from others. A pure function, so that old and new images of a row agree. */
export interface CellRule {
  /** The cell that it writes: one that is there, or the next behind the row's end. */
  readonly index: number;
  /** The cells that it reads. */
  readonly reads: readonly number[];
  /** Different values of the one cell that it reads give different values. */
  readonly injective: boolean;
  /** Never sees UNCHANGED or ABSENT. Throws a TransformFailure where there is no value. */
  compute(row: Row): Cell;
}

/** Why a transform has no value for a row. The message holds no value of the row. */
export class TransformFailure extends Error {}

/** True where the row holds all of these cells. */
export function isThere(row: Row, reads: readonly number[]): boolean {
  return reads.every((index) => row[index] !== ABSENT && row[index] !== UNCHANGED);
}

/**
 * The cell that a rule makes. A cell that is not in the image makes one that is not in the image. What did not change
 * makes what did not change; with another cell that did, the value can't be known.
 */
export function ruleCell({ reads, compute }: CellRule, row: Row): Cell {
  let unchanged = 0;
  for (const index of reads) {
    const cell = row[index];
    if (cell === ABSENT) return ABSENT;
    if (cell === UNCHANGED) unchanged++;
  }
  if (unchanged === 0) return compute(row);
  if (unchanged === reads.length) return UNCHANGED;
  throw new TransformFailure(
    'it reads a large value that did not change and is not in the log, together with one that did',
  );
}
