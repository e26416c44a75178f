import type { Stage } from './stage.ts';
import type { TableVerdict } from './verdict.ts';

/** A connection of a client, to whatever database. */
export interface DemoSession {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly rowCount: number | null }>;
  end(): Promise<void>;
}

/** What one client does again and again, each time in one transaction. */
export interface Activity {
  readonly name: string;
  /** From the start of one transaction to the start of the next, on average. */
  readonly everyMs: number;
  /** Returns the number of rows changed. */
  write(client: DemoSession): Promise<number>;
}

/** What is on the stage, what happens there, and how one sees that it was right. */
export interface Scenario {
  /** For people: the servers. */
  readonly source: string;
  readonly target: string;
  /** What is being done first. */
  readonly opening: string;
  readonly routeName: string;
  /** One client each. */
  readonly activities: readonly Activity[];
  /** One row for each transaction, with its kind as the only parameter: what has arrived can be told by the newest of them at the target. */
  readonly journalSql: string;
  /** At the target, in one snapshot: the money, orders that are wrong, what has arrived. `$1`, `$2`: numbers of the journal. */
  readonly lookSql: string;
  /** What there is in all, at every moment, at both sides. */
  readonly total: number;
  /** A source table that is loaded anew, under the clients' hands. */
  readonly loadedAnew: string;
  /** How long the route may take to load, to recover, to catch up: far more than it should. */
  readonly patienceMs: number;
  /** `tidelock compare` knows both sides. */
  readonly compares: boolean;
  /** Refused by a constraint, or a deadlock's victim: part of an application's life. */
  isRefused(error: unknown): boolean;
  stage(): Promise<Stage>;
  /** Every row of both sides, by a comparer that shares nothing with the engine. */
  compare(stage: Stage): Promise<TableVerdict[]>;
}
