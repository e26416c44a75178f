import { CommanderError } from 'commander';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import { loggedError } from '../open-logger.ts';
import type { CommandLine } from './command-line.ts';
import { wholeWords } from './whole-words.ts';

interface PrintedError {
  readonly text: string;
  readonly exitCode: number;
}

/** What a command that could not be done says on standard error, and its exit code. */
function printedError(error: unknown, json: boolean): PrintedError {
  if (error instanceof TidelockError) {
    const { code, message, remedy } = error;
    const text = json ? JSON.stringify({ error: error.toJSON() }) : `${code} ${message}\n${remedy}`;
    return { text: `${text}\n`, exitCode: 2 };
  }
  // Help and version, which are printed: no errors.
  if (error instanceof CommanderError) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  const what = loggedError(error);
  const text = json
    ? JSON.stringify({ error: what })
    : `internal error, please report it: ${JSON.stringify(what, null, 2)}`;
  return { text: `${text}\n`, exitCode: 3 };
}

/** Tells it, and returns the exit code. */
export async function printError(line: Pick<CommandLine, 'err'>, error: unknown, json: boolean): Promise<number> {
  const { text, exitCode } = printedError(error, json);
  line.err.write(json ? text : await wholeWords(line, text));
  return exitCode;
}
