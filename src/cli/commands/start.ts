import type { Command } from 'commander';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { chosenRoutes } from '../chosen-routes.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { askedHere, openControl } from '../open-control.ts';

interface StartOptions extends CommonOptions {
  readonly all?: boolean;
  readonly takeover?: boolean;
  readonly acceptSchemaChange?: boolean;
}

export function addStart(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'start [routes...]',
    summary: 'let routes run that were stopped or have halted',
    example: 'tidelock start sales-to-reporting --accept-schema-change',
  })
    .option('--all', 'all routes of the configuration')
    .option('--takeover', 'take the route from the engine that has it, at once, for one that stands by')
    .option('--accept-schema-change', 'the changed table definitions are the same at the target now')
    .action(exits(line, (named: string[], options: StartOptions) => start(line, named, options)));
}

async function start(line: CommandLine, named: readonly string[], options: StartOptions): Promise<number> {
  await using control = openControl(line, options);
  const { takeover = false, acceptSchemaChange = false, json = false } = options;
  const done = [];
  for (const name of await chosenRoutes(control, named, options.all ?? false)) {
    const document = await control.start(name, { takeover, acceptSchemaChange }, askedHere(), line.signal);
    done.push(document);
    const { holder, engine, rested } = document;
    if (holder === null) line.err.write(`${fail(routeErrors.notTaken, { route: name }).message}\n`);
    else if (!json) line.out.write(holder ? `${name} is taken over by ${holder.host}\n` : `${name} is to run\n`);
    if (takeover) continue;
    if (!engine)
      line.err.write(`${name} waits for an engine: none has it now. Where none runs, start "tidelock run".\n`);
    else if (rested)
      line.err.write(
        `${name} goes on as "tidelock run" was started: what has changed in the file since then wants its restart.\n`,
      );
  }
  if (json) writeJson(line, { version: 1, routes: done });
  return done.every(({ holder }) => holder !== null) ? 0 : 1;
}
