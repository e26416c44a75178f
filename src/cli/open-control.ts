import type { Asked, Control } from '../control/control.ts';
import { LocalControl } from '../control/local-control.ts';
import { askedBy } from './asked-by.ts';
import { type CommandLine, type CommonOptions, openConfiguration } from './command-line.ts';

/** The deployment that a command is about. */
export function openControl(line: CommandLine, options: CommonOptions): Control {
  const configuration = openConfiguration(line, options);
  return new LocalControl({ configuration: () => configuration });
}

/** What the journal is told of a command. */
export function askedHere(reason?: string): Asked {
  return { by: askedBy(), via: 'cli', reason: reason?.trim() || null };
}
