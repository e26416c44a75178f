import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { Source } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { Target } from '../core/target.ts';

export interface RouteSides {
  readonly definition: RouteDefinition;
  readonly source: Pick<Source, 'instance'>;
  readonly target: Pick<Target, 'instance'>;
}

/**
 * What is wrong with a route both of whose nodes are one database and that would write tables it reads; null where
 * nothing is. Two names for one address are a slip of the pen, and `load: { existing: replace }` or a mask would then
 * change the source itself. Within one database a route to other tables is fine.
 */
export async function ownTables(
  { definition, source, target }: RouteSides,
  tables: readonly { readonly source: TableVersion; readonly mapped: TableVersion }[],
): Promise<TidelockError | null> {
  const read = new Set(tables.map((table) => tableLabel(table.source)));
  const [first, ...more] = tables.map(({ mapped }) => tableLabel(mapped)).filter((label) => read.has(label));
  if (first === undefined) return null;
  const [here, there] = await Promise.all([source.instance(), target.instance()]);
  if (here !== there) return null;
  const { name: route, from, to } = definition;
  return fail(routeErrors.ownTables, { route, from: from.name, to: to.name, table: first, more: more.length });
}
