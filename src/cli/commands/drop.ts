import type { Command } from 'commander';
import type { DroppedRoute } from '../../control/drop-route.ts';
import { placeText } from '../../control/node-place.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface DropOptions extends ControlOptions {
  readonly yes?: boolean;
}

export function addDrop(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'drop <route>',
    summary: "remove the route's slot, publication and stored state; rows stay as they are",
    example: 'tidelock drop sales-to-reporting --yes',
  })
    .option('--yes', 'do it')
    .action(exits(line, (name: string, options: DropOptions) => drop(line, name, options)));
}

async function drop(line: CommandLine, name: string, options: DropOptions): Promise<number> {
  await using control = await openControl(line, options);
  line.err.write(consequences(await control.drop(name, { dryRun: true }, askedHere())));
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `drop ${name}` });
  const done = await control.drop(name, { dryRun: false }, askedHere());
  if (options.json) writeJson(line, done);
  else line.out.write(`${name} is dropped\n`);
  if (done.left.length > 0 && !options.json)
    line.err.write(
      `left at ${placeText(done.source)}, since its user may not drop them; an administrator's statements:\n${done.left.join('\n')}\n`,
    );
  return 0;
}

function consequences({ route, source, target, queue, tables, targetTables, parked }: DroppedRoute): string {
  return (
    `${route}: at ${placeText(source)} slot and publication ${queue.name} (${queue.state}, ${queue.retainedBytes ?? 0} bytes are kept)` +
    `${queue.given ? ', which were given, stay' : ''}; ` +
    `at ${placeText(target)} the state of ${tables} tables in the schema tidelock` +
    `${tables === 0 ? '' : `: ${targetTables.join(', ')}`}` +
    `${parked === 0 ? '' : `, and ${parked} parked transactions, which are lost with it`}\n`
  );
}
