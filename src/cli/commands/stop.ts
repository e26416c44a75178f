import type { Command } from 'commander';
import { chosenRoutes } from '../chosen-routes.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { askedHere, openControl } from '../open-control.ts';

interface StopOptions extends CommonOptions {
  readonly all?: boolean;
}

export function addStop(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'stop [routes...]',
    summary: 'stop routes until they are started again; remembered at the target, the queue at the source is kept',
    example: 'tidelock stop sales-to-reporting',
  })
    .option('--all', 'all routes of the configuration')
    .action(exits(line, (named: string[], options: StopOptions) => stop(line, named, options)));
}

async function stop(line: CommandLine, named: readonly string[], options: StopOptions): Promise<number> {
  await using control = openControl(line, options);
  const done = [];
  for (const name of await chosenRoutes(control, named, options.all ?? false)) {
    done.push(await control.stop(name, askedHere()));
    if (!options.json) line.out.write(`${name} is to stop; "tidelock status ${name}" tells when it has\n`);
  }
  line.err.write('The source keeps its log for a stopped route: it grows until the route is started or dropped.\n');
  if (options.json) writeJson(line, { version: 1, routes: done });
  return 0;
}
