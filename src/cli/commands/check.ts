import { styleText } from 'node:util';
import type { Command } from 'commander';
import { TidelockError } from '../../core/errors/tidelock-error.ts';
import type { Finding } from '../../core/finding.ts';
import type { TableVersion } from '../../core/table.ts';
import { tableLabel } from '../../core/table.ts';
import { TableMapper } from '../../pipeline/table-mapper.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { type OpenedRoute, openRoute } from '../open-route.ts';

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
    if (!options.json) line.out.write(findingsText(name, findings, line.out.isTTY && !line.env.NO_COLOR));
  }
  if (options.json) writeJson(line, { version: 1, routes });
  return routes.every(({ ok }) => ok) ? 0 : 1;
}

async function findingsOf({ definition, source, target }: OpenedRoute): Promise<Finding[]> {
  const findings = [...(await source.preflight())];
  await definition.tables.prepare();
  const mapper = new TableMapper(definition.name, definition.tables);
  const mapped: TableVersion[] = [];
  for (const table of await orFinding(() => source.tables(), { node: definition.from.name, findings })) {
    const where = { node: definition.from.name, table: tableLabel(table), findings };
    const bound = await orFinding(async () => mapper.bind(table).tables, where);
    mapped.push(...bound);
  }
  findings.push(...(await target.preflight(mapped)));
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
    const { code, message, remedy } = error;
    findings.push({ level: 'error', code, ...where, message, remedy });
    return [];
  }
}

const colourOf = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

function findingsText(route: string, findings: readonly Finding[], colours: boolean): string {
  const ready = findings.every(({ level }) => level !== 'error');
  const lines = [`${route}: ${ready ? 'ready' : 'not ready'}`];
  for (const { level, code, message, remedy, statement } of findings) {
    lines.push(`  ${colours ? styleText(colourOf[level], level) : level} ${code} ${message}`);
    if (remedy !== '') lines.push(`    ${remedy}`);
    if (statement !== undefined) lines.push(`    ${statement}`);
  }
  return `${lines.join('\n')}\n`;
}
