import type { Command } from 'commander';

/** What a command has of its surroundings. Results go to `out`; logs, notes and errors to `err`. */
export interface CommandLine {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  /** ^C. */
  readonly signal: AbortSignal;
  /** Set by the action: 0 done and true, 1 the answer is no, 2 could not run, 3 internal error, 130 interrupted. */
  exitCode: number;
}

export interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface CommandSpec {
  /** With its arguments, as commander has them. */
  readonly name: string;
  readonly summary: string;
  readonly example: string;
  /** What its group does where nothing is said. */
  readonly isDefault?: boolean;
}

/** A command with what all of them take. */
export function addCommand(parent: Command, { name, summary, example, isDefault = false }: CommandSpec): Command {
  return parent
    .command(name, { isDefault })
    .description(summary)
    .option('-c, --config <file>', 'configuration file (else TIDELOCK_CONFIG, else tidelock.yaml)')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', `\nExample:\n  ${example}`);
}

/** Wraps an action that returns its exit code. */
export function exits<A extends unknown[]>(
  line: CommandLine,
  action: (...args: A) => Promise<number>,
): (...args: A) => Promise<void> {
  return async (...args) => {
    line.exitCode = await action(...args);
  };
}

export function writeJson(line: CommandLine, document: object): void {
  line.out.write(`${JSON.stringify(document)}\n`);
}
