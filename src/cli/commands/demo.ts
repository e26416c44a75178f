import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import { addCommand, type CommandLine, type CommonOptions, exits } from '../command-line.ts';

interface DemoCommandOptions extends CommonOptions {
  readonly seconds: string;
  readonly keep?: boolean;
}

export function addDemo(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'demo',
    summary: 'two embedded PostgreSQL servers, clients that write, a worker that is killed, every row compared',
    example: 'tidelock demo --seconds 60',
  })
    .option('--seconds <number>', 'how long the clients write', '30')
    .option('--keep', 'leave the servers running')
    .action(
      exits(line, async ({ seconds: text, keep = false, json = false }: DemoCommandOptions) => {
        const seconds = Number(text);
        if (!Number.isSafeInteger(seconds) || seconds < 1) {
          throw fail(configErrors.arguments, { why: `--seconds wants a whole number of at least 1, is ${text}` });
        }
        // The demo brings servers with it that no other command needs.
        const { runDemo } = await import('../../demo/run-demo.ts');
        return await runDemo({ seconds, keep, json, signal: line.signal, out: line.out });
      }),
    );
}
