import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { CarriedTable } from '../../../src/core/source.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { type Lsn, parseLsn } from '../lsn.ts';
import { isSelected } from './table-filter.ts';

export interface CarriedRows {
  readonly from: Lsn | null;
  /** What the first row halts with. */
  readonly refused?: TidelockError;
}

/** The tables whose changes a session takes: those that the route has begun with, as the commands of the queue leave them. */
export class CarriedSet {
  readonly #route: RouteDefinition;
  readonly #tables = new Map<string, CarriedTable>();
  readonly #labels = new Map<string, string>();
  readonly #isOpen: boolean;
  /** Labels of tables that the route is about to begin with. */
  readonly #joining: ReadonlySet<string>;

  /** Null: all that the route selects. */
  constructor(route: RouteDefinition, tables: readonly CarriedTable[] | null, joining: readonly string[] = []) {
    this.#route = route;
    this.#joining = new Set(joining);
    this.#isOpen = tables === null;
    for (const table of tables ?? []) {
      const { label, known } = table;
      this.#tables.set(label, table);
      // What the configuration has left out since may have any name.
      if (known !== null && isSelected(route, known.schema, known.name)) this.#labels.set(known.id, label);
    }
  }

  has(schema: string, name: string): boolean {
    return isSelected(this.#route, schema, name) && (this.#isOpen || this.#tables.has(tableLabel({ schema, name })));
  }

  /** Selected, and neither carried nor all that is. */
  isNew(schema: string, name: string): boolean {
    const label = tableLabel({ schema, name });
    if (this.#isOpen || this.#joining.has(label)) return false;
    return isSelected(this.#route, schema, name) && !this.#tables.has(label);
  }

  /**
   * Null for a table whose rows are not taken. One that was never met halts the route, or is left out; one that was carried under another name
   * always halts: here where the route does not mean the new one.
   */
  rowsOf({ schema, name }: TableName, id: string): CarriedRows | null {
    const label = tableLabel({ schema, name });
    const was = this.#labels.get(id) ?? label;
    if (!isSelected(this.#route, schema, name)) {
      if (was === label) return null;
      return {
        from: null,
        refused: fail(sourceErrors.tableRenamed, { route: this.#route.name, table: was, name: label }),
      };
    }
    if (this.#isOpen) return { from: null };
    const table = this.#tables.get(label);
    if (table === undefined && was === label && this.#joining.has(label)) return null;
    if (table === undefined) return this.#route.newTables === 'halt' || was !== label ? { from: null } : null;
    return { from: table.from === null ? null : parseLsn(table.from) };
  }

  /** Of a carried table, by its oid. */
  labelOf(id: string): string | null {
    return this.#labels.get(id) ?? null;
  }

  nameOf(label: string): TableName | null {
    return this.#tables.get(label)?.known ?? null;
  }

  add(id: string, table: TableName): void {
    const { schema, name } = table;
    this.#tables.set(tableLabel(table), { label: tableLabel(table), known: { schema, name, id }, from: null });
    this.#labels.set(id, tableLabel(table));
  }

  rename(id: string, table: TableName): void {
    const label = this.#labels.get(id);
    const from = (label === undefined ? undefined : this.#tables.get(label))?.from ?? null;
    if (label !== undefined) this.#tables.delete(label);
    const { schema, name } = table;
    this.#tables.set(tableLabel(table), { label: tableLabel(table), known: { schema, name, id }, from });
    this.#labels.set(id, tableLabel(table));
  }

  remove(id: string): void {
    const label = this.#labels.get(id);
    if (label !== undefined) this.#tables.delete(label);
    this.#labels.delete(id);
  }
}
