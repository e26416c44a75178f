import type { StoredTable } from '../core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import { versionOf } from './judge-definition.ts';

/** The route's tables as the stored definitions have them, where there are any: what the queue goes on with. */
export function storedVersions(
  tables: readonly TableVersion[],
  stored: readonly StoredTable[],
): readonly TableVersion[] {
  const known = new Map(stored.map((table) => [table.source, table.definition]));
  return tables.map((table) => {
    const definition = known.get(tableLabel(table)) ?? null;
    if (definition === null) return table;
    // Older engines did not store them.
    const { uniqueKeys } = table;
    return { ...(uniqueKeys !== undefined && { uniqueKeys }), ...versionOf(definition) };
  });
}
