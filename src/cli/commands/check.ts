import type { Command } from 'commander';
import { TidelockError } from '../../core/errors/tidelock-error.ts';
import type { Finding } from '../../core/finding.ts';
import type { TableVersion } from '../../core/table.ts';
import { tableLabel } from '../../core/table.ts';
import { ownTables } from '../../operations/own-tables.ts';
import { mixedFindings } from '../../pipeline/mapping/mixed-values.ts';
import { TableMapper } from '../../pipeline/table-mapper.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { findingsText } from '../findings-text.ts';
import { type OpenedRoute, openRoute } from '../open-route.ts';

interface MappedTable {
  readonly source: TableVersion;
  readonly mapped: TableVersion;
}

export function addCheck(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'check [route]',
    summary: 'what keeps the routes from running, at both sides, with the statements that mend it; changes nothing',
    example: 'tidelock check sales-to-reporting',
  }).action(exits(line, (route: string | undefined, options: CommonOptions) => check(line, route, options)));
}

async function check(line: CommandLine, route: string | undefined, options: CommonOptions): Promise<number> {
  const configuration = openConfiguration(line, options);
  const routes = [];
  for (const name of route === undefined ? configuration.routes.keys() : [route]) {
    await using opened = openRoute(configuration.routes.demand(name, 'route'));
    const findings = await findingsOf(opened);
    const ok = findings.every(({ level }) => level !== 'error');
    routes.push({ name, ok, findings });
    if (!options.json) line.out.write(findingsText(opened.definition, findings, line.out.isTTY && !line.env.NO_COLOR));
  }
  if (options.json) writeJson(line, { version: 1, routes });
  return routes.every(({ ok }) => ok) ? 0 : 1;
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
