import type { Row } from './cell.ts';
import type { ToldCommand } from './column-alteration.ts';
import type { Position } from './position.ts';
import type { StoredTable } from './route-state-store.ts';
import type { Evolution } from './schema-step.ts';
import type { TableName, TableVersion } from './table.ts';
import type { TableFacts } from './table-facts.ts';

/**
 * Row changes are one object and one array a row (two where an old image was logged). `table` is writable because the
 * pipeline replaces the source's definition by the mapped one without copying the change.
 */
export interface InsertChange {
  readonly kind: 'insert';
  table: TableVersion;
  after: Row;
}

export interface UpdateChange {
  readonly kind: 'update';
  table: TableVersion;
  /** Old image: null where the key did not change and nothing else is logged; unlogged cells are ABSENT. */
  before: Row | null;
  /** New image; a cell may be UNCHANGED. */
  after: Row;
}

export interface DeleteChange {
  readonly kind: 'delete';
  table: TableVersion;
  /** Old image; cells that are not logged are ABSENT. */
  before: Row;
  /** Of a row that comes anew, or has come by another key: it goes, whatever the route does about deletes. Set by the pipeline. */
  readonly replaced?: true;
}

export interface TruncateChange {
  readonly kind: 'truncate';
  tables: TableVersion[];
  /** Those of `tables` that hold rows of others, too: only what came from the source goes. Set by the pipeline. */
  shares?: readonly TableShare[];
  readonly restartIdentity: boolean;
}

/** What came from one source table of what a target table holds. */
export interface TableShare {
  /** As mapped. */
  readonly table: TableVersion;
  readonly source: TableVersion;
}

/** Tells the rows of a share from others. */
export interface ShareTest {
  /** Indexes of the columns of the target table that it reads. */
  readonly columns: readonly number[];
  /** Whether a row of the target table came from the source; cells that are not among `columns` are not looked at. */
  isOurs(row: Row): boolean;
}

/**
 * The definition of a table as announced by the change queue; `from` is null the first time this stream meets it, and
 * the same as `to` where the queue has announced it again, since something about the table may have changed.
 */
export interface SchemaChange {
  readonly kind: 'schemaChange';
  readonly from: TableVersion | null;
  to: TableVersion;
  /** TableFacts.id of the table that it was announced of. */
  readonly tableId: string;
  /** Stamps that are settled in here were given before this change (Source.settled), null where nothing is known. */
  readonly seen: string | null;
  /**
   * Of a source whose queue has commands as text (Source.follow): what the command does, in its place, with `to` as the catalogue has it by then; null with
   * the rows behind. Absent of others.
   */
  readonly told?: ToldCommand | null;
  /** Set by the pipeline where the target has to follow. */
  evolution?: Evolution;
  /** Where the source transaction that brought it was committed; of a source with `told` the place in front of it. */
  readonly at: Position;
  /** Of a source with `told`: no position covers it that does not have the transaction itself. */
  readonly until?: Position;
}

/**
 * A change for which the route's transforms have no value, as it came from the source, or the target's vendor no form. It halts where
 * it is met, or its transaction is set aside; when that is tried again these are asked once more.
 */
export interface UnmappedChange {
  readonly kind: 'unmapped';
  readonly change: RowChange | TruncateChange;
  /** The mapped tables that its rows could have gone to. */
  readonly tables: readonly TableVersion[];
  /** The transforms have made it what it is: only the form of a value that the target has is missing (pipeline/bridge). */
  readonly mapped?: true;
  /** Of a row where only values lack a form: what is known of it. Not stored with it. */
  readonly known?: KnownChange;
}

/** A change as the target is to see it, but for some columns. */
export interface KnownChange {
  /** NULL stands for what has no form. */
  readonly change: RowChange;
  /** Names of the columns whose values, old or new, have none. */
  readonly lacking: readonly string[];
}

/** Tidelock's own record in the change queue: measures lag, and moves an idle route's position on. */
export interface HeartbeatChange {
  readonly kind: 'heartbeat';
  /** Who wrote it: deployment/route, or a wait mark. */
  readonly id: string;
  /** Source clock, milliseconds since 1970. */
  readonly sentAtMs: number;
}

/**
 * Tidelock's own record in the change queue, of a transaction of its own: what was read of the source between two of them is
 * true at the second, but for the rows that have changed in between (pipeline/watermark-windows.ts).
 */
export interface WatermarkChange {
  readonly kind: 'watermark';
  /** As it was written (WatermarkWriter). */
  readonly id: string;
}

/** A DDL command of the source, in its place among the rows (ddl: replicate). */
export interface DdlChange {
  readonly kind: 'ddl';
  /** ALTER TABLE, CREATE INDEX, ... */
  readonly tag: string;
  /** As the source names it: for messages. */
  readonly object: string;
  /** The source table that it is about, under the name that it has after the command; null where it is about no table. */
  readonly table: TableName | null;
  /** Of the object itself, without its schema. */
  readonly name: string;
  /** The whole text that the client or a block of code has given, with perhaps other commands beside this one; null where it can't be taken. May hold values: never logged. */
  readonly text: string | null;
  /** How many commands of this kind on this object the text had before this one. */
  readonly ordinal: number;
  /** Made of the catalogue, in place of the text. */
  readonly statement: string | null;
  /** Why it can't be carried, as the source knows it, in words; null where nothing speaks against it there. */
  readonly obstacle: string | null;
  /** Of a kind that the target goes without. It is told, and not carried. */
  readonly leftOut: boolean;
  /** Rows were written anew: for other types of their columns only, for values of added columns, or for whatever else. */
  readonly rewritten: 'types' | 'values' | 'other' | null;
  /** Session settings under which the text means what it meant at the source, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The table as the command has left it; null where the command changes nothing that the queue announces. */
  readonly facts: TableFacts | null;
  /** What has gone, of a command that drops. */
  readonly dropped: readonly DroppedObject[];
  /** Which tables the route carries from here on. */
  readonly tables: CarriedTables | null;
  /** Set by the pipeline: replaces what is stored about `table`. */
  stored?: StoredTable;
  /** It is at the target already: brought to the source by a route, or carried out by a person. Only what it means for the rows that follow is taken. */
  applied: boolean;
  /** Where the source transaction was committed. */
  readonly at: Position;
}

export interface DroppedObject {
  /** table, index, type, ... */
  readonly type: string;
  /** Null of what is in no schema. */
  readonly schema: string | null;
  readonly name: string;
  /** Of a constraint. */
  readonly table?: string;
  /** It was not named, and has gone with what was. */
  readonly cascaded?: true;
}

export type CarriedTables =
  | { readonly kind: 'created' }
  | { readonly kind: 'renamed'; readonly from: TableName }
  | { readonly kind: 'dropped'; readonly names: readonly TableName[] };

export type RowChange = InsertChange | UpdateChange | DeleteChange;
export type Change =
  | RowChange
  | TruncateChange
  | UnmappedChange
  | SchemaChange
  | DdlChange
  | HeartbeatChange
  | WatermarkChange;

export function isRowChange(change: Change): change is RowChange {
  return change.kind === 'insert' || change.kind === 'update' || change.kind === 'delete';
}
