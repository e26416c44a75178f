import type { Command } from 'commander';
import { placeText } from '../../control/node-place.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { armFailpoints } from '../../core/failpoint.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { consequencesText, doneText, failedText, leftoversText } from '../drop-text.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';
import { toldWhenSlow } from '../told-when-slow.ts';
import { wholeWords } from '../whole-words.ts';

interface DropOptions extends ControlOptions {
  readonly yes?: boolean;
  readonly orphans?: boolean;
  readonly unreachable?: string;
  readonly reason?: string;
}

export function addDrop(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'drop [route]',
    summary: "remove the route's slot, publication and stored state; rows stay as they are",
    example: 'tidelock drop sales-to-reporting --yes',
  })
    .option(
      '--orphans',
      'in place of a route: what bears the name of the deployment and no route of the configuration names',
    )
    .option(
      '--unreachable <node>',
      'in place of a route: all routes of a node that is gone for good, at their other side',
    )
    .option('--yes', 'do it')
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (name: string | undefined, options: DropOptions) => dropOne(line, name, options)));
}

async function dropOne(line: CommandLine, name: string | undefined, options: DropOptions): Promise<number> {
  armFailpoints(line.env.TIDELOCK_FAILPOINTS);
  const { orphans = false, unreachable } = options;
  if ([name !== undefined, orphans, unreachable !== undefined].filter(Boolean).length !== 1)
    throw fail(configErrors.arguments, { why: 'give a route, --orphans or --unreachable NODE, one of the three' });
  if (name !== undefined) return await drop(line, name, options);
  await using control = await openControl(line, options);
  const run = (dryRun: boolean) =>
    unreachable === undefined
      ? control.dropOrphans({ dryRun }, askedHere(options.reason))
      : control.dropUnreachable(unreachable, { dryRun }, askedHere(options.reason));
  const planned = await run(true);
  line.err.write(await wholeWords(line, leftoversText(planned) + failedText(planned)));
  if (planned.leftovers.length > 0 && !options.yes)
    throw fail(configErrors.needsConsent, {
      command: orphans ? 'drop --orphans' : `drop --unreachable ${unreachable}`,
    });
  const what = orphans ? 'the orphans' : `what is left of ${unreachable}`;
  const done = planned.leftovers.length === 0 ? planned : await toldWhenSlow(line, run(false), slowText(what));
  if (options.json) writeJson(line, done);
  else line.out.write(doneText(done));
  line.err.write(await wholeWords(line, failedText(done, planned)));
  return (done.failed ?? []).length === 0 ? 0 : 2;
}

async function drop(line: CommandLine, name: string, options: DropOptions): Promise<number> {
  await using control = await openControl(line, options);
  const planned = await control.drop(name, { dryRun: true }, askedHere(options.reason));
  line.err.write(await wholeWords(line, consequencesText(planned)));
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `drop ${name}` });
  const dropping = control.drop(name, { dryRun: false }, askedHere(options.reason));
  const done = await toldWhenSlow(line, dropping, slowText(name));
  if (options.json) writeJson(line, done);
  else line.out.write(`${name} is dropped\n`);
  if (done.left.length > 0 && !options.json)
    line.err.write(
      `left at ${placeText(done.source)}, since its user may not drop them; an administrator's statements:\n${done.left.join('\n')}\n`,
    );
  return 0;
}

/** Locks, and sessions that end, are waited for half a minute at most; rows have no such bound. */
function slowText(what: string): string {
  return `${what}: not dropped yet. It waits for a lock, or for the sessions of an engine to end, for half a minute at most and tells then; many parked rows take longer. ^C is safe: the same command goes on where this one was.\n`;
}
