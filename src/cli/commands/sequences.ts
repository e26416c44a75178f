import type { Command } from 'commander';
import { placeText } from '../../control/node-place.ts';
import type { SequenceReport } from '../../operations/carry-sequences.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from '../open-control.ts';

interface SequencesOptions extends ControlOptions {
  readonly reason?: string;
}

export function addSequences(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'sequences <route>',
    summary: "carry the values of the source's sequences over now",
    example: 'tidelock sequences sales-to-reporting --json',
  })
    .option('--reason <text>', 'why, for the journal')
    .action(exits(line, (route: string, options: SequencesOptions) => carry(line, route, options)));
}

async function carry(line: CommandLine, name: string, options: SequencesOptions): Promise<number> {
  await using control = await openControl(line, options);
  const document = await control.sequences(name, askedHere(options.reason));
  const { sequences, target } = document;
  if (options.json) writeJson(line, document);
  else line.out.write(textOf(sequences, placeText(target)));
  return sequences.every(({ outcome }) => ['carried', 'same', 'ahead', 'notCarried'].includes(outcome)) ? 0 : 1;
}

function textOf(reports: readonly SequenceReport[], place: string): string {
  if (reports.length === 0) return 'no column of the route has a sequence, and the route names none\n';
  const lines = reports.map((report) => {
    const { source, target, outcome, sourceValue, targetValue, value, reason } = report;
    const from = targetValue === null ? '' : `, was ${targetValue}`;
    const what = {
      carried: `is ${value} now${from}`,
      same: `is ${targetValue} there, too`,
      ahead: `is further there, at ${targetValue}: left alone`,
      missing: report.column === null ? 'is not there' : `${report.column} has no sequence there`,
      outOfRange: `${sourceValue} is beyond the bounds of ${target}`,
      notCarried: `${report.column} does not travel`,
      refused: `could not be set: ${reason}`,
    }[outcome];
    return `${outcome.padEnd(10)} ${source}: ${what}\n`;
  });
  return `at ${place}\n${lines.join('')}`;
}
