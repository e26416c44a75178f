import type { Row } from './cell.ts';
import type { RowPieces } from './row-set.ts';
import type { ReadPart } from './source-reader.ts';
import type { TableVersion } from './table.ts';

/** What a load does about rows that are at the target already. */
export type Existing = 'refuse' | 'merge' | 'replace';

/** Why loads beside the stream rest: changes are late at the target, or what they may read in a second, or of the time, is used up. */
export type LoadWait = 'lag' | 'rate' | 'share';

/** A load of one source table beside the stream. Stored at the target, in the transactions of its chunks. */
export interface StoredLoad {
  /** Label of the source table. */
  readonly source: string;
  /** Labels of the target tables. */
  readonly targets: readonly string[];
  readonly existing: Existing;
  /** Only rows for which it is true: a condition on the key, in the language of `owns`, with the source's names. Null: all rows. */
  readonly where: string | null;
  /** Rows of the target that it replaces are still there; nothing of the source was read. */
  readonly emptying: boolean;
  /** Names of the columns by which its ranges are cut. */
  readonly key: readonly string[];
  /** Key of the last row that is loaded; null before the first one. */
  readonly after: readonly string[] | null;
  /** All ranges are loaded. */
  readonly ended: boolean;
  /** Keys that have to be read again. */
  readonly again: readonly (readonly string[])[];
  /** What was read of the source so far, and what the source thought that there is when it began. */
  readonly rows: number;
  readonly bytes: number;
  readonly expectedRows: number;
  readonly expectedBytes: number;
  /** The job that has asked for it; null of a route's initial load. */
  readonly job: number | null;
  /** The target has all rows of the table. */
  readonly done: boolean;
  /** TableFacts.id of the table that its rows were read of; null before the first. */
  readonly tableId: string | null;
}

/** A load as it begins. */
export type NewLoad = Omit<
  StoredLoad,
  'after' | 'ended' | 'again' | 'rows' | 'bytes' | 'done' | 'tableId' | 'emptying'
>;

/**
 * What a load demands of the key by which a target table's rows are found: of each of these columns, by their names there, it has one. Without them it may
 * be the same for several rows of the source, and a row that was not loaded yet be taken for one that is there.
 */
export type Telling = readonly (readonly string[])[];

/** `key`: names of the columns by which the target finds rows. */
export function tellsApart(key: readonly string[], telling: Telling): boolean {
  return telling.every((names) => names.some((name) => key.includes(name)));
}

/** Rows of one target table. */
export interface RowSet {
  readonly table: TableVersion;
  readonly telling: Telling;
  /** They have changed while they were read, so that the stream may have brought them already. */
  readonly touched: boolean;
  /** As text of `core/row-text.ts`, whole rows in each piece, with the cells in the order of `table.columns`; or as rows, which may not be made yet. */
  readonly rows: { readonly text: readonly Buffer[]; readonly count: number } | RowPieces | readonly Row[];
}

/** How far a load is with a chunk. */
export interface ChunkProgress {
  readonly after: readonly string[] | null;
  readonly ended: boolean;
  /** Of `StoredLoad.again`: they have been read. */
  readonly readAgain: readonly (readonly string[])[];
  readonly rows: number;
  readonly bytes: number;
  /** The target has all rows of the table. */
  readonly done: boolean;
  readonly tableId: string;
}

/**
 * Rows of one source table as they are at the end of the transaction that carries them: what the stream brings before it is in them, what
 * it brings later is not. One that is at the target already is the same, unless the load merges.
 */
export interface LoadedChunk {
  readonly source: string;
  /** Tells the load that it is of from others of the table. */
  readonly load: string;
  readonly sets: readonly RowSet[];
  readonly progress: ChunkProgress;
  /** In place of rows: some of those that the load replaces go. */
  readonly empties?: Replaced;
  /** They have all gone. Set by the Consumer. */
  emptied?: boolean;
  /** What it holds of what loads may have under way, until it is applied. */
  readonly reserved: { readonly bytes: number; readonly ms: number };
  /** How long the target has worked on it. Set by the Consumer. */
  appliedMs?: number;
}

/** Rows of target tables that a load replaces. */
export interface Replaced {
  readonly tables: readonly TableVersion[];
  /** Only those of its `where`; null: all that are the route's. */
  readonly where: ReplacedPart | null;
}

/** A condition in the source's names, and what these are in each of the tables, in their order. */
export interface ReplacedPart extends ReadPart {
  readonly names: readonly ReadonlyMap<string, string>[];
}

/** A load that begins where its part is: rows of the target tables go first, where it replaces them. */
export interface BegunLoad {
  readonly load: NewLoad;
  readonly tables: readonly TableVersion[];
  /** Of each of them. */
  readonly telling: readonly Telling[];
  /** Its `where` at the target; null of all rows. */
  readonly where: ReplacedPart | null;
}
