import type { SchemaChange } from '../core/change.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { RouteStateStore, StoredTable } from '../core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import { storedTable, type TableMapper } from './table-mapper.ts';

export interface SchemaGuardOptions {
  readonly route: string;
  readonly mapper: TableMapper;
  readonly store: RouteStateStore;
  /** What was stored about the tables when the route last ran. */
  readonly stored: readonly StoredTable[];
  /** The tables as they are at the source now, where a person has accepted that they changed. */
  readonly accepted: readonly TableVersion[] | null;
}

/**
 * Compares each definition that the queue announces with the one that the route was started with. A change halts,
 * also one that happened while the route was away. After `--accept-schema-change` the versions up to the one that was
 * current at the start pass; the next change halts again.
 */
export class SchemaGuard {
  readonly #options: SchemaGuardOptions;
  readonly #stored: Map<string, StoredTable>;
  /** Table to the fingerprint up to which changes are accepted. */
  readonly #accepted: Map<string, string>;

  constructor(options: SchemaGuardOptions) {
    this.#options = options;
    this.#stored = new Map(options.stored.map((table) => [table.source, table]));
    const accepted = options.accepted?.map((table) => storedTable(options.mapper.bind(table))) ?? [];
    this.#accepted = new Map(accepted.map((table) => [table.source, table.fingerprint]));
  }

  /** Called before the change is mapped. Throws (halt) where the definition is not the known one. */
  async meet({ to }: SchemaChange, position: string): Promise<void> {
    const table = storedTable(this.#options.mapper.bind(to));
    const known = this.#stored.get(table.source);
    const limit = this.#accepted.get(table.source);
    if (limit === table.fingerprint) this.#accepted.delete(table.source);
    if (known?.fingerprint === table.fingerprint) return;
    if (limit === undefined) {
      const what =
        known === undefined ? 'it is new' : 'its columns, types or key are not those that the route was started with';
      throw fail(routeErrors.schemaChanged, { route: this.#options.route, table: tableLabel(to), position, what });
    }
    this.#stored.set(table.source, table);
    await this.#options.store.setTables([...this.#stored.values()]);
  }
}
