import type { Command } from 'commander';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { findingsText } from '../findings-text.ts';
import { openControl } from '../open-control.ts';

export function addCheck(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'check [route]',
    summary: 'what keeps the routes from running, at both sides, with the statements that mend it; changes nothing',
    example: 'tidelock check sales-to-reporting',
  }).action(exits(line, (route: string | undefined, options: CommonOptions) => check(line, route, options)));
}

async function check(line: CommandLine, route: string | undefined, options: CommonOptions): Promise<number> {
  await using control = openControl(line, options);
  const routes = [];
  for (const name of route === undefined ? await control.routes() : [route]) {
    const checked = await control.check(name);
    routes.push(checked);
    if (!options.json) line.out.write(findingsText(checked, line.out.isTTY && !line.env.NO_COLOR));
  }
  if (options.json) writeJson(line, { version: 1, routes });
  return routes.every(({ ok }) => ok) ? 0 : 1;
}
