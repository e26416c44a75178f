import { Command, type ErrorOptions, type HelpContext } from 'commander';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import { didYouMean } from '../core/nearest-name.ts';

/**
 * Commander's own refusals (an unknown command or option, what is missing, or too much) as errors of the catalogue: they are thrown, and
 * told where all others are, as one document with --json.
 */
export class CodedCommand extends Command {
  override createCommand(name?: string): CodedCommand {
    return new CodedCommand(name);
  }

  override error(message: string, { code = '' }: ErrorOptions = {}): never {
    throw this.#refused(asSentence(message) + (code === 'commander.excessArguments' ? this.#otherCommand() : ''));
  }

  /** Help that nobody has asked for is shown where a command is missing, or `help` is asked for one that is not there. */
  override help(context?: HelpContext | ((text: string) => string)): never {
    if (typeof context !== 'object' || context.error !== true) return super.help(context as HelpContext);
    const names = this.#names();
    const [verb, asked] = this.args;
    if (verb === 'help' && asked !== undefined)
      throw this.#refused(`there is no command ${asked}${didYouMean(asked, names)}`);
    throw this.#refused(`wants one of ${names.join(', ')}`);
  }

  /** A misspelt command of a group is read as the argument of the group's own, `jobs wacth 12` as `jobs list wacth 12`. */
  #otherCommand(): string {
    const { parent } = this;
    const [first] = this.args;
    return parent instanceof CodedCommand && first !== undefined ? didYouMean(first, parent.#names()) : '';
  }

  #names(): readonly string[] {
    const shown = this.createHelp().visibleCommands(this);
    return shown.map((command) => command.name()).filter((name) => name !== 'help');
  }

  #refused(why: string): TidelockError {
    const words = [this.name()];
    for (let above = this.parent; above !== null; above = above.parent) words.unshift(above.name());
    const command = words.join(' ');
    return fail(configErrors.arguments, { why: `${command}: ${why}`, command });
  }
}

/** `error: unknown option '--jsn'` and, on a line of its own, `(Did you mean --json?)`. */
function asSentence(message: string): string {
  return message.replace(/^error: /, '').replace(/\n\(Did you mean (?:one of )?(.*)\?\)$/, ', did you mean $1?');
}
