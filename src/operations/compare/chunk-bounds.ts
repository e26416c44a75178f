import type { CompareSide, RowKey, SideColumn } from '../../core/compare-side.ts';
import type { TablePlan } from './table-plan.ts';

/** Where chunks of a table end, in the order of its key. */
export interface ChunkBounds {
  /** The last key of the chunk behind `after`, of about so many rows; null: nothing is known behind it, it is the last one. */
  next(after: RowKey | null, rows: number): Promise<RowKey | null>;
  /** A chunk that was cut for `wanted` rows had so many. */
  had(rows: number, wanted: number): void;
}

const mostFirst = 4;
/** Behind numbers that are this thin a crowd may come, all of which would be one chunk. */
const mostReckoned = 8;
const integers = /^(?:pg_catalog\.int[248]|(?:tiny|small|medium|big)?int(?: unsigned)?)$/;

export async function chunkBounds(side: CompareSide, plan: TablePlan): Promise<ChunkBounds> {
  const { sourceShape } = plan;
  const [key] = sourceShape.key;
  const isInteger = sourceShape.key.length === 1 && integers.test(typeOf(plan, key ?? '')?.type ?? '');
  const ends = isInteger ? await side.ends(sourceShape) : null;
  const look: ChunkBounds['next'] = (after, rows) => side.boundary(sourceShape, { after, to: null }, rows);
  if (ends !== null) return new SteppedBounds(ends, { estimatedRows: plan.estimatedRows, look });
  return { next: look, had: () => {} };
}

/**
 * Of whole numbers the next bound is reckoned, and not looked for: a look goes through the index from the bound before, which took
 * a tenth of what the compare did. How dense the numbers are shows as it goes; where they are thin it is looked for all the same.
 */
class SteppedBounds implements ChunkBounds {
  readonly #last: bigint;
  readonly #first: bigint;
  readonly #look: ChunkBounds['next'];
  /** Numbers for each row. */
  #spread: number;

  constructor(
    { first, last }: { readonly first: string; readonly last: string },
    { estimatedRows, look }: { readonly estimatedRows: number; readonly look: ChunkBounds['next'] },
  ) {
    this.#look = look;
    this.#first = BigInt(first);
    this.#last = BigInt(last);
    const spread = Number(this.#last - this.#first + 1n) / Math.max(1, estimatedRows);
    // Statistics may be old, or none: a first chunk of the whole table would be none.
    this.#spread = Math.min(mostFirst, Math.max(1, spread));
  }

  async next(after: RowKey | null, rows: number): Promise<RowKey | null> {
    const from = after === null ? this.#first - 1n : BigInt(after[0] ?? 0);
    if (this.#spread > mostReckoned) {
      const found = await this.#look(after, rows);
      if (found !== null) this.#spread = Math.max(1, Number(BigInt(found[0] ?? 0) - from) / rows);
      return found;
    }
    const to = from + BigInt(Math.max(1, Math.ceil(rows * this.#spread)));
    return to >= this.#last ? null : [to.toString()];
  }

  had(rows: number, wanted: number): void {
    // Neither a gap nor a crowd says all of what follows.
    this.#spread = Math.max(1, this.#spread * Math.min(8, Math.max(0.25, wanted / Math.max(1, rows))));
  }
}

function typeOf({ binding }: TablePlan, name: string): Pick<SideColumn, 'type'> | undefined {
  return binding.source.columns.find((column) => column.name === name);
}
