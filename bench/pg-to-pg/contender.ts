import type { TestDatabase } from '../../test/support/postgres.ts';

/** One of those that follow the same source, each to a target of its own. */
export interface Contender {
  readonly name: string;
  readonly target: TestDatabase;
  /** Schemas that it follows. In each it has come to the end of a round when it shows that round in `round_end`. */
  readonly schemas: readonly string[];
  enable(): Promise<void>;
  /** Resolves when it has let the source go. */
  disable(): Promise<void>;
  /** The processes that carry rows, where they are not the database's. */
  workers(): readonly number[];
  /** Throws where one of them has died: what the next one takes is no measurement. */
  demandAlive(): void;
}

export type SynchronousCommit = 'off' | 'on';

export const startMs = 120_000;
