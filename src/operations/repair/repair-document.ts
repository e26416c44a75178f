import type { ComparedTable } from '../compare/compare-document.ts';

/** What a repair has found and done of one table. */
export interface RepairedTable extends ComparedTable {
  /** Rows that were changed at the target. */
  readonly repaired: number;
  /** The target did not take them: SQLSTATE and constraint, by how many rows. */
  readonly refused: Readonly<Record<string, number>>;
  /** Rows that still differed when they were looked at once more afterwards. */
  readonly left: number;
}

/** `repair --json`. */
export interface RepairDocument {
  readonly version: 1;
  readonly route: string;
  /** route/number, to be taken back by; null where nothing was changed. */
  readonly job: string | null;
  readonly dryRun: boolean;
  readonly target: {
    readonly node: string;
    /** Without ports: an older engine's documents have no more. */
    readonly host: string;
    /** Each with its port. */
    readonly hosts?: readonly string[];
    readonly database: string;
  };
  /** Every row that was asked for is the same at both sides now. */
  readonly equal: boolean;
  readonly tables: readonly RepairedTable[];
}

/** What came of taking a repair back. */
export interface UndoneDocument {
  readonly version: 1;
  readonly route: string;
  /** The repair that was taken back. */
  readonly undone: string;
  readonly rows: number;
  /** Rows that others have changed since, which stay as they are. */
  readonly changed: number;
  readonly refused: Readonly<Record<string, number>>;
}
