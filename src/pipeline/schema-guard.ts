import type { SchemaChange } from '../core/change.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Position, PositionOrder } from '../core/position.ts';
import type { RouteStateStore, StoredTable } from '../core/route-state-store.ts';
import { tableLabel } from '../core/table.ts';
import { storedTable, type TableMapper } from './table-mapper.ts';

export interface SchemaGuardOptions {
  readonly route: string;
  readonly mapper: TableMapper;
  readonly store: RouteStateStore;
  readonly order: PositionOrder;
  /** What was stored about the tables when the route last ran. */
  readonly stored: readonly StoredTable[];
  /** A person has accepted what changed at the source up to here. */
  readonly acceptedTo: Position | null;
}

/**
 * Compares each definition that the queue announces with the one that the route was started with. A change halts, also
 * one that happened while the route was away, unless a person has accepted it: `start --accept-schema-change` accepts
 * what was committed at the source before it, and nothing later.
 */
export class SchemaGuard {
  readonly #options: SchemaGuardOptions;
  readonly #stored: Map<string, StoredTable>;

  constructor(options: SchemaGuardOptions) {
    this.#options = options;
    this.#stored = new Map(options.stored.map((table) => [table.source, table]));
  }

  /** Called before the change is mapped. Throws (halt) where the definition is neither the known one nor accepted. */
  async meet({ to, at }: SchemaChange): Promise<void> {
    const { mapper, order, acceptedTo, route, store } = this.#options;
    const table = storedTable(mapper.bind(to));
    const known = this.#stored.get(table.source);
    if (known?.fingerprint === table.fingerprint) return;
    if (acceptedTo === null || !order.covers(acceptedTo, at)) {
      const what =
        known === undefined ? 'it is new' : 'its columns, types or key are not those that the route was started with';
      throw fail(routeErrors.schemaChanged, { route, table: tableLabel(to), position: at, what });
    }
    this.#stored.set(table.source, table);
    await store.setTables([...this.#stored.values()]);
  }
}
