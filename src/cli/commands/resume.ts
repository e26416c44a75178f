import type { Command } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle } from '../lifecycle.ts';

export function addResume(program: Command, line: CommandLine): void {
  addLifecycle(program, {
    line,
    spec: {
      name: 'resume [routes...]',
      summary: 'let routes go on that are paused; others are left as they are',
      example: 'tidelock resume sales-to-reporting',
    },
    prepare: () => (control, route, asked) => control.resume(route, asked),
    tell: ({ name, changed, desiredState, engine }) => {
      if (!changed) return { err: `${name} is not paused but ${desiredState}, and stays so\n` };
      const err = engine
        ? ''
        : `${name} waits for an engine: none has it now. Where none runs, start "tidelock run".\n`;
      return { out: `${name} is to go on\n`, err };
    },
  });
}
