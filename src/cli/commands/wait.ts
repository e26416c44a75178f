import type { Command } from 'commander';
import type { Configuration } from '../../config/configuration.ts';
import { parseDuration } from '../../config/units.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { pause } from '../../core/pause.ts';
import type { Position } from '../../core/position.ts';
import type { Reason } from '../../core/route-status.ts';
import {
  addCommand,
  type CommandLine,
  type CommonOptions,
  exits,
  openConfiguration,
  writeJson,
} from '../command-line.ts';
import { type OpenedRoute, openRoute } from '../open-route.ts';
import { readStatus } from '../read-status.ts';
import type { RouteView } from '../route-view.ts';

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
  const configuration = openConfiguration(line, options);
  const definition = configuration.routes.demand(name, 'route');
  await using route = openRoute(definition);
  const mark = await route.source.mark();
  let told = false;
  for (let polls = 0; ; polls++) {
    const { position, parked } = await storedProgress(route);
    const passed = position !== null && route.source.order.covers(position, mark);
    // What is parked was committed before the call and is not at the target.
    const caughtUp = passed && parked === 0;
    const waitedMs = Math.round(performance.now() - beganMs);
    if (passed || waitedMs >= timeoutMs || line.signal.aborted) {
      const { state, reason } = passed ? { state: undefined, reason: null } : await stateOf(configuration, name);
      if (options.json)
        writeJson(line, {
          version: 1,
          route: name,
          caughtUp,
          mark,
          position,
          parked,
          waitedMs,
          ...(state && { state, reason }),
        });
      else if (caughtUp) line.out.write(`${name} is caught up to ${mark}, after ${waitedMs} ms\n`);
      else if (passed)
        line.err.write(
          `${name} has passed ${mark}, but ${parked} transactions are parked: "tidelock parked list ${name}"\n`,
        );
      else
        line.err.write(
          `${name} is not caught up: ${position ?? 'nothing'} of ${mark} after ${waitedMs} ms; its state is ${state}${told ? '' : reasonText(reason)}\n`,
        );
      return line.signal.aborted ? 130 : caughtUp ? 0 : 1;
    }
    if (polls === 0 && !options.json) told = await warnOfRest(line, configuration, name);
    await pause(Math.min(pollMs, timeoutMs - waitedMs), line.signal);
  }
}

/** Whoever waits for a route that does not run should know at once, and not when the time is over. */
async function warnOfRest(line: CommandLine, configuration: Configuration, name: string): Promise<boolean> {
  const { state, reason } = await stateOf(configuration, name);
  const rests = ['stopped', 'failed', 'fenced', 'paused'].includes(state);
  if (rests) line.err.write(`${name} is ${state}; waiting all the same${reasonText(reason)}\n`);
  return rests;
}

async function stateOf(configuration: Configuration, name: string): Promise<Pick<RouteView, 'state' | 'reason'>> {
  const [view] = await readStatus(configuration, [name]);
  return { state: view?.state ?? 'unknown', reason: view?.reason ?? null };
}

function reasonText(reason: Reason | null): string {
  return reason === null ? '' : `\n  ${reason.code} ${reason.message}\n  ${reason.remedy ?? ''}`.trimEnd();
}

/** No position while nothing is stored, also while the target restarts: the time-out decides how long that may last. */
async function storedProgress(route: OpenedRoute): Promise<{ position: Position | null; parked: number }> {
  const stored = await (await route.store()).read();
  const position = stored?.checkpoint?.phase === 'ready' ? stored.checkpoint.position : null;
  return { position, parked: stored?.parked.count ?? 0 };
}
