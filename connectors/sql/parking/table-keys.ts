/** A foreign key, its columns in the order of the names of the columns that it points to. */
export interface ForeignKey {
  readonly columns: readonly string[];
  /** Name of the table that it points to, or of the partitioned table that this one is part of. */
  readonly parent: string;
  readonly parentColumns: readonly string[];
  /** Qualified names of their types. */
  readonly parentTypes: readonly string[];
}

/** What of a target table's definition decides which changes depend on each other. */
export interface TableKeys {
  /** `schema.name` of the table, or of the partitioned table that it is part of: keys are those of the whole. */
  readonly name: string;
  readonly unique: readonly {
    readonly columns: readonly string[];
    readonly nullsDistinct: boolean;
    readonly hasExpressions: boolean;
  }[];
  readonly foreign: readonly ForeignKey[];
  /** Columns that foreign keys point to, sorted. */
  readonly referenced: readonly (readonly string[])[];
  readonly hasExclusion: boolean;
}
