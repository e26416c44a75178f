import type { Change, SchemaChange } from '../../../src/core/change.ts';
import type { ToldCommand } from '../../../src/core/column-alteration.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { OpenTransaction } from './open-transaction.ts';
import { sameDefinition } from './table-plans.ts';

/** Where a transaction stands, as a SchemaChange has it. */
export type Place = Pick<Required<SchemaChange>, 'at' | 'until'>;

/** Which definition of each table was told last in this stream. */
export class AnnouncedTables {
  readonly #placeOf: (open: OpenTransaction) => Place;
  readonly #told = new Map<string, TableVersion>();
  /** The versions in `#told` that nothing has touched: asked for with each event of rows. */
  readonly #current = new Set<TableVersion>();
  /**
   * Tables that a command was about since rows of them were announced: what has changed may not show in their columns, and what was told beside the command is
   * the catalogue, which only rows prove.
   */
  readonly #touched = new Set<string>();

  constructor(placeOf: (open: OpenTransaction) => Place) {
    this.#placeOf = placeOf;
  }

  /** Tells the definition in front of a change, where it is another one than the last, or may be; `told`: of a command, beside the catalogue's. */
  announce(open: OpenTransaction, table: TableVersion, told: ToldCommand | null = null): void {
    if (told === null && this.#current.has(table)) return;
    const label = tableLabel(table);
    const before = this.#told.get(label) ?? null;
    const isDue = told !== null || this.#touched.has(label);
    if (told === null) this.#touched.delete(label);
    else this.#touched.add(label);
    this.#tell(label, table);
    if (before !== null && sameDefinition(before, table) && !isDue) return;
    const place = this.#placeOf(open);
    open.builder.add({ kind: 'schemaChange', from: before, to: table, tableId: label, seen: null, told, ...place });
  }

  #tell(label: string, table: TableVersion | null): void {
    const before = this.#told.get(label);
    if (before !== undefined) this.#current.delete(before);
    if (table === null) {
      this.#told.delete(label);
      return;
    }
    this.#told.set(label, table);
    if (!this.#touched.has(label)) this.#current.add(table);
  }

  touch(table: TableName): void {
    const label = tableLabel(table);
    const told = this.#told.get(label);
    if (told !== undefined) this.#current.delete(told);
    this.#touched.add(label);
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
      this.#touched.add(label);
      this.#tell(label, change.from);
    }
  }
}
