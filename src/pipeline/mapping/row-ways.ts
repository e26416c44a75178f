import type { TableName } from '../../core/table.ts';
import type { RowTransform } from '../../core/table-mapping.ts';

export interface RowWay {
  readonly target: TableName;
  /** Columns that rows of this way do not have. */
  readonly hidden: readonly string[];
}

/** The ways that rows of one table can go through transforms that choose among outputs, one after the other. */
export class RowWays {
  readonly ways: RowWay[];
  /** Indexes of the ways that rows can have come by now. */
  open: ReadonlySet<number> = new Set([0]);

  constructor(target: TableName) {
    this.ways = [{ target, hidden: [] }];
  }

  /** By index of each open way: those that the transform's outputs lead to. */
  fork({ outputs, goesOn }: Pick<RowTransform, 'outputs' | 'goesOn'>): ReadonlyMap<number, readonly number[]> {
    const forks = new Map<number, number[]>();
    for (const from of this.open) {
      const way = this.ways[from] as RowWay;
      const indexes = outputs.map(
        ({ target, hidden }) =>
          this.ways.push({ target: target ?? way.target, hidden: [...way.hidden, ...hidden] }) - 1,
      );
      forks.set(from, indexes);
    }
    const reached = [...forks.values()].flat();
    this.open = new Set(goesOn ? [...this.open, ...reached] : reached);
    return forks;
  }
}
