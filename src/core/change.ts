import type { Row } from './cell.ts';
import type { Position } from './position.ts';
import type { Evolution } from './schema-step.ts';
import type { TableVersion } from './table.ts';

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

export type RowChange = InsertChange | UpdateChange | DeleteChange;
export type Change = RowChange | TruncateChange | UnmappedChange | SchemaChange | HeartbeatChange;
