import type { Command } from 'commander';
import { type CommandLine, type CommandSpec, exits } from '../command-line.ts';
import { addControlCommand, type ControlOptions } from '../open-control.ts';
import { discardParked, type ParkedRequestOptions, retryParked } from '../parked/ask-parked.ts';
import { listParked } from '../parked/list-parked.ts';
import { type ShowOptions, showParked } from '../parked/show-parked.ts';

export function addParked(program: Command, line: CommandLine): void {
  const parked = program
    .command('parked')
    .description('transactions that were set aside: list, show, retry, discard')
    .addHelpText('after', '\nExample:\n  tidelock parked list sales-to-reporting');
  const add = (spec: CommandSpec): Command => addControlCommand(parked, spec);

  add({
    name: 'list <route>',
    summary: 'what is parked, in source order, with the reason',
    example: 'tidelock parked list sales-to-reporting',
  }).action(exits(line, (route: string, options: ControlOptions) => listParked(line, route, options)));

  add({
    name: 'show <route> <id>',
    summary: 'tables, operations and digests of the keys of one that is parked',
    example: 'tidelock parked show sales-to-reporting 3',
  })
    .option('--show-values', 'the values of its rows, too: they may be confidential')
    .option('--limit <changes>', 'changes to show', '100')
    .action(exits(line, (route: string, id: string, options: ShowOptions) => showParked(line, { route, id }, options)));

  const asks = (command: Command, run: typeof retryParked): Command =>
    command
      .option('--all', 'all that are parked')
      .option('--reason <text>', 'why, for the journal')
      .option('--timeout <duration>', 'how long to wait for the engine; the request stays', '5m')
      .action(
        exits(line, (route: string, ids: string[], options: ParkedRequestOptions) =>
          run(line, { route, ids }, options),
        ),
      );
  asks(
    add({
      name: 'retry <route> [ids...]',
      summary: 'apply what is parked, in source order, each in one target transaction',
      example: 'tidelock parked retry sales-to-reporting --all',
    }).option('--with-earlier', 'also those that they wait for'),
    retryParked,
  );
  asks(
    add({
      name: 'discard <route> [ids...]',
      summary: 'give parked transactions up for good; the target stays without them',
      example: 'tidelock parked discard sales-to-reporting 3 --reason "mended by hand" --yes',
    }).option('--yes', 'do it'),
    discardParked,
  );
}
