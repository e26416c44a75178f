import type { ComparedColumn, ComparedRow, ComparedShape, RowKey } from './compare-side.ts';
import type { Position } from './position.ts';

/** What is to become of one row of the target. Rows are texts of the columns of the shape. */
export interface RowRepair {
  readonly key: RowKey;
  /** As it was seen at the target; null: it was not there. It is left alone where it is another one by now. */
  readonly before: ComparedRow | null;
  /** As it is to be; null: it goes. */
  readonly after: ComparedRow | null;
  /** CompareSide.versions; where it is there the row is also left alone where somebody has written it since, whatever it is by now. */
  readonly version?: string;
  /** The kept image that it takes back (KeptImage.number): it counts as done, and nothing is written, where that is taken back already. */
  readonly undoes?: number;
}

export interface RepairRequest {
  readonly shape: ComparedShape;
  readonly rows: readonly RowRepair[];
  /** Of the lease: whoever has lost it repairs nothing. */
  readonly epoch: bigint;
  /** Names the source in the origin marker: no route carries the rows back. Null where that is not wanted. */
  readonly origin: { readonly node: string; readonly position: Position } | null;
  /** The job under whose number the rows are kept as they were before. */
  readonly job: number;
}

export type RowOutcome =
  | { readonly kind: 'done' }
  /** It was another one than `before` says. */
  | { readonly kind: 'changed' }
  /** The server does not take it: why, without a value of the row. */
  | { readonly kind: 'refused'; readonly why: string };

/** What a repair has changed, for whoever takes it back. */
export interface KeptImage extends RowRepair {
  readonly number: number;
  /** Label of the target table. */
  readonly table: string;
  /** Of `before` and `after`. */
  readonly columns: readonly ComparedColumn[];
  readonly keyColumns: readonly string[];
}

/** Writes single rows of a target, on a session of its own. Throws TidelockErrors. */
export interface Repairer {
  /** In one target transaction, with what the rows were before and which images they take back. The outcomes are in the order of the rows. */
  repair(request: RepairRequest): Promise<readonly RowOutcome[]>;
  /** What a job has changed, the latest first, in batches; rows that were taken back are left out. */
  kept(job: number): AsyncIterable<readonly KeptImage[]>;
  /** How many rows a job has changed, by label of the target table. */
  counts(job: number): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
