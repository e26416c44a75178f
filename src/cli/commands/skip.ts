import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface SkipOptions extends ControlOptions {
  readonly transaction?: string;
  readonly reason?: string;
}

export function addSkip(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'skip <route>',
    summary: 'set the transaction aside that the route has halted at, and go on; what touches its keys parks behind it',
    example: 'tidelock skip sales-to-reporting --transaction 751 --reason "order 12 is mended by hand"',
  })
    .option('--transaction <id>', 'the one that status names')
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (route: string, options: SkipOptions) => skip(line, route, options)));
}

async function skip(line: CommandLine, name: string, options: SkipOptions): Promise<number> {
  const { transaction, reason } = options;
  if (transaction === undefined || !reason?.trim()) {
    const what = transaction === undefined ? '--transaction ID' : '--reason TEXT';
    throw fail(configErrors.arguments, { why: `"tidelock skip" wants ${what}` });
  }
  await using control = await openControl(line, options);
  const document = await control.skip(name, transaction, askedHere(reason));
  if (options.json) writeJson(line, document);
  else {
    const runs = document.desiredState === 'running';
    const next = runs ? 'the route goes on' : `"tidelock start ${name}" lets the route go on`;
    line.out.write(`${name}: transaction ${document.transaction} will be parked, ${next}\n`);
  }
  return 0;
}
