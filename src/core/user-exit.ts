import type { Column } from './table.ts';

/** A value as the source's server writes it as text; a Buffer for bytes. */
export type ExitValue = string | Buffer | null;

/** Values by column name. */
export type ExitRow = Readonly<Record<string, ExitValue>>;

export interface ExitTable {
  /** `schema.table` at the source. */
  readonly name: string;
  /** As the transforms before the exit leave them. */
  readonly columns: readonly Pick<Column, 'name' | 'type' | 'modifier' | 'key'>[];
  /** What the configuration gives under `with`. */
  readonly options: unknown;
}

/** One version of one table. */
export interface BoundExit {
  /** Columns that `row` reads; without it, all. Others are not in the row that it is given. */
  readonly reads?: readonly string[];
  /** Columns that it makes: new ones, or with another type than before. Types as in `ExitTable`. */
  readonly writes?: readonly { readonly name: string; readonly type: string; readonly modifier?: number }[];
  /**
   * True where a row may become none or several, or the key another: the source then has to log whole old rows
   * (REPLICA IDENTITY FULL), since the rows that were made of an old row have to be found again.
   */
  readonly reshapes?: boolean;
  /** Of a reshaping exit: columns that tell the rows of one source row apart. */
  readonly key?: readonly string[];
  /**
   * What becomes of a row. Values that it leaves out stay as they were. The same row must always give the same: no
   * clock, no random numbers, nothing from outside. An exception halts the route.
   */
  row(row: ExitRow): ExitRow | readonly ExitRow[] | null;
}

/** The default export of a module that a route names with `use`. */
export interface UserExit {
  bind(table: ExitTable): BoundExit;
}
