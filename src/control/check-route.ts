import { routeErrors } from '../core/errors/catalogue/route.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { StoredTable } from '../core/route-state-store.ts';
import { fitting, initialLoadProblems } from '../operations/load-problems.ts';
import { ownTables } from '../operations/own-tables.ts';
import { mixedFindings } from '../pipeline/mapping/mixed-values.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { undeclaredFindings } from '../pipeline/mapping/undeclared-reads.ts';
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
  const bindings: TableBinding[] = [];
  const tables = await mappedTables(route, {
    onError: (error, table) => findings.push(findingOf(error, { node: definition.from.name, ...(table && { table }) })),
    onBinding: (binding) => {
      bindings.push(binding);
      findings.push(...mixedFindings(binding, definition.name, definition.from.name));
      findings.push(...undeclaredFindings(binding, definition));
    },
  });
  const taken = await ownedByOthers(
    route,
    bindings.map((binding) => storedTable(binding, null)),
  );
  if (taken !== null) findings.push(findingOf(taken, { node: definition.to.name }));
  const own = await ownTables({ definition, source, target }, tables);
  if (own !== null) findings.push(findingOf(own, { node: definition.to.name }));
  const fit = await target.preflight(tables.map(({ mapped }) => mapped));
  findings.push(...fit);
  const problems = (await isToBeLoaded(route)) ? await initialLoadProblems(route, fitting(bindings, fit)) : [];
  findings.push(...problems.map((error) => findingOf(error, { node: definition.to.name })));
  return findings;
}

/** No start of it has come so far that its rows are there, or on their way. */
async function isToBeLoaded(route: OpenedRoute): Promise<boolean> {
  try {
    const stored = await (await route.store()).read();
    return stored?.checkpoint?.phase !== 'ready';
  } catch (error) {
    demandTold(error);
    return false;
  }
}

/** Another route has rows of the same target tables. */
async function ownedByOthers(route: OpenedRoute, tables: readonly StoredTable[]): Promise<TidelockError | null> {
  try {
    await (await route.store()).demandApart(tables);
    return null;
  } catch (error) {
    const told = demandTold(error);
    const isOwned = told.code === routeErrors.tableOwned.code || told.code === routeErrors.sharesMeet.code;
    return isOwned ? told : null;
  }
}

/** That the stored state can't be read is told by the other findings. Throws what is about the way to it, or a defect. */
function demandTold(error: unknown): TidelockError {
  if (!(error instanceof TidelockError) || error.recovery === 'retry' || error.recovery === 'usage') throw error;
  return error;
}

function findingOf(
  { code, message, remedy }: TidelockError,
  where: { readonly node: string; readonly table?: string },
): Finding {
  return { level: 'error', code, ...where, message, remedy };
}
