import type { TestDatabase } from '../../test/support/postgres.ts';

/** Share of the full size: 1, or less for a look in a few seconds. */
export type Scale = number;

/** A backlog that is written while nobody follows, and then followed by one after the other. */
export interface Workload {
  /** A letter, as the command names it. */
  readonly name: string;
  readonly title: string;
  /** Throughput, as a multiple of the peer's: what it has to be, and what it should be. */
  readonly must: number;
  readonly aim: number;
  /** What each process of the engine may take; null where nothing is said. */
  readonly mostBytes: number | null;
  /** Makes the tables, at all servers. */
  readonly tables: string;
  /** Fills the tables before anybody follows, and makes what `write` calls. */
  prepare(source: TestDatabase, scale: Scale): Promise<void>;
  /** Writes one round. Returns the number of changed rows. */
  write(source: TestDatabase, scale: Scale): Promise<number>;
  /** Clears away what a round has written, where the next one would take ever longer. */
  tidy?(source: TestDatabase): Promise<void>;
}

/** Runs the statements on so many sessions at once. */
export async function atOnce(database: TestDatabase, statements: readonly string[]): Promise<void> {
  await Promise.all(statements.map((statement) => database.query(statement)));
}
