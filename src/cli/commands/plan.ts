import type { Command } from 'commander';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { keepRowsOption } from '../keep-rows-option.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { planText } from '../plan-text.ts';
import { usesColours } from '../terminal.ts';

interface PlanOptions extends ControlOptions {
  readonly keepRows?: readonly string[];
}

export function addPlan(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'plan [routes...]',
    summary: 'what would change if the configuration were applied now; exit code 1 where something would',
    example: 'tidelock plan sales-to-reporting',
  })
    .option(...keepRowsOption)
    .action(exits(line, (named: string[], options: PlanOptions) => plan(line, named, options)));
}

/** 0: nothing to do, 1: something is, 2: of some routes it can't be told. */
async function plan(line: CommandLine, named: readonly string[], options: PlanOptions): Promise<number> {
  await using control = await openControl(line, options);
  const { keepRows = [] } = options;
  const document = await control.plan({ ...(named.length > 0 && { routes: [...new Set(named)] }), keepRows });
  if (options.json) writeJson(line, document);
  else line.out.write(planText(document, usesColours(line)));
  if (document.routes.some(({ state }) => state === 'unread')) return 2;
  return document.changes ? 1 : 0;
}
