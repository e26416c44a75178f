import type { Command } from 'commander';
import { parseDuration } from '../../config/units.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { pause } from '../../core/pause.ts';
import type { Position } from '../../core/position.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { type OpenedRoute, openRoute } from '../open-route.ts';

const pollMs = 50;

interface WaitOptions extends CommonOptions {
  readonly timeout: string;
}

export function addWait(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'wait <route>',
    summary: 'return when everything committed at the source before the call is at the target',
    example: 'tidelock wait sales-to-reporting --timeout 5m',
  })
    .option('--timeout <duration>', 'give up after this long, with exit code 1', '60s')
    .action(exits(line, (route: string, options: WaitOptions) => wait(line, route, options)));
}

async function wait(line: CommandLine, name: string, options: WaitOptions): Promise<number> {
  const timeoutMs = parseDuration(options.timeout);
  if (timeoutMs === null) {
    throw fail(configErrors.arguments, { why: `--timeout wants a duration such as 60s or 5m, is ${options.timeout}` });
  }
  const beganMs = performance.now();
  const definition = openConfiguration(line, options).routes.demand(name, 'route');
  await using route = openRoute(definition);
  const mark = await route.source.mark();
  for (;;) {
    const position = await storedPosition(route);
    const caughtUp = position !== null && route.source.order.covers(position, mark);
    const waitedMs = Math.round(performance.now() - beganMs);
    if (caughtUp || waitedMs >= timeoutMs || line.signal.aborted) {
      if (options.json) writeJson(line, { version: 1, route: name, caughtUp, mark, position, waitedMs });
      else if (caughtUp) line.out.write(`${name} is caught up to ${mark}, after ${waitedMs} ms\n`);
      else line.err.write(`${name} is not caught up: ${position ?? 'nothing'} of ${mark} after ${waitedMs} ms\n`);
      return line.signal.aborted ? 130 : caughtUp ? 0 : 1;
    }
    await pause(Math.min(pollMs, timeoutMs - waitedMs), line.signal);
  }
}

/** Null while nothing is stored, also while the target restarts: the time-out decides how long that may last. */
async function storedPosition(route: OpenedRoute): Promise<Position | null> {
  const stored = await (await route.store()).read();
  return stored?.checkpoint?.phase === 'ready' ? stored.checkpoint.position : null;
}
