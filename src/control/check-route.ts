import { routeErrors } from '../core/errors/catalogue/route.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { StoredTable } from '../core/route-state-store.ts';
import { ownTables } from '../operations/own-tables.ts';
import { mixedFindings } from '../pipeline/mapping/mixed-values.ts';
import { storedTable } from '../pipeline/table-mapper.ts';
import { mappedTables } from './mapped-tables.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';

/** One route in `check --json`. */
export interface CheckedRoute {
  readonly name: string;
  /** No finding keeps it from running. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  readonly source: NodePlace;
  readonly target: NodePlace;
}

export async function checkRoute(route: OpenedRoute): Promise<CheckedRoute> {
  const { name, from, to } = route.definition;
  const findings = await findingsOf(route);
  const ok = findings.every(({ level }) => level !== 'error');
  return { name, ok, findings, source: placeOfNode(from), target: placeOfNode(to) };
}

async function findingsOf(route: OpenedRoute): Promise<Finding[]> {
  const { definition, source, target } = route;
  const findings = [...(await source.preflight())];
  const registered: StoredTable[] = [];
  const tables = await mappedTables(route, {
    onError: (error, table) => findings.push(findingOf(error, { node: definition.from.name, ...(table && { table }) })),
    onBinding: (binding) => {
      registered.push(storedTable(binding, null));
      findings.push(...mixedFindings(binding, definition.name, definition.from.name));
    },
  });
  const taken = await ownedByOthers(route, registered);
  if (taken !== null) findings.push(findingOf(taken, { node: definition.to.name }));
  const own = await ownTables({ definition, source, target }, tables);
  if (own !== null) findings.push(findingOf(own, { node: definition.to.name }));
  findings.push(...(await target.preflight(tables.map(({ mapped }) => mapped))));
  return findings;
}

/** Another route has rows of the same target tables. */
async function ownedByOthers(route: OpenedRoute, tables: readonly StoredTable[]): Promise<TidelockError | null> {
  try {
    await (await route.store()).demandApart(tables);
    return null;
  } catch (error) {
    const { code, recovery } = error instanceof TidelockError ? error : { code: '', recovery: null };
    if (recovery === null || recovery === 'retry' || recovery === 'usage') throw error;
    // That the stored state can't be read is told by the other findings.
    const isOwned = code === routeErrors.tableOwned.code || code === routeErrors.sharesMeet.code;
    return isOwned ? (error as TidelockError) : null;
  }
}

function findingOf(
  { code, message, remedy }: TidelockError,
  where: { readonly node: string; readonly table?: string },
): Finding {
  return { level: 'error', code, ...where, message, remedy };
}
