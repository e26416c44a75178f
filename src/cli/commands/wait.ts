import type { Command } from 'commander';
import type { Control } from '../../control/control.ts';
import { pause } from '../../core/pause.ts';
import type { Reason } from '../../core/route-status.ts';
import { type CommandLine, exits, writeJson } from '../command-line.ts';
import { counted } from '../counted.ts';
import { durationOption } from '../duration-option.ts';
import { addControlCommand, type ControlOptions, openControl } from '../open-control.ts';

/** A wait that is not over by then may last: whoever waits for a route that does not run should know. */
const soonMs = 100;

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
  waiting.catch(() => {});
  const told = options.json ? false : await warnOfRest(line, control, { name, waiting });
  const document = await waiting;
  const { caughtUp, passed, mark, position, parked, waitedMs, state, reason = null } = document;
  if (options.json) writeJson(line, document);
  else if (caughtUp) line.out.write(`${name} is caught up to ${mark}, after ${waitedMs} ms\n`);
  else if (passed)
    line.err.write(
      `${name} has passed ${mark}, but ${counted(parked, 'transaction')} ${parked === 1 ? 'is' : 'are'} parked: "tidelock parked list ${name}"\n`,
    );
  else
    line.err.write(
      `${name} is not caught up: ${position ?? 'nothing'} of ${mark} after ${waitedMs} ms; its state is ${state}${told ? '' : reasonText(reason)}\n`,
    );
  return line.signal.aborted ? 130 : caughtUp ? 0 : 1;
}

/** Whoever waits for a route that does not run should know at once, and not when the time is over. */
async function warnOfRest(
  line: CommandLine,
  control: Control,
  { name, waiting }: { readonly name: string; readonly waiting: Promise<object> },
): Promise<boolean> {
  const over = new AbortController();
  const isOver = await Promise.race([waiting.then(() => true), pause(soonMs, over.signal).then(() => false)]).finally(
    () => over.abort(),
  );
  if (isOver) return false;
  const {
    routes: [view],
  } = await control.status([name]);
  if (view === undefined || !['stopped', 'failed', 'fenced', 'paused'].includes(view.state)) return false;
  line.err.write(`${name} is ${view.state}; waiting all the same${reasonText(view.reason)}\n`);
  return true;
}

function reasonText(reason: Reason | null): string {
  return reason === null ? '' : `\n  ${reason.code} ${reason.message}\n  ${reason.remedy ?? ''}`.trimEnd();
}
