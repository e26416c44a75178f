import type { TransactionPart } from '../../../src/core/transaction.ts';
import { type BuilderMark, PartBuilder } from '../../sql/part-builder.ts';
import type { TransactionName } from './progress.ts';

/** What has been read of a transaction whose end has not come. */
export interface OpenTransaction {
  readonly name: TransactionName;
  readonly id: string;
  /** Tells it from any other that could have its name. */
  readonly commitId: string;
  readonly atMicros: number;
  readonly builder: PartBuilder;
  readonly parts: TransactionPart[];
  /** Between BEGIN and its end; before it a Query event is the whole transaction. */
  begun: boolean;
  /**
   * `applied` before the restart: only its end is of interest. `replicated` from a node and not to be forwarded: `watched` where
   * somebody reads the source meanwhile, and is to see its rows.
   */
  skipped: 'applied' | 'replicated' | 'watched' | null;
  /** Nothing with rows has come: an origin counts only there. */
  first: boolean;
  /** Somebody waits for the position. */
  marked: boolean;
  /** Rows of the route so far. */
  rows: number;
  /** Where its rows begin. */
  readonly beginning: BuilderMark;
  /** By name; null where there are none. */
  savepoints: Map<string, BuilderMark> | null;
  /** The end of an XA START: its rows are held until they are decided. */
  prepared: boolean;
  /** An ALTER TABLE of MariaDB that has only begun, or has come to nothing. */
  isWithoutEffect: boolean;
}

const noChanges: BuilderMark = { parts: 0, changes: 0, rows: 0, bytes: 0 };

export interface OpenOptions extends Pick<OpenTransaction, 'name' | 'id' | 'commitId' | 'atMicros'> {
  readonly isApplied: boolean;
  emit(part: TransactionPart): void;
}

export function openTransaction({ name, id, commitId, atMicros, isApplied, emit }: OpenOptions): OpenTransaction {
  const builder = new PartBuilder(id, emit);
  return {
    name,
    id,
    commitId,
    atMicros,
    builder,
    beginning: noChanges,
    savepoints: null,
    parts: [],
    begun: false,
    skipped: isApplied ? 'applied' : null,
    first: true,
    marked: false,
    rows: 0,
    prepared: false,
    isWithoutEffect: false,
  };
}
