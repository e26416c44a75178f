import type { Row } from './cell.ts';
import type { Change, ShareTest, TableShare } from './change.ts';
import type { CompareSide, RowKey } from './compare-side.ts';
import type { Consumer } from './consumer.ts';
import type { TidelockError } from './errors/tidelock-error.ts';
import type { Finding } from './finding.ts';
import type { BegunLoad } from './load.ts';
import type { Logger } from './logger.ts';
import type { Position, PositionOrder } from './position.ts';
import type { Repairer } from './repairer.ts';
import type { RouteDefinition } from './route.ts';
import type { RouteDescription } from './route-description.ts';
import type {
  RouteStateStore,
  SourceIdentity,
  StoredCheckpoint,
  StoredTable,
  TablesChange,
} from './route-state-store.ts';
import type { Sequence, SequenceMove, SequenceSet, SequenceState } from './sequence.ts';
import type { Column, SharedTable, TableName, TableVersion } from './table.ts';
import type { TablePattern } from './table-pattern.ts';
import type { DatabaseSchema, NamingRules, SchemaComparison, SchemaStatement } from './table-schema.ts';
import type { WorkMeter } from './work-meter.ts';

export interface TargetOptions {
  readonly route: RouteDefinition;
  readonly logger: Logger;
  /** Of the route's source. */
  readonly order: PositionOrder;
}

/** A change, as it was stored, that has no value or form. */
export type OnRefused = (change: Change) => void;

export interface ConsumerOptions {
  /** Every target transaction checks that it is still this one. */
  readonly epoch: bigint;
  readonly checkpoint: Extract<StoredCheckpoint, { phase: 'ready' }>;
  /** Names the source node in origin markers. */
  readonly sourceNode: string;
  /** Maps parked changes that the transforms had no value for. Throws (halt) where they still have none; with `onRefused` these are told, and left out. */
  map(changes: Change[], position: string, onRefused?: OnRefused): Promise<Change[]>;
  /** Which rows of a shared table a truncate means. Throws (halt) where the rows no longer tell. */
  share(share: TableShare): ShareTest;
  readonly meter: WorkMeter;
}

export interface LoaderOptions {
  readonly epoch: bigint;
  /** Names the source node and the queue's first position in the origin marker: no route carries the rows back. */
  readonly sourceNode: string;
  readonly position: Position;
}

/** Copies whole tables in one target transaction that also stores the checkpoint. */
export interface Loader {
  /** In the order in which they have to be loaded: tables before those that point to them. */
  sort(tables: readonly TableVersion[]): Promise<TableVersion[]>;
  /** Deletes the rows that are there, tables that point to others first. Throws where that would change other tables. */
  empty(tables: readonly TableVersion[]): Promise<void>;
  /** `table` is mapped: the target's names. It has to be empty. Returns the number of rows. */
  load(table: TableVersion, batches: AsyncIterable<readonly Row[]>): Promise<number>;
  /**
   * Of tables that are loaded beside the stream, from `commit` on: checks that they are empty, or empties them, as each load says. Throws
   * (loadUnderForeignKey) before anything is written where rows must not be missing.
   */
  begin(loads: readonly BegunLoad[]): Promise<void>;
  /**
   * In place of `commit`, of loads without a key that were stored before: the rows that are there go, and what was committed at the source before the
   * position is not taken. Absent where Target.takesKeyless is.
   */
  beginAnew?(loads: readonly BegunLoad[]): Promise<void>;
  commit(source: SourceIdentity, position: Position, applied: RouteDescription): Promise<void>;
  /** For tables that came later: registers them with their rows; the checkpoint stays. */
  commitTables(tables: readonly StoredTable[]): Promise<void>;
  /** For a route that is applied anew. The checkpoint stays. */
  commitChange(change: TablesChange): Promise<void>;
  abort(): Promise<void>;
}

export interface CarryOutOptions {
  readonly signal: AbortSignal;
  onBegin(statement: SchemaStatement): void;
  /** The others are carried out all the same: of those that want what this one makes each is refused by itself. */
  onRefused(statement: SchemaStatement, error: TidelockError): void;
}

/** A column as the target has it. */
export interface TargetColumn extends Pick<Column, 'name' | 'type' | 'modifier' | 'definition'> {
  /** Its collation may hold texts for equal that differ, which its type does not tell. */
  readonly folds?: true;
  /** Part of a unique index without NULLs: where the whole row is logged, rows may be found by it. */
  readonly unique?: true;
}

/** How rows of one mapped table get into the forms of a target of another vendor. */
export interface TableCarrier {
  /** `onRefused` is told each column, by its name at the target, whose value has no form there; NULL stands for it. */
  row(row: Row, onRefused: (column: string) => void): Row;
  /** True where no value of the column, by its name at the target, is made another one. */
  keeps(column: string): boolean;
  /** Null where nobody could tell by a key of the target which one of the source it is. `columns`: by the target's names. */
  keys(columns: readonly string[]): KeyCarrier | null;
}

/** Keys as the two CompareSides write them. */
export interface KeyCarrier {
  /** Null where there is no such key at the target. */
  there(key: RowKey): RowKey | null;
  /** Null where the source can't have such a key. */
  back(key: RowKey): RowKey | null;
}

/** Rows of a table, counted up to a limit. */
export interface RowCount {
  readonly table: string;
  readonly rows: number;
  /** There are more. */
  readonly more: boolean;
}

/** One route's target node. */
export interface Target {
  readonly naming: NamingRules;
  /** Its Consumer can take rows of a load beside the stream that nothing but all of their values tells apart. */
  readonly takesKeyless?: true;
  /** Tells this node from every other, as origin hops name it. */
  identity(): Promise<string>;
  /** The sequences of these tables' columns. */
  sequences(tables: readonly TableName[]): Promise<readonly Sequence[]>;
  /** Sequences by their names, whatever they belong to. */
  namedSequences(patterns: readonly TablePattern[]): Promise<readonly SequenceState[]>;
  /** Sets a sequence, unless others have taken it further since it was read. */
  setSequence(move: SequenceMove): Promise<SequenceSet>;
  /** The target table's columns, with their types as this vendor names them; none where it does not exist. */
  columns(table: TableName): Promise<readonly TargetColumn[]>;
  rowCounts(tables: readonly SharedTable[]): Promise<readonly RowCount[]>;
  /** Labels of those that hold no row of the route's. */
  emptyTables(tables: readonly SharedTable[]): Promise<readonly string[]>;
  /** Tells the running server and its database from every other, physical copies too; equal to Source.instance() where they are one. */
  instance(): Promise<string>;
  /** What the target lacks of the description, whose expressions are of the same dialect. */
  compareSchema(expected: DatabaseSchema): Promise<SchemaComparison>;
  /** One after the other, each by itself. Throws where the server is lost. */
  carryOut(statements: readonly SchemaStatement[], options: CarryOutOptions): Promise<void>;
  /** Checks each mapped table against what is there: columns, types, keys, triggers, privileges. */
  preflight(tables: readonly TableVersion[]): Promise<readonly Finding[]>;
  /** For a compare, on sessions of its own; an abort ends what is under way. */
  compareSide(signal: AbortSignal): CompareSide;
  /** Of a target of another vendor: for whoever looks at its rows beside those of the source. `table` as mapped. */
  carrier?(table: TableVersion): Promise<TableCarrier>;
  /** On a session of its own. */
  repairer(): Promise<Repairer>;
  /** What the begin of each of these loads beside the stream would halt with: one error of a load at most. Changes nothing. */
  checkLoads(loads: readonly BegunLoad[]): Promise<readonly TidelockError[]>;
  /** The state store, on a connection of its own. Each call opens a new one. */
  state(): Promise<RouteStateStore>;
  loader(options: LoaderOptions): Promise<Loader>;
  consumer(options: ConsumerOptions): Promise<Consumer>;
  /** Finds out what became of an alteration of a table that commits by itself, which an engine has begun and not seen the end of. Under the lease. */
  settle?(epoch: bigint): Promise<void>;
  /** A preflight and a Consumer will be asked for: their sessions may be opened by then. What was not needed is closed when the signal aborts. */
  expectConsumer?(signal: AbortSignal): void;
  close(): Promise<void>;
}
