import type { Command } from 'commander';
import { armFailpoints } from '../../core/failpoint.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { durationOption } from '../duration-option.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface RenameOptions extends ControlOptions {
  readonly timeout: string;
  readonly reason?: string;
}

export function addRename(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'rename <route> <new>',
    summary: 'give a route another name; it keeps its position',
    example: 'tidelock rename sales-to-reporting sales-to-warehouse',
  })
    .option('--timeout <duration>', 'give up when the route has not got past what is under way by then', '60s')
    .option('--reason <text>', 'why, for the journal')
    .action(
      exits(line, (route: string, name: string, options: RenameOptions) => rename(line, { route, name }, options)),
    );
}

async function rename(
  line: CommandLine,
  { route, name }: { readonly route: string; readonly name: string },
  options: RenameOptions,
): Promise<number> {
  armFailpoints(line.env.TIDELOCK_FAILPOINTS);
  const timeoutMs = durationOption('--timeout', options.timeout);
  await using control = await openControl(line, options);
  const done = await control.rename(route, { name, timeoutMs }, askedHere(options.reason), line.signal);
  if (options.json) writeJson(line, done);
  else line.out.write(`${route} is ${name} now\n`);
  if (!done.configured)
    line.err.write(
      `Give it that name in the configuration, too: until then no engine runs it. A service reads it on SIGHUP.\n`,
    );
  return 0;
}
