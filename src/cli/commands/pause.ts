import type { Command } from 'commander';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CommandLine } from '../command-line.ts';
import { durationOption } from '../duration-option.ts';
import { addLifecycle, type LifecycleOptions, retentionText } from '../lifecycle.ts';

interface PauseOptions extends LifecycleOptions {
  readonly for?: string;
}

export function addPause(program: Command, line: CommandLine): void {
  addLifecycle<PauseOptions>(program, {
    line,
    spec: {
      name: 'pause [routes...]',
      summary: 'stop routes for a while, with alerts silent; remembered at the target, the queue at the source is kept',
      example: 'tidelock pause sales-to-reporting --for 2h --reason "index build at the target"',
    },
    prepare: (options) => {
      const forMs = options.for === undefined ? null : durationOption('--for', options.for);
      return (control, route, asked) => control.pause(route, { forMs }, asked);
    },
    tell: (document) => {
      const { name, changed, desiredState, pausedUntil } = document;
      if (!changed)
        return { refused: fail(routeErrors.notPaused, { route: name, verb: 'pause', state: desiredState }) };
      const until = pausedUntil === null ? `until "tidelock resume ${name}"` : `until ${pausedUntil}`;
      return { out: `${name} is to pause ${until}\n`, err: retentionText(document, 'while it is paused') };
    },
  }).option('--for <duration>', 'go on by itself after this long');
}
