import type { Command } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle, goesOnText } from '../lifecycle.ts';

export function addRestart(program: Command, line: CommandLine): void {
  addLifecycle(program, {
    line,
    spec: {
      name: 'restart [routes...]',
      summary: 'end the workers of routes in order and start others; also what is stopped, paused or halted runs then',
      example: 'tidelock restart sales-to-reporting --reason "worker holds too much memory"',
    },
    prepare: () => (control, route, asked) => control.restart(route, asked),
    tell: (document) => ({ out: `${document.name} is to restart\n`, err: goesOnText(document) }),
  });
}
