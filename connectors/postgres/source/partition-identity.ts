import type { TableVersion } from '../../../src/core/table.ts';

/**
 * Partitions that log less of their old rows than the replica identity of the whole promises: values that are not there would be taken for NULL. A
 * partition logs by its own, and the message tells a row by that of the whole, without the partition.
 */
export class UnfitPartitions {
  /** By the oid of the whole. */
  readonly #unfit = new Map<number, Set<number>>();

  /** What the server has described right before the first row of a partition: the whole, which the row is of, and the partition. */
  described(whole: Described, parts: readonly Described[]): void {
    for (const { oid, table } of parts) {
      if (oid === whole.oid) continue;
      const unfit = this.#unfit.get(whole.oid);
      if (identifies(table, whole.table)) unfit?.delete(oid);
      else if (unfit === undefined) this.#unfit.set(whole.oid, new Set([oid]));
      else unfit.add(oid);
    }
  }

  /** Rows of the table may lack old values. */
  isOf(oid: number): boolean {
    return this.#unfit.size > 0 && (this.#unfit.get(oid)?.size ?? 0) > 0;
  }
}

interface Described {
  readonly oid: number;
  readonly table: TableVersion;
}

/** Whether what a partition logs of its old rows holds what the whole table's replica identity promises. */
export function identifies(part: TableVersion, whole: TableVersion): boolean {
  // A whole old row holds every key.
  if (part.identity === 'full') return true;
  return whole.identity !== 'full' && keyOf(part) === keyOf(whole);
}

function keyOf({ columns }: TableVersion): string {
  const key = columns.filter((column) => column.key).map(({ name }) => name);
  return key.sort().join('\0');
}
