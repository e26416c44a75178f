import type { ParkedCause, ParkedCount, ParkedTable } from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import type { Claim } from './claim-set.ts';

/** Why a transaction is set aside, as it is stored with it. */
export interface ParkWhy {
  readonly cause: ParkedCause;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly reason: string | null;
  readonly askedBy: string | null;
}

/** A transaction that is to be set aside when it is met: what a person or this engine has decided before. */
export interface Decision {
  readonly transaction: string;
  /** Known where the route had the whole transaction when it was decided. */
  readonly position: Position | null;
  readonly why: ParkWhy;
}

/** Changes of a parked transaction, as encodeChanges() writes them. */
export interface ParkedPart {
  readonly part: number;
  readonly rows: number;
  readonly changes: Buffer;
}

export interface ParkedWhole {
  readonly commit: Commit;
  readonly rows: number;
  readonly bytes: number;
  /** Old values of some of its rows are not known. */
  readonly incomplete: boolean;
  readonly tables: readonly ParkedTable[];
}

/**
 * What is parked of one route, in the tables beside its checkpoint, on the session that applies its changes. What writes is called in a target
 * transaction, and holds when that commits.
 */
export interface ParkingStore {
  count(): Promise<ParkedCount>;
  /** What was claimed, with the number of digests, the least first. */
  resources(): Promise<readonly { readonly resource: string; readonly exclusive: boolean; readonly digests: number }[]>;
  digests(resource: string, exclusive: boolean): Promise<readonly (number | null)[]>;
  decision(): Promise<Decision | null>;
  decide(part: TransactionPart, why: ParkWhy): Promise<void>;
  /** Deletes this decision, where it is still what is stored; of a person's the journal is told. */
  voidDecision(decision: Decision): Promise<void>;
  /** The transaction that was decided upon is parked. */
  useDecision(id: string, position: Position): Promise<void>;
  /** Returns the id, which grows in source order. */
  begin(part: TransactionPart, why: ParkWhy): Promise<string>;
  addPart(id: string, part: ParkedPart): Promise<void>;
  /** Those that are stored of the transaction already are passed over. */
  addClaims(id: string, claims: readonly Claim[]): Promise<void>;
  /** All of this resource that are of this kind. */
  dropClaims(id: string, of: Pick<Claim, 'resource' | 'exclusive'>): Promise<void>;
  finish(id: string, whole: ParkedWhole): Promise<void>;
}
