import { routeErrors } from '../../src/core/errors/catalogue/route.ts';
import { fail } from '../../src/core/errors/tidelock-error.ts';
import type { StoredTable } from '../../src/core/route-state-store.ts';

/** A table that some route has registered at the target. */
export interface RegisteredTable {
  readonly source: string;
  readonly target: string;
  /** Null where all rows of the target are its own. */
  readonly owns: string | null;
  /** deployment/route. */
  readonly key: string;
  /** Of the route that registers. */
  readonly own: boolean;
}

/** Throws where rows of the targets of `tables` are another route's, or another table's of this one, or may be. */
export function demandUnshared(
  route: string,
  registered: readonly RegisteredTable[],
  tables: readonly StoredTable[],
): void {
  const sources = new Set(tables.map(({ source }) => source));
  const there = new Map<string, RegisteredTable[]>();
  for (const row of registered) {
    if (row.own && sources.has(row.source)) continue;
    for (const target of targetsOf(row.target)) there.set(target, [...(there.get(target) ?? []), row]);
  }
  for (const { target: targets, owns } of tables)
    for (const target of targetsOf(targets))
      for (const other of there.get(target) ?? []) {
        const place = { route, table: target, owner: other.key };
        if (other.own || owns === undefined || other.owns === null) throw fail(routeErrors.tableOwned, place);
        if (!owns.isApartFrom(other.owns))
          throw fail(routeErrors.sharesMeet, { ...place, owns: owns.text, other: other.owns });
      }
}

/** Where transforms spread rows over several tables they are all named. */
function targetsOf(target: string): readonly string[] {
  return target.split(', ');
}
