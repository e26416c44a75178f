import type { Command } from 'commander';
import type { Asked, Control } from '../control/control.ts';
import type { LifecycleDocument, Retention } from '../control/lifecycle.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import { exactSize, sizeText } from '../core/quantity-text.ts';
import { chosenRoutes } from './chosen-routes.ts';
import { type CommandLine, type CommandSpec, exits, writeJson } from './command-line.ts';
import { addControlCommand, askedHere, type ControlOptions, openControl } from './open-control.ts';
import { printError } from './print-error.ts';
import { wholeWords } from './whole-words.ts';

export interface LifecycleOptions extends ControlOptions {
  readonly all?: boolean;
  readonly reason?: string;
}

interface Told {
  readonly out?: string;
  readonly err?: string;
  /** The route is not as the verb is to leave it. Of all routes those are meant that it is for: then it is no more than told. */
  readonly refused?: TidelockError;
}

export interface LifecycleVerb<O extends LifecycleOptions> {
  readonly line: CommandLine;
  readonly spec: CommandSpec;
  /** Checks the options before any route is touched, and returns what asks for one. */
  prepare(options: O): (control: Control, route: string, asked: Asked) => Promise<LifecycleDocument>;
  /** What people are told of a route: results, and what they should know besides. */
  tell(document: LifecycleDocument, options: O): Told;
}

/**
 * A verb over several routes. One that can't be asked does not keep the others from being asked; the exit code is 2 then,
 * and 1 where the answer of one is no.
 */
export function addLifecycle<O extends LifecycleOptions>(program: Command, verb: LifecycleVerb<O>): Command {
  const { line, spec } = verb;
  return addControlCommand(program, spec)
    .option('--all', 'all routes of the configuration')
    .option('--reason <text>', 'why, for status and the journal')
    .action(exits(line, (named: string[], options: O) => ask(verb, named, options)));
}

async function ask<O extends LifecycleOptions>(
  { line, prepare, tell }: LifecycleVerb<O>,
  named: readonly string[],
  options: O,
): Promise<number> {
  const request = prepare(options);
  const { json = false, all = false, reason } = options;
  await using control = await openControl(line, options);
  const routes: object[] = [];
  let code = 0;
  for (const name of await chosenRoutes(control, named, all)) {
    try {
      const document = await request(control, name, askedHere(reason));
      const { out = '', err = '', refused = null } = tell(document, options);
      const no = all ? null : refused;
      routes.push({ ...document, ...(no !== null && { error: no.toJSON() }) });
      if (!json) line.out.write(out);
      line.err.write(await wholeWords(line, err));
      if (no !== null) await printError(line, no, json);
      else if (refused !== null) line.err.write(await wholeWords(line, `${refused.message}\n`));
      if (document.holder === null || no !== null) code = Math.max(code, 1);
    } catch (error) {
      if (!(error instanceof TidelockError) || (named.length === 1 && !all)) throw error;
      routes.push({ name, error: error.toJSON() });
      await printError(line, error, json);
      code = 2;
    }
  }
  if (json) writeJson(line, { version: 1, routes });
  return code;
}

/** Whoever lets a route run should know that nobody does it, or that it is not what the file says. */
export function goesOnText({ name, engine, unapplied }: LifecycleDocument): string {
  const waits = `${name} waits for an engine: one that runs takes it within seconds ("tidelock status ${name}"); where none runs, start "tidelock run".\n`;
  const told = `${name} goes on as it was applied last, and the configuration says otherwise: "tidelock plan" shows what, "tidelock apply" (or SIGHUP to the service) takes it up.\n`;
  return `${engine ? '' : waits}${unapplied ? told : ''}`;
}

/** Whoever stops a route should know what that costs the source. */
export function retentionText({ name, retention }: LifecycleDocument, until: string): string {
  const kept = `The source keeps its log for ${name} ${until}`;
  if (retention?.lost)
    return `The source keeps nothing for ${name}: its queue there is gone. "tidelock status ${name}" says what to do.\n`;
  if (retention == null) return `${kept}: it grows meanwhile; how much it keeps now could not be asked.\n`;
  return `${kept}: it grows meanwhile${grown(retention)}.\n`;
}

function grown({ retainedBytes, warnBytes, criticalBytes }: Retention): string {
  const limits = `a warning from ${exactSize(warnBytes)}, critical from ${exactSize(criticalBytes)}`;
  return retainedBytes === null ? ` (${limits})` : `, ${sizeText(retainedBytes)} now (${limits})`;
}
