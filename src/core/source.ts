import type { ByteBudget } from './byte-budget.ts';
import type { Row } from './cell.ts';
import type { Collector } from './collector.ts';
import type { ToldCommand } from './column-alteration.ts';
import type { CompareSide } from './compare-side.ts';
import type { Finding } from './finding.ts';
import type { Logger } from './logger.ts';
import type { Position, PositionOrder } from './position.ts';
import type { QueueRoom } from './queue-room.ts';
import type { RouteDefinition } from './route.ts';
import type { SourceIdentity } from './route-state-store.ts';
import type { Sequence, SequenceState } from './sequence.ts';
import type { SourceReader } from './source-reader.ts';
import type { TableName, TableVersion } from './table.ts';
import type { TableDefinition, TableFacts } from './table-facts.ts';
import type { TablePattern } from './table-pattern.ts';
import type { PlaceRequest, PlaceRows, StoredPart } from './table-places.ts';
import type { DatabaseSchema } from './table-schema.ts';
import type { WorkMeter } from './work-meter.ts';

export interface SourceOptions {
  readonly route: RouteDefinition;
  readonly logger: Logger;
}

/** Tables that hold more are not loaded in one piece: the source keeps its log for as long as that takes. */
export const wholeLoadLimitBytes = 1_000_000_000;

/** What a new queue gives: the position it starts at, and a view of the tables exactly as they were there. */
export interface QueueSnapshot {
  readonly position: Position;
  readonly source: SourceIdentity;
  /** The route's tables as they are in the snapshot. */
  readonly tables: readonly TableVersion[];
  /** What the catalogue says of them in the snapshot. */
  readonly facts: readonly TableFacts[];
  /** Size of the tables' rows at the source, without indexes. */
  sizeBytes(): Promise<number>;
  /** All rows of one of `tables`, in batches of about 1 MB. */
  read(table: TableVersion, signal: AbortSignal): AsyncIterable<readonly Row[]>;
  /** As SourceReader.places, with what the rows were stored in as of the snapshot. */
  places?(table: TableName): Promise<readonly StoredPart[] | null>;
  /** Rows of the snapshot by their places; several at once. Only while they are read the table is locked. Absent where that is. */
  readPlaces?(request: PlaceRequest, signal: AbortSignal): Promise<PlaceRows>;
  /** A queue that was made for the snapshot alone goes, so that the source keeps no log for it; the snapshot stays. */
  hold?(): Promise<void>;
  /** Lets the snapshot go. The queue stays. */
  close(): Promise<void>;
  /**
   * Drops the queue, on the session that made it: whoever has taken the route over has ended that session, so that its
   * own queue is left alone. Throws where it could not be dropped.
   */
  discard(): Promise<void>;
}

/** A queue that was made before its route begins, so that a copy can be made by other means. */
export interface PrepareRequest {
  /** The copy that was made since has everything up to this later position. */
  readonly copiedAt: Position | null;
  /** Who asks. */
  readonly by: string;
}

export interface PreparedQueue {
  /** What was committed before is in the copy; what comes behind is in the queue. */
  readonly position: Position;
  /** Where the copy stands, if that was told and is another position. */
  readonly copiedAt: Position | null;
  /** A name under which other programs read exactly that moment, until `close`; null of a queue that an earlier call has made. */
  readonly snapshot: string | null;
  close(): Promise<void>;
}

export interface SourceStatus {
  /** The end of what the source has written. */
  readonly position: Position;
  /** How far behind the queue is kept for this route; null where it is not there. */
  readonly retainedBytes: number | null;
  readonly queue: 'missing' | 'idle' | 'active' | 'lost';
  /** Null, or absent, where the server drops nothing that the route has not read. */
  readonly room?: QueueRoom | null;
  /** Where the queue stands: what was acknowledged last; null where it can't be read. */
  readonly queuePosition: Position | null;
}

/** The queues of one node, for whoever looks at its routes again and again. */
export interface QueueWatch {
  /** Not older than the watch was told, or asked for now. The same as Source.status(). */
  status(route: RouteDefinition, options?: { readonly now: boolean }): Promise<SourceStatus>;
  close(): Promise<void>;
}

export interface FollowOptions {
  /** Since the definition, in their order. */
  readonly told: readonly ToldCommand[];
  /** The table as the queue describes it with rows behind the commands, or as the catalogue had it when the last of them was read. */
  readonly announced: TableVersion;
  /** It is the catalogue's: it may be further than the commands. */
  readonly isCatalogue: boolean;
  /** Columns that do not travel: what becomes of them is no matter. */
  readonly excluded: ReadonlySet<string>;
}

/** What has become of a definition. */
export interface Followed {
  /** Null where it could not be told. */
  readonly definition: TableDefinition | null;
  /** Another name, type, key or number of columns than before. */
  readonly changed: boolean;
  /** Why rows may have changed without row events, or columns can't be told from each other; null where that is not so. */
  readonly unproven: string | null;
  /** What rows have that were there before, of each added column. */
  readonly existing: ReadonlyMap<number, string | null>;
  /** What was told is not proven yet, and may be by what comes behind it. */
  readonly waits: boolean;
}

/** One route's source node. Connections are opened when they are first needed. */
export interface Source {
  readonly order: PositionOrder;
  identity(): Promise<SourceIdentity>;
  /** How origin hops name the node of this identity: as Target.identity() names the same node. */
  originName(identity: SourceIdentity): string;
  /**
   * The same of a stored identity, where that tells it: the source itself need not be asked by whoever streams, since the stream begins only
   * where it is still that one. Null where it has to be asked.
   */
  storedOriginName?(stored: SourceIdentity): string | null;
  /** Tells the running server and its database from every other, physical copies too; equal to Target.instance() where they are one. */
  instance(): Promise<string>;
  /** The route's tables as they are now. */
  tables(): Promise<readonly TableVersion[]>;
  /**
   * What the catalogue says of a table now, at least as of the commit of the transaction `after`; null where there is no
   * such table.
   */
  facts(table: TableName, after: string | null): Promise<TableFacts | null>;
  /**
   * `facts` will soon be asked of these tables: what it says may be read for all of them at once, now. What was expected before is not any more; nor
   * is what `catalogue` has told since.
   */
  expectFacts?(tables: readonly TableName[]): void;
  /** What the catalogue says of tables now; those that are not there are missing. */
  catalogue(tables: readonly TableName[]): Promise<readonly TableFacts[]>;
  /** Of partitions of a table, as `storage` has them, that it got since it was looked at last: those that had rows before they were its partitions, though `attached` does not tell it. */
  filled?(table: TableName, partitions: readonly string[]): Promise<readonly string[]>;
  /** True where every stamp was given before `seen`, as a SchemaChange carries it. */
  settled(stamps: readonly string[], seen: string): boolean;
  /** True where the transaction of the stamp `a` got its id before `b`, which is a stamp or the id of a transaction part. */
  precedes(a: string, b: string): boolean;
  /** What told commands make of a definition, of a source whose queue has them (SchemaChange.told). */
  follow?(before: TableDefinition, options: FollowOptions): Followed;
  /** Size of the tables' rows, without indexes. */
  sizeBytes(tables: readonly TableName[]): Promise<number>;
  /** Labels of tables whose rows the queue tells from the first one on, behind the command that made them (ddl: replicate). */
  announced(): Promise<readonly string[]>;
  /** The sequences of these tables' columns. */
  sequences(tables: readonly TableName[]): Promise<readonly Sequence[]>;
  /** Sequences by their names, whatever they belong to. */
  namedSequences(patterns: readonly TablePattern[]): Promise<readonly SequenceState[]>;
  /** What the database has made of the route's tables. */
  schema(): Promise<DatabaseSchema>;
  /** What has to be mended at the source before the route can run, and what should be. */
  preflight(): Promise<readonly Finding[]>;
  /**
   * Makes the route's queue, dropping one of the same name that an interrupted start has left. Only called with the
   * `creating` checkpoint stored. Not for a given queue. `confirm` throws where another engine has the route by now; it is
   * asked on each new session before anything is dropped or made there, since a takeover ends only the sessions that it
   * finds.
   */
  createQueue(signal: AbortSignal, confirm: () => Promise<void>): Promise<QueueSnapshot>;
  /**
   * Puts tables that were made since into the route's queue, which keeps its position, and gives a view of exactly those
   * of them that are still there: a change of theirs that was committed before the view's position is in the view, and each later one is in the queue. Nobody
   * reads the queue meanwhile. Repeatable. The view is never discarded, only closed.
   */
  addTables(tables: readonly TableVersion[], signal: AbortSignal): Promise<QueueSnapshot>;
  /**
   * As `addTables`, while the queue is read, and without a view: resolves when every transaction that is committed from the given position on has
   * all its changes of the tables in the queue. Waits for transactions that are open; with synchronous commit these wait for the queue's reader.
   */
  publishTables(
    tables: readonly TableVersion[],
    signal: AbortSignal,
    options?: { /** By `enterTables`, and whoever asks knows which of them have keys. */ readonly entered: boolean },
  ): Promise<PublishedTables>;
  /** COMMITs at the source wait for the route while it streams, or may: nothing is to wait for open transactions while it does not. */
  isAwaited(): Promise<boolean>;
  /**
   * Puts tables into the route's queue, which may be read meanwhile, and waits for nothing: what is under way may be there in parts, until
   * `publishTables`, which puts those in that somebody keeps a lock on. Repeatable.
   */
  enterTables(tables: readonly TableVersion[]): Promise<void>;
  /**
   * Takes out of the queue that the route owns what the route no longer means: tables, and the capture of commands. What it
   * has of them already stays. `carried`: ids of the tables that the route is registered with; they stay whatever their names are now, or
   * one that was renamed would leave without a word. Repeatable. Returns the labels of the tables that were taken out.
   */
  tidyQueue(carried: readonly string[]): Promise<readonly string[]>;
  /** Where the queue that exists (given, or prepared) would start; null where there is none. */
  queuePosition(): Promise<Position | null>;
  /**
   * Makes the route's queue for a copy by other means and notes at the source that it is one; gives it once more where it is there.
   * Throws where the queue is in use, or somebody else's.
   */
  prepareQueue(request: PrepareRequest, signal: AbortSignal): Promise<PreparedQueue>;
  /** Where the copy for which the queue was prepared stands; null where it was not. Throws where nobody could start there any more. */
  prepared(): Promise<Position | null>;
  /** Whether a session of ours computes, reads, or waits for somebody else there, for a load: not where it waits for us. */
  isLoading(): Promise<boolean>;
  /** Ends the sessions that read or make the route's queue, where there are some: a takeover from a frozen engine. */
  endQueueSessions(): Promise<void>;
  /**
   * For a new name of the route: makes beside the queue what the one of `twin` needs, and returns what `twinIsReady` asks by.
   * Repeatable.
   */
  makeTwin(twin: RouteDefinition): Promise<string>;
  /** From now on a mark is behind everything that the twin can't be used for. */
  twinIsReady(made: string): Promise<boolean>;
  /** The queue under the name of the twin, at a position that the route has confirmed; it goes on meanwhile. Repeatable. */
  copyQueue(twin: RouteDefinition): Promise<void>;
  /** Throws where the queues of both names are no longer of the same tables. */
  demandTwin(twin: RouteDefinition): Promise<void>;
  /**
   * Drops what the route owns at the source. Repeatable. Returns statements for what the user may not drop. `confirm` is called
   * on the open connection, which `endQueueSessions` of whoever takes the route over ends: it throws where the route is another's by then.
   */
  dropQueue(confirm?: () => Promise<void>): Promise<readonly string[]>;
  /** Streams; `stored` is the identity that the checkpoint was made with. */
  collector(stored: SourceIdentity, options: CollectorOptions): Collector;
  /** Reads rows while the Collector that was made last streams. Its methods wait for that one, and fail (retry) when it has ended. */
  reader(): SourceReader;
  /** For a compare, on sessions of its own; an abort ends what is under way. */
  compareSide(signal: AbortSignal): CompareSide;
  /** Commits a mark to the queue; whoever has passed the returned position has everything committed before the call. */
  mark(): Promise<Position>;
  status(): Promise<SourceStatus>;
  close(): Promise<void>;
}

/** Tables as they are at a position of the queue, from which on their changes are in it. Those that have gone meanwhile are missing. */
export interface PublishedTables {
  readonly position: Position;
  /** COMMITs at the source wait for the route. */
  readonly isSynchronous: boolean;
  readonly tables: readonly TableVersion[];
  readonly facts: readonly TableFacts[];
}

export interface CarriedTable {
  readonly label: string;
  /** Null where nothing is known but the label. */
  readonly known: (TableName & { /** TableFacts.id */ readonly id: string }) | null;
  /** Where its changes begin, of one that came later. */
  readonly from: Position | null;
}

export interface EarlyReading {
  /** False while somebody has to know of a transaction's end before its rows. */
  isWelcome(): boolean;
  /** Called before anything is given out early, and before one is refused: what was given out has ended before `end`, as far as the session knew when it began. */
  onEarly(end: Position): void;
}

export interface CollectorOptions {
  /** The tables that the route has begun with; null: all that are selected. */
  readonly carried: readonly CarriedTable[] | null;
  /** Selected tables that are not carried have appeared. Called with each look that finds others than the one before. */
  onNewTables?(tables: readonly string[]): void;
  /** Labels of selected tables that are in the queue and that the route is about to begin with: their rows are left out. */
  readonly joining?: readonly string[];
  /** Carried tables whose definition or storage is another one than at the look before; all of them with the first. */
  onTouched?(tables: readonly string[]): void;
  readonly budget: ByteBudget;
  readonly heartbeatMs: number;
  /** Labels of the source tables that the route has replicated so far: their changes must still come. */
  readonly replicated?: readonly string[];
  /** A new identity that is as good as the stored one (a timeline that forked after the checkpoint). */
  onIdentity(source: SourceIdentity): Promise<void>;
  /** What the source keeps for the route, measured now and then; `room` as in SourceStatus. */
  onRetained(bytes: number, room?: QueueRoom | null): void;
  /** The route has not moved for a while: what the source does for it is looked at with the next heartbeat. */
  isStill?(): boolean;
  /** The source reads its log for the route: it moves on, although nothing has come yet. */
  onWorking?(): void;
  /** The source's clock minus this host's, in milliseconds, as measured with each heartbeat that was committed. */
  onClockOffset?(offsetMs: number): void;
  /** With each heartbeat: the end of what the source has written, of other databases, too. */
  onWritten?(end: Position): void;
  /** A window between two watermarks is open, or its first one is on its way: TransactionPart.replicated is wanted. */
  isWatched?(): boolean;
  /**
   * Large transactions that had ended before may be given out as they are decoded, before their commit. Where one turns out not to go this way, the stream
   * ends with sourceErrors.readWhole. Absent: each comes when its commit was read.
   */
  readonly early?: EarlyReading;
  readonly meter: WorkMeter;
}
