import type { MakeEntry } from './action.ts';
import type { Change } from './change.ts';
import type { Position } from './position.ts';

/**
 * Why a transaction was set aside: the target refused a change (`error`), a row was not what the source says
 * (`collision`), it touches what is parked already (`behind`), or a person asked for it (`skip`).
 */
export type ParkedCause = 'error' | 'collision' | 'behind' | 'skip';

/** Row changes of one table in a parked transaction. */
export interface ParkedTable {
  /** As named at the target. */
  readonly table: string;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
}

/** A source transaction that was set aside whole. */
export interface ParkedTransaction {
  /** Grows in source order. */
  readonly id: number;
  /** The source's name of it (PostgreSQL: xid). */
  readonly transaction: string;
  /** Where it ends at the source. */
  readonly position: Position;
  /** Source clock, milliseconds since 1970. */
  readonly committedAtMs: number;
  /** Target clock, milliseconds since 1970. */
  readonly parkedAtMs: number;
  readonly cause: ParkedCause;
  /** Of the error that it was parked for, or met when it was tried last. Never a row value. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** What the person said who skipped it. */
  readonly reason: string | null;
  readonly askedBy: string | null;
  /** The earliest parked transaction that it waits for; null where it can be tried now. */
  readonly behind: number | null;
  readonly rows: number;
  /** As stored. */
  readonly bytes: number;
  readonly tables: readonly ParkedTable[];
  /** How often it was tried again. */
  readonly attempts: number;
}

/** A key that a parked transaction holds: later changes that touch it park, too. */
export interface ParkedKey {
  /** What kind of key, of which table and columns. */
  readonly resource: string;
  /** False where it only has to go on existing: what a foreign key points to. */
  readonly exclusive: boolean;
  /** Digest of the value, hexadecimal; null where every value counts. */
  readonly digest: string | null;
}

export interface ParkingRequest {
  readonly action: 'retry' | 'discard';
  /** Null: all that are parked. */
  readonly ids: readonly number[] | null;
  /** Takes along what they wait for. */
  readonly withEarlier: boolean;
  readonly reason: string | null;
  readonly askedBy: string;
}

export interface ParkingOutcome {
  readonly applied: readonly number[];
  readonly failed: readonly { readonly id: number; readonly code: string; readonly message: string }[];
  /** Not tried: they wait for one that failed, or that was not asked for. */
  readonly waiting: readonly number[];
  readonly discarded: readonly number[];
}

/** A transaction that is to be set aside when it is met next. At most one a route. */
export interface SkipRequest {
  readonly transaction: string;
  /** Where it ends; null where the route halted before it had all of it. */
  readonly position: Position | null;
  /** What it halted with. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly reason: string;
  readonly askedBy: string;
}

/** How many are parked, and since where the target is not what the source was. */
export interface ParkedCount {
  readonly count: number;
  /** Of the earliest; null where nothing is parked. */
  readonly since: Position | null;
}

/** What is parked of one route, for commands. Changes to it are asked for; the engine that has the route makes them. */
export interface ParkedStore {
  /** In source order. */
  list(): Promise<readonly ParkedTransaction[]>;
  keys(id: number, limit: number): Promise<readonly ParkedKey[]>;
  /** Its changes as they were mapped, in order, piece by piece. */
  changes(id: number): AsyncIterable<readonly Change[]>;
  /** Parked transactions that these have to wait for, and those wait for, in source order; without these themselves. */
  earlier(ids: readonly number[]): Promise<readonly number[]>;
  /** Stores a request and tells the engine. Returns its number. */
  ask(request: ParkingRequest, entry?: MakeEntry): Promise<number>;
  /** Null until the request was carried out. */
  outcome(request: number): Promise<ParkingOutcome | null>;
  skip(request: SkipRequest, entry?: MakeEntry): Promise<void>;
}
