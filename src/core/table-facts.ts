import type { ToldCommand } from './column-alteration.ts';
import type { Position } from './position.ts';
import type { Column, ReplicaIdentity } from './table.ts';

/** A column as the source's catalogue has it. */
export interface ColumnFacts extends Column {
  /** Given once and never again in this table (PostgreSQL: attnum). Columns stand in this order. */
  readonly id: number;
  /** Another one whenever the column's definition was touched (PostgreSQL: the transaction that wrote its row). */
  readonly stamp: string;
  readonly nullable: boolean;
  /**
   * What rows have that were there when the column was added, as text; null where the catalogue holds no such value:
   * they have NULL then, unless the table was written anew since.
   */
  readonly missing: string | null;
}

/** A unique index by which rows are told apart at any moment. */
export interface UniqueKeyFacts {
  /** Another one where it was dropped and made anew. */
  readonly id: string;
  /** Ids of its columns. */
  readonly columns: readonly number[];
}

/** What a label of TableFacts is of. */
export interface LabelFacts {
  /** Ids of the columns that are made of it. */
  readonly columns: readonly number[];
  /** Of its type; null of one of an extension, whose own commands nobody tells one by one. */
  readonly schema: string | null;
  /** Id of the table, view or the like whose rows the type is of; null for a type of its own. */
  readonly table: string | null;
}

/** A column that does not travel. */
export interface GeneratedFacts {
  readonly id: number;
  readonly name: string;
  readonly stamp: string;
}

/**
 * A table as the source's catalogue has it at the moment of the question, with what the change queue does not tell. It is
 * newer than the queue: what it says of a change in the queue has to be proven (src/pipeline/schema-inference.ts).
 */
export interface TableFacts {
  readonly schema: string;
  readonly name: string;
  /** Another one where the table was dropped and made anew. */
  readonly id: string;
  /** Everything that these facts show was committed before. */
  readonly position: Position;
  readonly identity: ReplicaIdentity;
  /** In the order of their ids. */
  readonly columns: readonly ColumnFacts[];
  readonly generated: readonly GeneratedFacts[];
  /** The highest id that was ever given. */
  readonly lastColumn: number;
  /** Where the rows are kept, by table or partition: another place once they were written anew. */
  readonly storage: Readonly<Record<string, string>>;
  /** Keys of `storage` that were made as ordinary tables and became partitions later. */
  readonly attached: readonly string[];
  /** Names of what is in `storage` and whose changes are not logged: unlogged or foreign partitions, or the table itself. None where there are none. */
  readonly unlogged?: readonly string[];
  /** Of the partitions in `storage`: another stamp where one was taken out and attached again. */
  readonly links?: Readonly<Record<string, string>>;
  /** Where whole rows are logged, so that the queue does not tell what identifies one. */
  readonly uniqueKeys?: readonly UniqueKeyFacts[];
  /** Stamps of all columns by id, of which the first is 1, also of dropped ones. */
  readonly stamps: readonly string[];
  /**
   * Of types that its columns are made of: what each value of an enum is called, by an id that stays when it is renamed, and which attributes a
   * composite has. None where there are none.
   */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of values of enums, by the same ids: another text where it was renamed, perhaps back again. Absent where there are none. */
  readonly labelStamps?: Readonly<Record<string, string>>;
  /** Of what tells the commands about their types: another text where it did not do so for a while. Absent where nothing does, or the route does not carry them. */
  readonly toldBy?: string;
  /** What each of them is of, by its id. */
  readonly labelled?: Readonly<Record<string, LabelFacts>>;
  /**
   * Name of the publication, behind a blank its id, and behind a point by which of its entries it has the table, with commas between: each has an id that is
   * never given again, `n` before that of a schema, and `@` behind that of a schema, or of a table that it is a partition of, with what is another text once it was elsewhere.
   * Entries that bring none of its changes, or not all, while others are there are left out. Without the point all tables are in it. At the end, behind a `#`, what is another text once the publication itself was altered, where the route does not do so.
   */
  readonly published?: string;
  /** They may be as of before the transaction that was asked about: its COMMIT waits for the route, so that nobody sees it yet. */
  readonly isBehind?: boolean;
}

/** A source table's definition at a position of the change queue, as stored at the target with the rows. */
export interface TableDefinition {
  readonly schema: string;
  readonly name: string;
  readonly id: string;
  readonly identity: ReplicaIdentity;
  readonly columns: readonly (Column & { readonly id: number; readonly stamp: string })[];
  readonly generated: readonly GeneratedFacts[];
  readonly lastColumn: number;
  readonly storage: Readonly<Record<string, string>>;
  /** Of partitions, as in TableFacts; older engines did not store it. */
  readonly links?: Readonly<Record<string, string>>;
  /** As in TableFacts, as the last look at the catalogue had them; older engines did not store them, nor do commands. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly labelStamps?: Readonly<Record<string, string>>;
  readonly toldBy?: string;
  readonly published?: string;
  /** As in TableFacts; older engines did not store it. */
  readonly uniqueKeys?: readonly UniqueKeyFacts[];
  /** Columns that the configuration excludes and the source has dropped since. */
  readonly gone: readonly string[];
  /** Columns that were added at the source and are not carried (schemaChanges: ignore). */
  readonly ignored: readonly string[];
  /** Columns of the target that the source has dropped since, and that were left there (schemaChanges: ignore). */
  readonly left?: readonly string[];
  /** Commands behind it whose outcome is not proven yet (Source.follow). */
  readonly told?: readonly ToldCommand[];
  /** What commands that were committed before have done is in it. */
  readonly toldTo?: Position;
  /** A person has accepted it as the catalogue had it here, where later commands may be in it, too. */
  readonly takenAt?: Position;
  /** Announced last by a transaction that the catalogue did not show yet: that the columns are these is not proven. */
  readonly behind?: true;
  /** What a look at the catalogue has halted at, to know it again once a person has accepted it. */
  readonly halted?: HaltedLook;
}

/** Why changes are missing in the queue: the table, or a partition of it, was not logged (true), or its publication did not have it, or not whole. */
export type Lack = true | 'unpublished';

export interface HaltedLook {
  readonly at: Position;
  readonly print: string;
  /** Changes are missing in the queue, also once the catalogue does not show why any more: goes on only when a person has accepted it. */
  readonly lacks?: Lack;
}
