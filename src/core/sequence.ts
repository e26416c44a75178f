import type { TableName } from './table.ts';

/** Where a sequence stands. Numbers are of 64 bits. */
export interface SequenceState {
  readonly name: TableName;
  /** The last value that was given out, with all that sessions have taken in advance; where `called` is false the next one. */
  readonly value: bigint;
  readonly called: boolean;
  readonly increment: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly cycles: boolean;
}

/** A sequence that gives a column its values. */
export interface Sequence extends SequenceState {
  readonly table: TableName;
  readonly column: string;
}

/** What a target sequence is to be set to, and what is known of it. */
export interface SequenceMove {
  /** As the target has told it. */
  readonly target: SequenceState | Sequence;
  readonly value: bigint;
  readonly called: boolean;
  /** It begins again at its end at both sides: no number is in front of another. */
  readonly isOrderless: boolean;
}

/** `ahead`: it had gone further by then, and was left alone. `refused`: the server's words. */
export type SequenceSet = 'set' | 'ahead' | { readonly refused: string };
