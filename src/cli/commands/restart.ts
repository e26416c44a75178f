import type { Command } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { addLifecycle } from '../lifecycle.ts';

export function addRestart(program: Command, line: CommandLine): void {
  addLifecycle(program, {
    line,
    spec: {
      name: 'restart [routes...]',
      summary: 'end the workers of routes in order and start others; also what is stopped, paused or halted runs then',
      example: 'tidelock restart sales-to-reporting --reason "worker holds too much memory"',
    },
    prepare: () => (control, route, asked) => control.restart(route, asked),
    tell: ({ name, engine }) => ({
      out: `${name} is to restart\n`,
      err: engine ? '' : `${name} waits for an engine: none has it now. Where none runs, start "tidelock run".\n`,
    }),
  });
}
