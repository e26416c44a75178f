/** How a row differs: only at the source, only at the target, or at both with other values. */
export type DifferenceKind = 'missing' | 'extra' | 'different';

export interface DifferenceExample {
  readonly kind: DifferenceKind;
  /** Of the key: the same row has the same one in every compare of the route. */
  readonly digest: string;
  /** Target columns that differ. */
  readonly columns: readonly string[];
  /** Between vendors: what the source has in `columns` has no form at the target (TL-4602). */
  readonly uncarried?: true;
  /** Only where they were asked for. Null: no such row there. */
  readonly values?: {
    readonly key: Readonly<Record<string, string | null>>;
    readonly source: Readonly<Record<string, string | null>> | null;
    readonly target: Readonly<Record<string, string | null>> | null;
  };
}

/** What a compare has found of one table. */
export interface ComparedTable {
  /** At the source. */
  readonly name: string;
  readonly target: string;
  /** At the source, as they travel. */
  readonly rows: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Rows that changed whenever they were looked at, or that nobody could look at in one moment. */
  readonly undecided: number;
  /** Why it could not be compared, so that it does not count as equal; null where it was. */
  readonly unverified: string | null;
  readonly examples: readonly DifferenceExample[];
}

/** `compare --json`. */
export interface CompareDocument {
  readonly version: 1;
  readonly route: string;
  /** Every row that was asked for was compared and is the same at both sides. */
  readonly equal: boolean;
  /** Only a part of the rows was looked at (where, sample): `equal` is about that part. */
  readonly partial?: true;
  readonly tables: readonly ComparedTable[];
}

/** How far a compare is. */
export interface CompareProgress {
  /** Rows. */
  readonly done: number;
  /** As far as the servers know. */
  readonly total: number;
  readonly rowsPerSecond: number;
  readonly tables: readonly TableProgress[];
}

export interface TableProgress extends Omit<ComparedTable, 'examples'> {
  readonly total: number;
  readonly state: 'waiting' | 'comparing' | 'done';
}
