import type { Command } from 'commander';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { errorCatalogue } from '../../core/errors/catalogue.ts';
import { type ErrorKind, fail } from '../../core/errors/tidelock-error.ts';
import { addCommand, type CommandLine, type CommonOptions, exits, writeJson } from '../command-line.ts';
import { tableText } from '../table-text.ts';
import { terminalColumns } from '../terminal.ts';

export function addErrors(program: Command, line: CommandLine): void {
  addCommand(program, {
    name: 'errors [code]',
    summary: 'what an error code means and what to do; all codes without one',
    example: 'tidelock errors TL-2104',
  }).action(exits(line, async (code: string | undefined, options: CommonOptions) => errors(line, code, options)));
}

function errors(line: CommandLine, code: string | undefined, { json }: CommonOptions): number {
  const wanted = code?.toUpperCase().replace(/^(?!TL-)/, 'TL-');
  const kinds = errorCatalogue.filter((kind) => wanted === undefined || kind.code === wanted);
  if (kinds.length === 0) {
    const why = `there is no error code "${code}"; "tidelock errors" lists all (what check finds under other names carries its remedy with it)`;
    throw fail(configErrors.arguments, { why });
  }
  if (json) writeJson(line, { version: 1, errors: kinds.map(described) });
  else if (code === undefined)
    line.out.write(
      `${tableText(
        ['CODE', 'MEANING'],
        kinds.map((k) => [k.code, k.title]),
        terminalColumns(line),
      )}\n`,
    );
  else for (const kind of kinds) line.out.write(kindText(described(kind)));
  return 0;
}

function kindText({ code, title, explanation, message, recovery, remedy }: ReturnType<typeof described>): string {
  const lines = [`${code}: ${title}`, '', explanation, ''];
  if (message !== null) lines.push(`Message:  ${message}`);
  lines.push(`Recovery: ${recovery}`);
  if (remedy !== null) lines.push(`Remedy:   ${remedy}`);
  return `${lines.join('\n')}\n`;
}

function described({ code, title, explanation, recovery, message, remedy }: ErrorKind<never>) {
  return { code, title, explanation, recovery, message: sample(message), remedy: sample(remedy) };
}

/** The text with `<name>` for each parameter; null where it is not made of texts alone. */
function sample(make: (place: never) => string): string | null {
  const place = new Proxy({}, { get: (_, name) => `<${String(name)}>` });
  try {
    return make(place as never);
  } catch {
    return null;
  }
}
