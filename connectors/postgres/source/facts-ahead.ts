import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import { isOver } from './snapshot-text.ts';

/** What the catalogue says of a table, and in which snapshot. */
export interface SeenFacts {
  readonly facts: TableFacts;
  readonly snapshot: string;
}

type Reading = Promise<ReadonlyMap<string, SeenFacts>>;

/**
 * What the catalogue says of tables that are soon asked of, read for all of them at once. An answer is taken once, and only where the transaction that
 * brings the table was over when it was read: what was committed behind that is announced behind it, too, and asked for then.
 */
export class FactsAhead {
  readonly #reading = new Map<string, Reading>();

  /** Where it can't be read nothing is there to be taken; whoever asks is told. */
  expect(tables: readonly TableName[], read: (tables: readonly TableName[]) => Promise<readonly SeenFacts[]>): void {
    this.forget();
    if (tables.length === 0) return;
    const reading = read(tables).then(
      (found) => new Map(found.map((each) => [tableLabel(each.facts), each])),
      () => new Map<string, SeenFacts>(),
    );
    for (const table of tables) this.#reading.set(tableLabel(table), reading);
  }

  /** Null where it has to be asked for: also of a table that is not there. */
  async take(table: TableName, after: string): Promise<TableFacts | null> {
    const label = tableLabel(table);
    const seen = (await this.#reading.get(label))?.get(label);
    this.#reading.delete(label);
    return seen !== undefined && isOver(after, seen.snapshot) ? seen.facts : null;
  }

  forget(): void {
    this.#reading.clear();
  }
}
