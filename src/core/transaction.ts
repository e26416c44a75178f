import type { Change } from './change.ts';
import type { BegunLoad, LoadedChunk } from './load.ts';
import type { Position } from './position.ts';

/** One node that a transaction has been through, and where and when it was committed there. */
export interface Hop {
  readonly node: string;
  readonly position: string;
  /** Milliseconds since 1970, that node's clock. */
  readonly committedAtMs: number;
}

/** The nodes that a transaction has been through, in order. Empty for a change made by an application at the source. */
export type Origin = readonly Hop[];

export interface Commit {
  /** Where the source goes on after this transaction: PostgreSQL's end LSN of the commit record. */
  readonly position: Position;
  /** Source clock, milliseconds since 1970. */
  readonly atMs: number;
  /**
   * Tells this commit from any other that could stand at the same place, were the source restored and gone on
   * (PostgreSQL: transaction id and commit time in microseconds); '' for an idle advance.
   */
  readonly id: string;
}

/**
 * How soon an advance without changes has to be stored: `ride` waits for the next change or the idle interval, `now`
 * is stored at once (somebody waits for it).
 */
export type Urgency = 'ride' | 'now';

/**
 * A source transaction, or a piece of a large one. The pieces of one transaction follow each other without another
 * transaction in between; only the last has `commit`, and only it is checkpointed. A part with commit and without
 * changes is an idle advance.
 */
export interface TransactionPart {
  /** The source's name of the transaction (PostgreSQL: xid), the same in each of its parts; '' for an idle advance. */
  readonly id: string;
  readonly origin: Origin;
  readonly changes: Change[];
  /** Row changes among `changes`. */
  readonly rows: number;
  /** What the part holds in memory, about; it is taken from the route's byte budget until it is applied. */
  readonly bytes: number;
  readonly commit: Commit | null;
  readonly urgency: Urgency;
  /**
   * Another route has brought it to the source, and this one does not carry it on (forward: own). Its changes are here for whoever
   * reads the source between two watermarks, and go no further.
   */
  readonly replicated?: true;
  /** Rows of tables that are being loaded whose new keys have to be read again; kept at the target until they were. */
  readonly again?: readonly AgainKey[];
  /** When it is applied, and before what is behind it, the target is looked at: see TargetLooks. */
  readonly look?: string;
  /** Rows of a load. Nothing else is in the transaction, of which this is the only part. */
  readonly chunk?: LoadedChunk;
  /** As `chunk`. */
  readonly begins?: BegunLoad;
  /** What the first of its unmapped changes halts with; absent where there is none. */
  readonly unmapped?: MappingFailure;
  /** Its rows were written at the source with foreign keys switched off: nothing was checked, and no cascade has followed. */
  readonly unchecked?: true;
}

/** A row of a source table, by the values of its key as text. */
export interface AgainKey {
  /** Label of the source table. */
  readonly source: string;
  readonly key: readonly string[];
}

/** A halt, as it crosses the Channel. */
export interface MappingFailure {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly place: object;
}
