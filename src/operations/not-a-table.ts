import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import { nearestName } from '../core/nearest-name.ts';
import { tableOfLabel } from '../core/table.ts';
import { PatternProblem, parseTablePattern, type TablePattern } from '../core/table-pattern.ts';

/**
 * About a table that a command names and the route does not carry (usage), with the one that was most likely meant. `carried` are labels,
 * schema and table; a name without a schema is taken for a table's.
 */
export function notATable(route: string, asked: string, carried: readonly string[]): TidelockError {
  return fail(routeErrors.notATableOfRoute, { route, table: asked, nearest: nearestTable(asked, carried) });
}

function nearestTable(asked: string, carried: readonly string[]): string | null {
  if (asked.includes('.')) return nearestName(asked, carried);
  const bare = (label: string): string => tableOfLabel(label)?.name ?? label;
  const name = nearestName(asked, carried.map(bare));
  return carried.find((label) => bare(label) === name) ?? null;
}

/** As a command names tables. Null where the text names none at all, as one without its schema. */
export function namedTables(text: string): TablePattern | null {
  try {
    return parseTablePattern(text);
  } catch (error) {
    if (error instanceof PatternProblem) return null;
    throw error;
  }
}

/** The first of `asked` that means none of the tables. `carried` are labels. */
export function notMeant(asked: readonly string[], carried: readonly string[]): string | undefined {
  const tables = carried.flatMap((label) => tableOfLabel(label) ?? []);
  return asked.find((text) => {
    const pattern = namedTables(text);
    return !tables.some(({ schema, name }) => pattern?.matches(schema, name));
  });
}
