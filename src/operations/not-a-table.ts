import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import { nearestName } from '../core/nearest-name.ts';
import { tableOfLabel } from '../core/table.ts';

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
