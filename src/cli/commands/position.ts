import type { Command } from 'commander';
import { placeText } from '../../control/node-place.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { sizeText } from '../../core/quantity-text.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface PositionOptions extends ControlOptions {
  readonly adopt?: string | true;
  readonly yes?: boolean;
  readonly reason?: string;
}

export function addPosition(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'position <route>',
    summary: 'where the route stands; with --adopt, accept where it goes on',
    example: 'tidelock position sales-to-reporting --adopt --yes',
  })
    .option('--adopt [position]', "go on from this position, or from the queue's own")
    .option('--yes', 'do it')
    .option('--reason <text>', 'why, for the journal')
    .action(
      exits(line, (name: string, options: PositionOptions) =>
        options.adopt === undefined ? show(line, name, options) : adopt(line, name, options),
      ),
    );
}

async function show(line: CommandLine, name: string, options: PositionOptions): Promise<number> {
  await using control = await openControl(line, options);
  const document = await control.position(name);
  if (options.json) {
    writeJson(line, document);
    return 0;
  }
  const { sourceNode, targetNode, checkpoint, phase, queue, source } = document;
  const kept = queue.retainedBytes === null ? '' : `, ${sizeText(queue.retainedBytes)} are kept`;
  const rows = [
    [`checkpoint at ${targetNode}:`, checkpoint ?? (phase === 'creating' ? 'the load has not ended' : 'none')],
    [`queue at ${sourceNode}:`, `${queue.position ?? 'none'} (${queue.state}${kept})`],
    [`end of the log at ${sourceNode}:`, source],
  ] as const;
  const width = Math.max(...rows.map(([what]) => what.length));
  line.out.write(rows.map(([what, value]) => `${what.padEnd(width)}  ${value}\n`).join(''));
  return 0;
}

async function adopt(line: CommandLine, name: string, options: PositionOptions): Promise<number> {
  await using control = await openControl(line, options);
  const wish = options.adopt ?? true;
  const { position, before, target } = await control.adopt(
    name,
    { position: wish, dryRun: true },
    askedHere(options.reason),
  );
  line.err.write(
    `${name}: the checkpoint at ${placeText(target)} becomes ${position}, it is ${before ?? 'none'}. ` +
      `What the source committed between the two is left out, or applied a second time.\n`,
  );
  if (!options.yes) throw fail(configErrors.needsConsent, { command: `position ${name} --adopt` });
  // What was shown, also where the queue has moved meanwhile.
  const done = await control.adopt(name, { position, dryRun: false }, askedHere(options.reason));
  if (options.json) writeJson(line, done);
  else line.out.write(`${name} goes on from ${position}: "tidelock start ${name}"\n`);
  return 0;
}
