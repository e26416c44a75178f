/** A column as the change queue describes it. */
export interface Column {
  readonly name: string;
  /** Schema-qualified type name as the source has it, without modifier: `pg_catalog.numeric`, `public.mood`. */
  readonly type: string;
  /** The server's type modifier (PostgreSQL: atttypmod), -1 where there is none. */
  readonly modifier: number;
  /** Part of the replica identity: its old value is in every old key. */
  readonly key: boolean;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** What the old image of an update or delete carries: the primary key, a chosen index, every column, or nothing. */
export type ReplicaIdentity = 'default' | 'index' | 'full' | 'nothing';

/**
 * One version of one table's definition. A new object is made for each definition that the change queue announces,
 * so that identity (===) tells versions apart; every change refers to the version that it was decoded with.
 */
export interface TableVersion {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly Column[];
  readonly identity: ReplicaIdentity;
  /**
   * Names of generated columns, which do not travel: the target computes its own. Known of the tables that the
   * catalogue describes, absent of those that the queue does.
   */
  readonly generated?: readonly string[];
  /**
   * Only of mapped tables: rows that the source deletes stay at the target, marked in a column or not, so that an
   * insert replaces the row with its key. Absent where deletes delete.
   */
  readonly kept?: { readonly mark: { readonly column: number; readonly value: string | null } | null };
}

/** `schema.name`, quoted only where it would be ambiguous: for messages and map keys, never for SQL. */
export function tableLabel(table: TableName): string {
  const part = (text: string): string => (/^[^".]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`);
  return `${part(table.schema)}.${part(table.name)}`;
}
