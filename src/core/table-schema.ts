import type { Finding } from './finding.ts';
import type { TableName, TypeDefinition } from './table.ts';

/** SQL of one dialect in pieces, so that the columns it names can be given other names. */
export type SqlText = readonly (string | { readonly column: string })[];

/** What a database has made of a set of tables: all that a person would write to make them anew. */
export interface DatabaseSchema {
  readonly tables: readonly TableSchema[];
  /** What the columns' types are made of and the server does not bring along, in the order in which it has to be made. */
  readonly types: readonly TypeSchema[];
  /** Those of the columns' defaults; an identity has its own. */
  readonly sequences: readonly SequenceSchema[];
  /** What belongs to the tables, or lies beside them, and is not part of these descriptions. */
  readonly left: readonly LeftOut[];
  /** It comes from a database of another vendor: what is there need say the same only, however its server writes it. */
  readonly translated?: true;
}

export interface TableSchema extends TableName {
  readonly columns: readonly ColumnSchema[];
  readonly indexes: readonly IndexSchema[];
  readonly checks: readonly CheckSchema[];
  readonly foreignKeys: readonly ForeignKeySchema[];
  /** Storage parameters, as its own dialect writes them: `fillfactor=70`, `ROW_FORMAT=COMPRESSED`. */
  readonly options: readonly string[];
  readonly comment: string | null;
  /** `RANGE (created)`, on MySQL and MariaDB with the partitions themselves behind it; null where the table holds its rows itself. */
  readonly partitionedBy: SqlText | null;
  /** All levels, parents before their own. None of MySQL and MariaDB, where partitions are no tables. */
  readonly partitions: readonly PartitionSchema[];
  /** Tables whose columns it has taken over (INHERITS). */
  readonly inherits: readonly TableName[];
}

/** What a partition has beside what it has of its whole. */
export interface PartitionSchema
  extends TableName,
    Pick<TableSchema, 'indexes' | 'checks' | 'foreignKeys' | 'options' | 'comment'> {
  readonly parent: TableName;
  /** `FOR VALUES FROM (…) TO (…)` or `DEFAULT`. */
  readonly bound: string;
  readonly partitionedBy: SqlText | null;
}

export interface ColumnSchema {
  readonly name: string;
  /** Qualified, without modifier, and the modifier: as in a Column. */
  readonly type: string;
  readonly modifier: number;
  /** As in a Column. */
  readonly definition?: TypeDefinition;
  /** As SQL writes it; null where it has to be asked for at the side that makes it. */
  readonly typeText: string | null;
  readonly notNull: boolean;
  /** Quoted and qualified; null for the type's own. */
  readonly collation: string | null;
  readonly default: SqlText | null;
  /** The default is the next value of this sequence. */
  readonly nextOf: TableName | null;
  readonly generated: { readonly value: SqlText; readonly stored: boolean } | null;
  /** A column that counts by itself: of MySQL's AUTO_INCREMENT the sequence has no name, and starts at the table's next number. */
  readonly identity: { readonly always: boolean; readonly sequence: SequenceSchema } | null;
  /** What else its own dialect writes of it: `ON UPDATE CURRENT_TIMESTAMP(3)`, `INVISIBLE`. */
  readonly options: readonly string[];
  readonly comment: string | null;
}

/** Numbers are of 64 bits, as text. */
export interface SequenceSchema extends TableName {
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycles: boolean;
  /** An expression names it: with another name, or in another schema, it would not be found. */
  readonly keepsName: boolean;
  /** The column that it goes with. */
  readonly ownedBy: { readonly table: TableName; readonly column: string } | null;
}

export interface TypeSchema extends TableName {
  readonly kind: 'schema' | 'extension' | 'collation' | 'enum' | 'domain' | 'composite' | 'range';
  /** The statement that makes it, without a semicolon, in the dialect of the database that it was read from. */
  readonly statement: string;
}

/** An index, and where it is one, the constraint that it stands for. */
export interface IndexSchema {
  readonly name: string;
  readonly constraint: 'primary' | 'unique' | 'exclude' | null;
  readonly unique: boolean;
  /** btree, gin, fulltext, spatial, … */
  readonly method: string;
  readonly elements: readonly IndexElement[];
  /** Columns that it only carries along. */
  readonly include: readonly string[];
  readonly nullsNotDistinct: boolean;
  /** The last element is a range that may not overlap (WITHOUT OVERLAPS). */
  readonly withoutOverlaps: boolean;
  readonly where: SqlText | null;
  readonly options: readonly string[];
  readonly deferrable: 'no' | 'immediate' | 'deferred';
  /** It tells rows apart in the change queue (REPLICA IDENTITY USING INDEX). */
  readonly isIdentity: boolean;
  /** False for what an interrupted CREATE INDEX CONCURRENTLY has left. */
  readonly valid: boolean;
  readonly comment: string | null;
}

export interface IndexElement {
  readonly value: SqlText;
  /** The value is one column. */
  readonly isColumn: boolean;
  /** Only the first characters, or bytes, of the column. */
  readonly length: number | null;
  /** Each quoted and qualified; null where it is the column's or the type's own. */
  readonly collation: string | null;
  readonly operatorClass: string | null;
  readonly order: string;
  /** Of an exclusion constraint. */
  readonly operator: string | null;
}

export interface CheckSchema {
  readonly name: string;
  readonly condition: SqlText;
  /** `NO INHERIT`, `NOT VALID`, `NOT ENFORCED`, as SQL writes them behind it. */
  readonly suffix: string;
  readonly comment: string | null;
  /** The column whose definition it is part of at its server, so that it goes where that is written anew without it (MariaDB). */
  readonly partOf?: string;
}

export interface ForeignKeySchema {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: TableName;
  readonly referenced: readonly string[];
  /** From MATCH to the actions, as SQL writes them. */
  readonly actions: string;
  /** The columns of ON DELETE SET …, where not all are set. */
  readonly setColumns: readonly string[];
  readonly deferrable: 'no' | 'immediate' | 'deferred';
  readonly valid: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly comment: string | null;
}

export interface LeftOut {
  /** view, trigger, function, … */
  readonly kind: string;
  readonly name: string;
  /** A description's definition uses it: without it the description can't be made. */
  readonly isNeeded: boolean;
  /** As its own server writes it, to port by hand; null where it has no such text. */
  readonly text: string | null;
  /** Why, where it is not left out for what it is. */
  readonly why?: string;
}

/** What a database says of names. */
export interface NamingRules {
  /** Whether an index's name is taken for the whole schema or for its table alone. */
  readonly indexNames: 'perSchema' | 'perTable';
}

/** One statement that brings a database nearer to a description. Each can be run by itself; what is there is not made again. */
export interface SchemaStatement {
  /** Before the rows are copied: all that the load needs. After: what is built faster, or holds only, once they are there. */
  readonly half: 'before' | 'after';
  /** What it makes, for people: `index orders_customer of public.orders`. */
  readonly what: string;
  /** Without a semicolon. */
  readonly text: string;
}

export interface SchemaComparison {
  /** What is missing, in the order in which it is made. */
  readonly statements: readonly SchemaStatement[];
  /** What is there and is not as described. Nobody alters it but a person. */
  readonly findings: readonly Finding[];
  /** Of the description, what this kind of database can't have, or not with certainty. */
  readonly left?: readonly LeftOut[];
}
