import { type Command, CommanderError } from 'commander';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { CodedCommand } from './coded-command.ts';
import type { CommandLine } from './command-line.ts';
import { commands } from './commands.ts';
import { printError } from './print-error.ts';
import { version } from './version.ts';

type Surroundings = Partial<Pick<CommandLine, 'env' | 'cwd' | 'out' | 'err'>>;

/** Runs one command line and returns the exit code. What of its surroundings is not given is the process's. */
export async function main(argv: readonly string[], given: Surroundings = {}): Promise<number> {
  const interrupt = new AbortController();
  const line: CommandLine = {
    env: process.env,
    cwd: process.cwd(),
    out: process.stdout,
    err: process.stderr,
    signal: interrupt.signal,
    ...given,
    exitCode: 0,
  };
  // Whoever reads our output has gone (`| head`): nothing is left to be said.
  if (line.out === process.stdout) process.stdout.on('error', () => process.exit(line.exitCode));
  const program = await buildProgram(line, argv[2]);
  if (argv.length <= 2) {
    line.err.write(program.helpInformation());
    return 2;
  }
  if (/^(-c|--config|--json$)/.test(argv[2] ?? '')) {
    const error = fail(configErrors.arguments, {
      why: 'options stand after the command: "tidelock check -c FILE --json"',
    });
    return await printError(line, error, argv.includes('--json'));
  }
  // `run` and the demo have their own way to end; the first ^C is theirs.
  const ownSignals = argv[2] === 'run';
  const interrupted = Promise.withResolvers<number>();
  const onInterrupt = (): void => {
    interrupt.abort();
    if (argv[2] !== 'demo') interrupted.resolve(130);
  };
  if (!ownSignals) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onInterrupt);
  const done = program.parseAsync(argv).then(
    () => line.exitCode,
    (error: unknown) => {
      if (interrupt.signal.aborted && !(error instanceof CommanderError)) return 130;
      return printError(line, error, argv.includes('--json'));
    },
  );
  const code = await Promise.race([done, interrupted.promise]);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onInterrupt);
  if (interrupt.signal.aborted && argv[2] !== 'demo') process.exit(code);
  return code;
}

/** With the one command that is given, or with all where it is none of them: for help, and to tell the nearest. */
export async function buildProgram(line: CommandLine, given?: string): Promise<Command> {
  const program = new CodedCommand('tidelock')
    .description('Keeps databases in step while applications go on writing to them.')
    .version(version(), '--version', 'print the version')
    .exitOverride()
    .configureOutput({ writeOut: (text) => line.out.write(text), writeErr: (text) => line.err.write(text) });
  const names = given === '--version' ? [] : given !== undefined && Object.hasOwn(commands, given) ? [given] : null;
  for (const name of names ?? Object.keys(commands)) (await commands[name]?.())?.(program, line);
  return program;
}
