import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { Scenario } from '../../demo/scenario.ts';
import { addCommand, type CommandLine, type CommonOptions, exits } from '../command-line.ts';

interface DemoCommandOptions extends CommonOptions {
  readonly seconds: string;
  readonly rows: string;
  readonly keep?: boolean;
}

export function addDemo(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'demo',
    summary: 'two servers of its own, clients that write, a worker that is killed, every row compared',
    example: 'tidelock demo --seconds 60',
  })
    .argument('[what]', 'postgres, or mysql-to-postgres: a sample database of 20 tables is migrated', 'postgres')
    .option('--rows <number>', 'of mysql-to-postgres: how many rows there are, about', '20000')
    .option('--seconds <number>', 'how long the clients write', '30')
    .option('--keep', 'leave the servers running')
    .action(
      exits(line, async (what: string, options: DemoCommandOptions) => {
        const { keep = false, json = false } = options;
        const seconds = wholeNumber('--seconds', options.seconds);
        const rows = wholeNumber('--rows', options.rows);
        // The demo brings servers with it that no other command needs.
        const { runDemo } = await import('../../demo/run-demo.ts');
        return await runDemo({
          scenario: await scenarioOf(what, rows),
          seconds,
          keep,
          json,
          signal: line.signal,
          out: line.out,
        });
      }),
    );
}

async function scenarioOf(what: string, rows: number): Promise<Scenario> {
  if (what === 'postgres') return (await import('../../demo/bank-scenario.ts')).bankScenario;
  if (what === 'mysql-to-postgres') return (await import('../../demo/rental/rental-scenario.ts')).rentalScenario(rows);
  throw fail(configErrors.arguments, { why: `there are the demos postgres and mysql-to-postgres, and not ${what}` });
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw fail(configErrors.arguments, { why: `${option} wants a whole number of at least 1, is ${text}` });
}
