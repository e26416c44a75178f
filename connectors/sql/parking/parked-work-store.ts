import type { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Commit, Origin } from '../../../src/core/transaction.ts';
import type { Claim } from './claim-set.ts';

/** What somebody has asked, as stored. */
export interface StoredRequest {
  readonly id: number;
  readonly action: 'retry' | 'discard';
  readonly ids: readonly number[] | null;
  readonly withEarlier: boolean;
}

export interface ParkedHead {
  readonly id: number;
  readonly transaction: string;
  readonly commit: Commit;
  readonly origin: Origin;
}

/** What retries and discards read and write, on the session that applies the route's changes; what writes is called in a target transaction. */
export interface ParkedWorkStore {
  /** Those that are not done. */
  requests(): Promise<readonly StoredRequest[]>;
  /** Ids of what is parked, in source order, up to one of them, null: all. */
  upTo(last: number | null): Promise<readonly number[]>;
  /** What these have to wait for, and what those wait for. */
  earlier(ids: readonly number[]): Promise<readonly number[]>;
  claims(id: number): Promise<readonly Claim[]>;
  /** Null where it is parked no longer. */
  head(id: number): Promise<ParkedHead | null>;
  parts(id: number): Promise<number>;
  /** Null where it is missing. */
  part(id: number, part: number): Promise<Buffer | null>;
  /** Those whose rows' old values are not all known. */
  incomplete(): Promise<readonly number[]>;
  failed(head: ParkedHead, request: number, error: TidelockError): Promise<void>;
  /** It leaves the store, and the journal is told. */
  remove(id: number, request: number, action: 'retried' | 'discarded'): Promise<void>;
  done(request: number, waiting: readonly number[]): Promise<void>;
}
