import type { Command } from 'commander';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle, goesOnText } from '../lifecycle.ts';

export function addResume(program: Command, line: CommandLine): void {
  addLifecycle(program, {
    line,
    spec: {
      name: 'resume [routes...]',
      summary: 'let routes go on that are paused; others are left as they are',
      example: 'tidelock resume sales-to-reporting',
    },
    prepare: () => (control, route, asked) => control.resume(route, asked),
    tell: (document) => {
      const { name, changed, desiredState } = document;
      if (!changed && desiredState !== 'running')
        return { refused: fail(routeErrors.notPaused, { route: name, verb: 'resume', state: desiredState }) };
      if (!changed) return { err: `${name} is not paused but ${desiredState}, and stays so\n` };
      return { out: `${name} is to go on\n`, err: goesOnText(document) };
    },
  });
}
