import type { RouteStateStore } from '../core/route-state-store.ts';

/** The tables that a route carries, as it has begun with them. */
export interface TablesDocument {
  readonly version: 1;
  readonly route: string;
  readonly tables: readonly RouteTable[];
}

export interface RouteTable {
  readonly source: string;
  readonly target: string;
  /** Its rows were copied as of here, later than the route started; null where they were there from the start. */
  readonly loadedTo: string | null;
  /** Columns that were added at the source and are left out. */
  readonly ignored: readonly string[];
}

export async function readTables(route: string, store: RouteStateStore): Promise<TablesDocument> {
  const stored = await store.read();
  const tables = stored === null ? [] : await store.tables();
  const ignored = stored?.status?.ignored ?? [];
  return {
    version: 1,
    route,
    tables: tables.map(({ source, target, loadedTo }) => ({
      source,
      target,
      loadedTo: loadedTo ?? null,
      ignored: ignored
        .filter((column) => column.startsWith(`${source}.`))
        .map((column) => column.slice(source.length + 1)),
    })),
  };
}
