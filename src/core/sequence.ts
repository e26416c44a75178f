import type { TableName } from './table.ts';

/** A sequence that gives a column its values. Numbers are of 64 bits. */
export interface Sequence {
  readonly name: TableName;
  readonly table: TableName;
  readonly column: string;
  /** The last value that was given out, with all that sessions have taken in advance; where `called` is false the next one. */
  readonly value: bigint;
  readonly called: boolean;
  readonly start: bigint;
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly cycles: boolean;
}

/** What a target sequence is to be set to, and what is known of it. */
export interface SequenceMove {
  readonly target: Sequence;
  readonly value: bigint;
  readonly called: boolean;
}
