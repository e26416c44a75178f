import type { Change } from '../../../src/core/change.ts';
import type { ToldCommand } from '../../../src/core/column-alteration.ts';
import type { Position } from '../../../src/core/position.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { sameDefinition } from './table-plans.ts';

/** Which definition of each table was told last in this stream. */
export class AnnouncedTables {
  readonly #told = new Map<string, TableVersion>();
  /** The versions in `#told`: asked for with each event of rows. */
  readonly #current = new Set<TableVersion>();
  /** Tables that a command was about since they were announced: what has changed may not show in their columns. */
  readonly #touched = new Set<string>();

  /** Tells the definition in front of a change, where it is another one than the last, or may be; `told`: of a command. */
  announce(open: OpenTransaction, table: TableVersion, at: Position, told: ToldCommand | null = null): void {
    if (this.#touched.size === 0 && this.#current.has(table)) return;
    const label = tableLabel(table);
    const before = this.#told.get(label) ?? null;
    if (before === table && !this.#touched.has(label)) return;
    this.#tell(label, table);
    if (before !== null && sameDefinition(before, table) && !this.#touched.has(label)) return;
    this.#touched.delete(label);
    open.builder.add({ kind: 'schemaChange', from: before, to: table, tableId: label, seen: null, at, told });
  }

  #tell(label: string, table: TableVersion | null): void {
    const before = this.#told.get(label);
    if (before !== undefined) this.#current.delete(before);
    if (table === null) this.#told.delete(label);
    else {
      this.#told.set(label, table);
      this.#current.add(table);
    }
  }

  touch(table: TableName): void {
    this.#touched.add(tableLabel(table));
  }

  get(table: TableName): TableVersion | null {
    return this.#told.get(tableLabel(table)) ?? null;
  }

  /** Any table of this database. */
  hasSchema(name: string): boolean {
    return [...this.#told.values()].some(({ schema }) => schema === name);
  }

  /** Of changes that were undone: what they told has still to be told, with the next row. */
  takeBack(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind !== 'schemaChange') continue;
      const label = tableLabel(change.to);
      this.#tell(label, change.from);
      this.#touched.add(label);
    }
  }
}
