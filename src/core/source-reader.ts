import type { Row } from './cell.ts';
import type { BoundShare } from './owned-share.ts';
import type { TableName } from './table.ts';
import type { TableFacts } from './table-facts.ts';
import type { StoredPart } from './table-places.ts';

/** What tells a table's rows apart, and orders them for reading in ranges. */
export interface ReadKey {
  /** Names of the columns, in the key's order. Each old image in the change queue carries them where they have changed. */
  readonly columns: readonly string[];
  /** Those of them of which the server may hold values equal that are written differently. */
  readonly folded?: readonly string[];
}

/** Which rows are read: the next ones of the key's order, or those of exactly these keys. Values are canonical text; of bytes `\\x` and their hexadecimal form. */
export type ReadRange =
  | {
      readonly kind: 'after' /** Null: from the first row on. */;
      readonly key: readonly string[] | null;
      readonly rows: number;
    }
  | { readonly kind: 'keys'; readonly keys: readonly (readonly string[])[] };

/** A condition in the language of `owns`. */
export type ReadPart = Pick<BoundShare, 'text' | 'plain'>;

export interface ReadRequest {
  readonly table: TableName;
  readonly key: ReadKey;
  /** Names of the columns to read, in this order; those of the key are among them. */
  readonly columns: readonly string[];
  readonly range: ReadRange;
  /** Of a range only rows for which it is true. Exact keys are read whatever it says. */
  readonly where?: ReadPart | null;
  /** The low watermark: everything that the stream brings before it is in what is read. */
  readonly low: string;
  /** A range ends early where it has more, with whole rows, at least one. */
  readonly maxBytes: number;
}

/** Rows of a table as of one moment that is behind the low watermark, and before any that is written after the call. */
export interface ReadRows {
  /**
   * In the text format of COPY: a line a row, tabs between cells, \N for NULL, a backslash before what would be mistaken; valid UTF-8.
   * `src/core/row-text.ts` reads it.
   */
  readonly text: readonly Buffer[];
  /** In place of `text`, of a source whose values are not all text: the rows, with their cells in the order of the columns that were asked for. */
  readonly cells?: readonly Row[];
  readonly rows: number;
  readonly bytes: number;
  /** Key of the last row, where there is one. */
  readonly last: readonly string[] | null;
  /** There are no rows behind these in the key's order; always true of exact keys. */
  readonly ended: boolean;
  /** What the catalogue said of the table at that moment. Nobody could change its definition while it was read. */
  readonly facts: TableFacts;
}

/** Size of a table as the source knows it without counting. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Reads rows of one source while its Collector streams, on sessions of its own, so that reading never holds up the stream.
 *
 * What was read between two watermarks is true at the second one but for the rows that the stream has changed in between:
 * pipeline/watermark-windows.ts tells which. Methods throw TidelockErrors; after one with recovery `retry` the reader is still good.
 */
export interface SourceReader {
  /**
   * Commits a watermark to the change queue, where it comes as a WatermarkChange, behind everything that was committed before
   * the call. Resolves once the Collector has read it.
   */
  watermark(id: string, signal: AbortSignal): Promise<void>;
  /** Null where nothing tells the table's rows apart that every old image carries. */
  key(table: TableName): Promise<ReadKey | null>;
  /** `where`: only of rows for which it is true, as in ReadRequest. */
  size(table: TableName, where?: ReadPart | null): Promise<TableSize>;
  /** What the table's rows are stored in, where they can be read by their places; else null. Absent: of no table. */
  places?(table: TableName): Promise<readonly StoredPart[] | null>;
  /** Whether the table has any row. */
  hasRows(table: TableName): Promise<boolean>;
  read(request: ReadRequest, signal: AbortSignal): Promise<ReadRows>;
  /**
   * Runs something with the name of a snapshot that sees all that the stream has brought by now, which others can take up while it runs. The
   * table can't be written anew meanwhile.
   */
  snapshot<T>(table: TableName, signal: AbortSignal, run: (snapshot: string) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
