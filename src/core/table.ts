import type { PlainCondition } from './plain-condition.ts';

/**
 * What a type is made of, where its name alone does not say which values it has: two databases may each have a type of
 * one name. Domains stand for what they are made of; `modifier` is PostgreSQL's, -1 where there is none.
 */
export type TypeDefinition =
  | { readonly kind: 'base'; readonly name: string; readonly modifier: number }
  | { readonly kind: 'enum'; readonly name: string; readonly labels: readonly string[] }
  | { readonly kind: 'array'; readonly element: TypeDefinition }
  | {
      readonly kind: 'composite';
      readonly name: string;
      readonly fields: readonly { readonly name: string; readonly type: TypeDefinition }[];
    }
  /** A multirange's subtype is its range. */
  | { readonly kind: 'range'; readonly name: string; readonly subtype: TypeDefinition };

/** A column as the change queue describes it. */
export interface Column {
  readonly name: string;
  /** Schema-qualified type name as the source has it, without modifier: `pg_catalog.numeric`, `public.mood`. */
  readonly type: string;
  /** The server's type modifier (PostgreSQL: atttypmod), -1 where there is none. */
  readonly modifier: number;
  /** Part of the replica identity: its old value is in every old key. */
  readonly key: boolean;
  /** Known of the tables that the catalogue describes, and of types that are made of others. */
  readonly definition?: TypeDefinition;
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
   * Columns of each unique index by which the source tells rows apart at any moment: where whole rows are logged, of
   * tables that the catalogue describes. The queue says nothing of it then.
   */
  readonly uniqueKeys?: readonly (readonly string[])[];
  /**
   * Only of mapped tables: rows that the source deletes stay at the target, marked in a column or not, so that an
   * insert replaces the row with its key. Absent where deletes delete.
   */
  readonly kept?: { readonly mark: { readonly column: number; readonly value: string | null } | null };
  /** Only of mapped tables: other routes write the target table, too, and only rows for which this is true are this one's. In the language of conditions, over columns of the key. */
  readonly owns?: { readonly text: string; readonly columns: readonly string[]; readonly plain: PlainCondition | null };
}

/** A table, and which of its rows are meant. */
export type SharedTable = TableName & Pick<TableVersion, 'owns'>;

/** `schema.name`, quoted only where it would be ambiguous: for messages and map keys, never for SQL. */
export function tableLabel(table: TableName): string {
  const part = (text: string): string => (/^[^".]+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`);
  return `${part(table.schema)}.${part(table.name)}`;
}

/** The table that a label names; null of what is none. */
export function tableOfLabel(label: string): TableName | null {
  const parts = label.match(/"(?:[^"]|"")*"|[^".]+/g) ?? [];
  const [schema, name] = parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part));
  return parts.length === 2 && schema !== undefined && name !== undefined ? { schema, name } : null;
}
