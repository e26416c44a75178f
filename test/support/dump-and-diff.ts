import type { TestDatabase } from './postgres.ts';

/** Keys of rows that are not the same in both databases, by what `SELECT *` prints of them. */
export interface DumpedDifferences {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly different: readonly string[];
}

/**
 * A second comparer, which has nothing in common with the first: both tables are dumped whole, as JSON that the server makes, and
 * the dumps are held beside each other here. `key` is an expression over the table's row.
 */
export async function dumpAndDiff(
  source: TestDatabase,
  target: TestDatabase,
  { table, key }: { readonly table: string; readonly key: string },
): Promise<DumpedDifferences> {
  const dump = async (db: TestDatabase): Promise<Map<string, string>> => {
    const rows = await db.query(
      `SELECT (${key})::text AS key, to_jsonb(dumped)::text || dumped::text AS row FROM ${table} dumped`,
    );
    return new Map(rows.map(({ key: name, row }) => [String(name), String(row)]));
  };
  const [here, there] = await Promise.all([dump(source), dump(target)]);
  const sorted = (keys: Iterable<string>): string[] => [...keys].sort();
  return {
    missing: sorted([...here.keys()].filter((name) => !there.has(name))),
    extra: sorted([...there.keys()].filter((name) => !here.has(name))),
    different: sorted([...here.keys()].filter((name) => there.has(name) && there.get(name) !== here.get(name))),
  };
}
