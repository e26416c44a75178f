import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { journalText } from '../journal-text.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { terminalColumns } from '../terminal.ts';

interface JournalCommandOptions extends ControlOptions {
  readonly limit: string;
  readonly before?: string;
}

export function addJournal(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'journal [route]',
    summary: 'what operators have done: who, when, why and with what result; the newest first',
    example: 'tidelock journal sales-to-reporting --limit 20',
  })
    .option('--limit <entries>', 'entries at most', '50')
    .option('--before <time>', 'only what was done before, as the journal writes its times')
    .action(exits(line, (route: string | undefined, options: JournalCommandOptions) => journal(line, route, options)));
}

async function journal(line: CommandLine, route: string | undefined, options: JournalCommandOptions): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1_000)
    throw fail(configErrors.arguments, { why: `--limit wants a number from 1 to 1000, is ${options.limit}` });
  const { before = null } = options;
  await using control = await openControl(line, options);
  const document = await control.journal({ ...(route !== undefined && { route }), before, limit });
  if (options.json) writeJson(line, document);
  else line.out.write(journalText(document, terminalColumns(line)));
  for (const { reason } of options.json ? [] : document.missing) line.err.write(`${reason.code} ${reason.message}\n`);
  return document.missing.length === 0 ? 0 : 2;
}
