import type { Row } from './cell.ts';
import type { Position } from './position.ts';
import type { Evolution } from './schema-step.ts';
import type { TableName, TableVersion } from './table.ts';

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
}

export interface TruncateChange {
  readonly kind: 'truncate';
  tables: TableVersion[];
  readonly restartIdentity: boolean;
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
  /** Set by the pipeline where the target has to follow. */
  evolution?: Evolution;
  /** Where the source transaction that brought it was committed. */
  readonly at: Position;
}

/**
 * A change for which the route's transforms have no value, as it came from the source. It halts where it is met, or its
 * transaction is set aside; when that is tried again the transforms are asked once more.
 */
export interface UnmappedChange {
  readonly kind: 'unmapped';
  readonly change: RowChange | TruncateChange;
  /** The mapped tables that its rows could have gone to. */
  readonly tables: readonly TableVersion[];
}

/** Tidelock's own record in the change queue: measures lag, and moves an idle route's position on. */
export interface HeartbeatChange {
  readonly kind: 'heartbeat';
  /** Who wrote it: deployment/route, or a wait mark. */
  readonly id: string;
  /** Source clock, milliseconds since 1970. */
  readonly sentAtMs: number;
}

/** A DDL command of the source, in its place among the rows (ddl: replicate). */
export interface DdlChange {
  readonly kind: 'ddl';
  /** ALTER TABLE, CREATE INDEX, ... */
  readonly tag: string;
  /** As the source names it: for messages. */
  readonly object: string;
  /** The source table that it is about; null where that is only known at the target (DROP INDEX). */
  readonly table: TableName | null;
  /** The whole text that the client sent, with perhaps other commands beside this one; null where it can't be taken. May hold values: never logged. */
  readonly text: string | null;
  /** Why it can't be carried, as the source knows it; null where nothing speaks against it there. */
  readonly obstacle: 'nested' | 'rewrite' | 'text' | null;
  /** Session settings under which the text means what it meant at the source, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** What rows have that were there before, by column, as the source's catalogue writes it. */
  readonly missing: Readonly<Record<string, string>>;
  /** A route brought it to the source: it is not carried, and tells only what a definition that follows comes from. */
  readonly applied: boolean;
  /** Where the source transaction was committed. */
  readonly at: Position;
}

export type RowChange = InsertChange | UpdateChange | DeleteChange;
export type Change = RowChange | TruncateChange | UnmappedChange | SchemaChange | DdlChange | HeartbeatChange;

export function isRowChange(change: Change): change is RowChange {
  return change.kind === 'insert' || change.kind === 'update' || change.kind === 'delete';
}
