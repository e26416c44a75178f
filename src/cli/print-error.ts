import { CommanderError } from 'commander';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import { loggedError } from '../open-logger.ts';
import type { CommandLine } from './command-line.ts';
import { terminalColumns } from './terminal.ts';

interface PrintedError {
  readonly text: string;
  readonly exitCode: number;
}

interface ErrorStyle {
  readonly json: boolean;
  /** Width of the terminal; null: lines have any length. */
  readonly columns: number | null;
}

/** What a command that could not be done says on standard error, and its exit code. */
async function printedError(error: unknown, { json, columns }: ErrorStyle): Promise<PrintedError> {
  if (error instanceof TidelockError) {
    const { code, message, remedy } = error;
    const lines = `${code} ${message}\n${remedy}`.split('\n');
    const text = json ? JSON.stringify({ error: error.toJSON() }) : (await whole(lines, columns)).join('\n');
    return { text: `${text}\n`, exitCode: 2 };
  }
  // Commander has printed it by itself; help and version are no errors.
  if (error instanceof CommanderError) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  const what = loggedError(error);
  const text = json
    ? JSON.stringify({ error: what })
    : `internal error, please report it: ${JSON.stringify(what, null, 2)}`;
  return { text: `${text}\n`, exitCode: 3 };
}

/** Tells it, and returns the exit code. */
export async function printError(line: Pick<CommandLine, 'err'>, error: unknown, json: boolean): Promise<number> {
  const { text, exitCode } = await printedError(error, { json, columns: terminalColumns({ out: line.err }) });
  line.err.write(text);
  return exitCode;
}

/** Broken between words. Measuring text takes a tenth of a second to load: only where a terminal would break a line. */
async function whole(lines: readonly string[], columns: number | null): Promise<readonly string[]> {
  if (columns === null || lines.every((line) => line.length < columns)) return lines;
  const { wrapped } = await import('./wrapped.ts');
  return lines.flatMap((line) => wrapped(line, { indent: 0, columns }));
}
