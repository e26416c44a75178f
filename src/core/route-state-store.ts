import type { Action, ActionJournal, MakeEntry } from './action.ts';
import type { ApplyActivity } from './apply-activity.ts';
import type { JobStore } from './job.ts';
import type { StoredLoad } from './load.ts';
import type { RegisteredShare } from './owned-share.ts';
import type { ParkedCount, ParkedStore } from './parked.ts';
import type { Position } from './position.ts';
import type { JournalLimits, RouteDefinition } from './route.ts';
import type { RouteDescription } from './route-description.ts';
import type { Reason, RouteStatus, WantedState } from './route-status.ts';
import type { TableDefinition } from './table-facts.ts';

/** Facts that tell one source from another; a checkpoint is only good for the source that it was made with. */
export type SourceIdentity = Readonly<Record<string, string>>;

/**
 * `creating`: a queue may have been made at the source and nothing is loaded yet; whatever queue is found then is
 * dropped and made anew. `ready`: everything up to `position` is at the target.
 */
export type StoredCheckpoint =
  | { readonly phase: 'creating'; readonly source: SourceIdentity }
  | {
      readonly phase: 'ready';
      readonly source: SourceIdentity;
      readonly position: Position;
      /** Number of the checkpoint row: the next one stored is this plus one, and unique. */
      readonly sequence: bigint;
      readonly lastCommit: { readonly position: Position; readonly id: string } | null;
    };

export interface LeaseHolder {
  /** One per Supervisor process; its restarted workers go on under the same lease at once. */
  readonly supervisor: string;
  readonly host: string;
  readonly pid: number;
}

export type LeaseAttempt =
  | { readonly granted: true; readonly epoch: bigint }
  | { readonly granted: false; readonly holder: LeaseHolder; readonly expiresInMs: number };

/** What people have asked of the route with `start`, `stop` and so on; `request` grows with each of them. */
export interface Wanted {
  /** `running` after the end of a pause that has one. */
  readonly state: WantedState;
  readonly request: number;
  /** Target clock, ISO 8601; null where it is not paused, or for good. */
  readonly pausedUntil: string | null;
  /** The last request that was a restart: a worker that has begun before it ends, and another one begins. */
  readonly restart: number;
  /** Of the last request. */
  readonly reason: string | null;
  readonly askedBy: string | null;
  /** A person has accepted the table definitions that the source had by then; null where none was ever accepted. */
  readonly acceptSchemaChangesTo: Position | null;
  /** Somebody has asked for something about parked transactions that was not carried out yet. */
  readonly parkingAsked: boolean;
  /** Fingerprint of the description that is to be applied; null where none is, or where that has failed. */
  readonly pending: string | null;
  /** Another name of the route, under which an interrupted rename has left a queue at the source. */
  readonly leftover: string | null;
  /** There are jobs for the engine to do, to pause or to cancel. */
  readonly jobsDue?: true;
}

/** A change of the route's tables that somebody has agreed to, until an engine has carried it out. */
export interface PendingChange {
  /** Fingerprints of what the route was applied with, and of what it is to be applied with. */
  readonly from: string;
  readonly to: string;
  /** Labels of source tables whose rows at the target stay as they are. */
  readonly keepRows: readonly string[];
  /** What the plan said of tables: that and nothing else is agreed to. Absent where an older command has stored it. */
  readonly steps?: readonly object[];
  readonly askedBy: string;
  /** Why the engine could not carry it out: then nobody is to try it again until it is asked for once more. */
  readonly failed?: Reason;
}

/** What becomes of the registered tables when the route is applied anew. */
export interface TablesChange {
  /** Labels of source tables that are no longer registered. */
  readonly removed: readonly string[];
  /** Registered, in place of what was registered of them. */
  readonly tables: readonly StoredTable[];
  readonly applied: RouteDescription;
  /** What is left to be done of what was agreed to. */
  readonly pending?: PendingChange | undefined;
}

export interface WantedOptions {
  readonly acceptSchemaChangesTo?: Position | undefined;
  /** A pause that ends by itself. */
  readonly forMs?: number | null;
  readonly restart?: boolean;
  /** Only where one of these is wanted now: two who ask at once can't undo each other by chance. */
  readonly instead?: readonly WantedState[];
  readonly reason?: string | null;
  readonly askedBy?: string | null;
  /** Stored in the same transaction, with the request's number. */
  readonly entry?: MakeEntry | undefined;
}

/** A stored definition of a source table, to notice a change that happened while the route was away. */
export interface StoredTable {
  readonly source: string;
  readonly target: string;
  /** Digest of the source's columns: names, types, modifiers, keys. */
  readonly fingerprint: string;
  /** What it was made of, with what the catalogue tells; null where the source tells nothing. */
  readonly definition: TableDefinition | null;
  /** Its rows were copied as of here, later than the route started: what was committed before is in the copy. */
  readonly loadedTo?: Position | null;
  /** What is registered as the route's share of a target table that others write, too. Absent where all rows are its own, and of what was read. */
  readonly owns?: RegisteredShare;
}

/** A route as stored at its target, for commands. */
export interface StoredRoute {
  readonly wanted: Wanted;
  readonly epoch: bigint;
  readonly holder: (LeaseHolder & { readonly expiresInMs: number }) | null;
  readonly status: RouteStatus | null;
  /** Age of `status` by the target's clock. */
  readonly statusAgeMs: number | null;
  readonly checkpoint: StoredCheckpoint | null;
  readonly parked: ParkedCount;
  /** What the route was applied with last; null before its first load, and where an older engine has made it. */
  readonly applied: RouteDescription | null;
  readonly pending: PendingChange | null;
}

/**
 * A route's state in the schema `tidelock` of its target, on one connection of its own. All methods throw
 * TidelockErrors; a lost connection has recovery `retry`, a lost lease `fenced`.
 */
export interface RouteStateStore {
  readonly parked: ParkedStore;
  readonly actions: ActionJournal;
  readonly jobs: JobStore;
  /**
   * Creates or migrates the state schema under a lock; refuses one that a newer engine made. With `creates` false one that
   * is not there is left so.
   */
  migrate(creates?: boolean): Promise<void>;
  /**
   * Creates the route's rows where they are missing, and returns what tells this registration from a later one of the same
   * name. `known`, of an earlier call: then nothing is created, and a route that is gone is an error (dropped).
   */
  register(known?: string | null): Promise<string>;
  read(): Promise<StoredRoute | null>;

  /**
   * Takes the lease where it is free, expired, or already this Supervisor's; `takeover` takes it anyway. When the
   * holder changes, the epoch is raised and the old engine's sessions at the target are ended first. Ends in any case
   * the sessions that an earlier worker of this route has left at the target. `onClaim` is called once the claim is stored,
   * also where what comes after it fails.
   */
  acquireLease(holder: LeaseHolder, takeover: boolean, onClaim?: () => void): Promise<LeaseAttempt>;
  /**
   * Renews the lease, stores the status (null: the one that is stored stays), returns what is wanted. Throws (fenced)
   * where another engine has the route.
   */
  renewLease(status: RouteStatus | null): Promise<Wanted>;
  releaseLease(): Promise<void>;
  /** Removes what is too old, or too much, of what was done: never what is parked, or was asked and not yet carried out. */
  prune(limits: JournalLimits): Promise<void>;
  /** What the target does for this route's sessions that apply. */
  applyActivity(): Promise<ApplyActivity>;
  wanted(): Promise<Wanted>;
  /** Calls back when somebody changes what is wanted. */
  onRequest(listener: () => void): void;
  /** Stores a request and tells the engine. Null where `instead` did not hold. Throws (usage) where the stored state is too old for what is asked. */
  setWanted(state: WantedState, options?: WantedOptions): Promise<Wanted | null>;

  setCreating(source: SourceIdentity): Promise<void>;
  /** Stores a first or an adopted position, outside of a load; a first one with what the route does from there on. */
  setReady(
    source: SourceIdentity,
    position: Position,
    more?: { readonly applied?: RouteDescription; readonly entry?: MakeEntry | undefined },
  ): Promise<void>;
  /** Stores a changed identity (a new timeline) for the same position. */
  setSource(source: SourceIdentity): Promise<void>;

  tables(): Promise<readonly StoredTable[]>;
  /** Registers the tables and this route as their one owner. Throws where another route owns one of the targets. */
  setTables(tables: readonly StoredTable[]): Promise<void>;
  /** Throws what `setTables` would throw of routes that are registered already. Changes nothing; also where the route is not registered. */
  demandApart(tables: readonly StoredTable[]): Promise<void>;
  /** Tables that are loaded beside the stream, or were; none where the state is of an older engine. */
  loads(): Promise<readonly StoredLoad[]>;
  /** Notes on a table's stored definition what a look at the catalogue has halted at. */
  setHalted(source: string, halted: NonNullable<TableDefinition['halted']>): Promise<void>;

  /** Stores, for the engine that has the route or takes it next, that a change is agreed to, and wakes it. */
  setPending(change: PendingChange, entry?: MakeEntry): Promise<void>;
  /** What is pending has failed, and wakes nobody any more. Under the lease's epoch. */
  failPending(reason: Reason): Promise<void>;
  /** All in one transaction under the lease's epoch: the tables, what the route does now, and that nothing is pending. */
  apply(change: TablesChange): Promise<void>;

  /**
   * Notes that there is a queue of the route under this name, too; null: no longer. Whoever works on it says so again and
   * again: after a minute without that the engine that has the route drops it. Throws (usage) where the stored state is too old.
   */
  noteLeftover(name: string | null): Promise<void>;
  /** Nothing is stored about a route of that name. */
  isFree(name: string): Promise<boolean>;
  /**
   * Gives everything that is stored about the route another name, with its journal and this entry, and raises the epoch: all in
   * one transaction, so that the engine that has it either goes on or is over. `confirm` is called when no engine can change
   * anything any more, and its error leaves all as it is. The queue of the old name is noted as left over. This store finds nothing any more after
   * it. Throws (usage) where a route has that name.
   */
  rename(name: string, entry: Action, confirm: () => Promise<void>): Promise<void>;
  /**
   * Removes everything that is stored about the route, and the schema after the last one, under the lease: nobody can
   * take it meanwhile, however long that takes. Nothing where nothing is stored. Throws (fenced) without the lease.
   */
  drop(): Promise<void>;
  close(): Promise<void>;
}

/** What is stored about the routes of one target, over one session however many they are. For readings: no lease is taken over it. */
export interface SharedState {
  /** The same one for each call; not to be closed by itself. */
  store(route: RouteDefinition): Promise<RouteStateStore>;
  close(): Promise<void>;
}
