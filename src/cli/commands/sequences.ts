import type { Command } from 'commander';
import { carrySequences, type SequenceReport } from '../../operations/carry-sequences.ts';
import { TableMapper } from '../../pipeline/table-mapper.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { openRoute, placeOfNode } from '../open-route.ts';

export function addSequences(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'sequences <route>',
    summary: "carry the values of the source's sequences over now",
    example: 'tidelock sequences sales-to-reporting --json',
  }).action(exits(line, (route: string, options: CommonOptions) => carry(line, route, options)));
}

async function carry(line: CommandLine, name: string, options: CommonOptions): Promise<number> {
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  await definition.tables.prepare();
  const { source, target } = route;
  const reports = await carrySequences({ source, target, mapper: new TableMapper(name, definition.tables) });
  const isDone = reports.every(({ outcome }) => ['carried', 'same', 'ahead', 'notCarried'].includes(outcome));
  if (options.json) writeJson(line, { version: 1, route: name, sequences: reports });
  else line.out.write(textOf(reports, placeOfNode(definition.to)));
  return isDone ? 0 : 1;
}

function textOf(reports: readonly SequenceReport[], place: string): string {
  if (reports.length === 0) return 'no column of the route has a sequence\n';
  const lines = reports.map((report) => {
    const { source, target, outcome, sourceValue, targetValue, value, reason } = report;
    const from = targetValue === null ? '' : `, was ${targetValue}`;
    const what = {
      carried: `is ${value} now${from}`,
      same: `is ${targetValue} there, too`,
      ahead: `is further there, at ${targetValue}: left alone`,
      missing: `${report.column} has no sequence there`,
      outOfRange: `${sourceValue} is beyond the bounds of ${target}`,
      notCarried: `${report.column} does not travel`,
      refused: `could not be set: ${reason}`,
    }[outcome];
    return `${outcome.padEnd(10)} ${source}: ${what}\n`;
  });
  return `at ${place}\n${lines.join('')}`;
}
