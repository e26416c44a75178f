import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { TableVersion } from '../core/table.ts';
import { tableLabel } from '../core/table.ts';
import { ownTables } from '../operations/own-tables.ts';
import { mixedFindings } from '../pipeline/mapping/mixed-values.ts';
import { TableMapper } from '../pipeline/table-mapper.ts';
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

interface MappedTable {
  readonly source: TableVersion;
  readonly mapped: TableVersion;
}

export async function checkRoute(route: OpenedRoute): Promise<CheckedRoute> {
  const { name, from, to } = route.definition;
  const findings = await findingsOf(route);
  const ok = findings.every(({ level }) => level !== 'error');
  return { name, ok, findings, source: placeOfNode(from), target: placeOfNode(to) };
}

async function findingsOf({ definition, source, target }: OpenedRoute): Promise<Finding[]> {
  const findings = [...(await source.preflight())];
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const tables: MappedTable[] = [];
  for (const table of await orFinding(() => source.tables(), { node: definition.from.name, findings })) {
    const where = { node: definition.from.name, table: tableLabel(table), findings };
    const bound = await orFinding(async () => {
      const binding = mapper.bind(table);
      findings.push(...mixedFindings(binding, definition.name, definition.from.name));
      return binding.tables;
    }, where);
    tables.push(...bound.map((mapped) => ({ source: table, mapped })));
  }
  const own = await ownTables({ definition, source, target }, tables);
  if (own !== null) findings.push(findingOf(own, { node: definition.to.name }));
  findings.push(...(await target.preflight(tables.map(({ mapped }) => mapped))));
  return findings;
}

/** An error about the route is a finding; one about the way to a server ends the command. */
async function orFinding(
  ask: () => Promise<readonly TableVersion[]>,
  { findings, ...where }: { readonly node: string; readonly table?: string; readonly findings: Finding[] },
): Promise<readonly TableVersion[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof TidelockError) || error.recovery === 'retry' || error.recovery === 'usage') throw error;
    findings.push(findingOf(error, where));
    return [];
  }
}

function findingOf(
  { code, message, remedy }: TidelockError,
  where: { readonly node: string; readonly table?: string },
): Finding {
  return { level: 'error', code, ...where, message, remedy };
}
