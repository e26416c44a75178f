import type { TableSelection } from '../../../src/core/route.ts';
import type { CarriedTable } from '../../../src/core/source.ts';
import { type TableName, tableLabel, tableOfLabel } from '../../../src/core/table.ts';
import { ownSchemas } from '../catalogue/read-tables.ts';
import { type BinlogPosition, parsePosition } from './position/binlog-position.ts';

const never: ReadonlySet<string> = new Set(ownSchemas);

/** Which tables a stream is about: those that the route has begun with, where that is known. */
export class CarriedTables {
  readonly #selection: TableSelection;
  readonly #carried: ReadonlyMap<string, CarriedTable> | null;

  constructor(selection: TableSelection, carried: readonly CarriedTable[] | null) {
    this.#selection = selection;
    this.#carried = carried === null ? null : new Map(carried.map((table) => [table.label, table]));
  }

  has(schema: string, name: string): boolean {
    if (never.has(schema)) return false;
    if (this.#selection.select(schema, name) === null) return false;
    return this.#carried === null || this.#carried.has(tableLabel({ schema, name }));
  }

  /** Tables of this database are carried, whether they are still there or not. */
  hasSchema(schema: string): boolean {
    return [...(this.#carried?.values() ?? [])].some(
      ({ known, label }) => (known ?? tableOfLabel(label))?.schema === schema,
    );
  }

  /** The route means it, and has not begun with it. */
  isNew(schema: string, name: string): boolean {
    if (this.#carried === null || never.has(schema) || this.has(schema, name)) return false;
    return this.#selection.select(schema, name) !== null;
  }

  /** Of a table that came later than the route: everything up to here was in its copy. */
  loadedTo({ schema, name }: TableName): BinlogPosition | null {
    const from = this.#carried?.get(tableLabel({ schema, name }))?.from ?? null;
    return from === null ? null : parsePosition(from);
  }
}
