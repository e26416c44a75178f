import type { Command } from 'commander';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { counted } from '../counted.ts';
import { durationOption } from '../duration-option.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';
import { reasonText, whileWaiting } from '../while-waiting.ts';

interface WaitOptions extends ControlOptions {
  readonly timeout: string;
}

export function addWait(program: Command, line: CommandLine): void {
  addControlCommand(program, {
    name: 'wait <route>',
    summary: 'return when everything committed at the source before the call is at the target',
    example: 'tidelock wait sales-to-reporting --timeout 5m',
  })
    .option('--timeout <duration>', 'give up after this long, with exit code 1', '60s')
    .action(exits(line, (route: string, options: WaitOptions) => wait(line, route, options)));
}

async function wait(line: CommandLine, name: string, options: WaitOptions): Promise<number> {
  const timeoutMs = durationOption('--timeout', options.timeout);
  await using control = await openControl(line, options);
  const waiting = control.wait(name, { timeoutMs }, line.signal);
  const { result: document, told } = await whileWaiting(line, control, { routes: [name], waiting });
  const { caughtUp, passed, mark, position, parked, waitedMs, state, reason = null } = document;
  if (options.json) writeJson(line, document);
  else if (caughtUp) line.out.write(`${name} is caught up to ${mark}, after ${waitedMs} ms\n`);
  else if (passed)
    line.err.write(
      `${name} has passed ${mark}, but ${counted(parked, 'transaction')} ${parked === 1 ? 'is' : 'are'} parked: "tidelock parked list ${name}"\n`,
    );
  else
    line.err.write(
      `${name} is not caught up: ${position ?? 'nothing'} of ${mark} after ${waitedMs} ms; its state is ${state}${told.has(name) ? '' : reasonText(reason)}\n`,
    );
  return line.signal.aborted ? 130 : caughtUp ? 0 : 1;
}
