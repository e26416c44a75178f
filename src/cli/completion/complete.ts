import type { Argument, Command, Option } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { commands, hidden } from '../commands.ts';
import { type Names, readNames } from './names.ts';

export interface Completion {
  /** The shell completes file names by itself. */
  readonly files: boolean;
  readonly words: readonly { readonly word: string; readonly about: string }[];
}

const nothing: Completion = { files: false, words: [] };
const files: Completion = { files: true, words: [] };

/** What may stand where the cursor is: behind `words`, whose last is what has been written of it. */
export async function complete(
  words: readonly string[],
  line: CommandLine,
  load: (name: string) => Promise<Command>,
): Promise<Completion> {
  // For bash a = is a word of its own, and what comes behind it another.
  const written = (words.at(-1) ?? '').replace(/^=$/, '');
  const isValue = words.at(-1) === '=' || words.at(-2) === '=';
  const [name, ...before] = joined(words.slice(0, -1));
  if (name === undefined) {
    const names = Object.keys(commands).filter((of) => !hidden.has(of));
    return plain([...names, '--help', '--version'], written);
  }
  if (!Object.hasOwn(commands, name)) return nothing;
  const { command, rest } = deepest(await load(name), [name, ...before]);
  const place = placeIn(command, rest);
  const names = (): Promise<Names> => readNames(rest, line);
  if (isValue) {
    const option = command.options.find(({ long }) => long === rest.at(-1)?.replace(/=$/, ''));
    return option === undefined ? nothing : optionValues(option, written);
  }
  if (place.option !== null) return optionValues(place.option, written);
  const [, flag, start] = /^(--[^=]+)=(.*)$/s.exec(written) ?? [];
  if (flag !== undefined) {
    const option = command.options.find(({ long }) => long === flag);
    const { words: values } = option === undefined ? nothing : optionValues(option, start ?? '');
    return { files: false, words: values.map(({ word, about }) => ({ word: `${flag}=${word}`, about })) };
  }
  if (written.startsWith('-')) return options(command, { rest, written });
  if (command.commands.length > 0)
    return matching(
      command.commands.map((below) => ({ word: below.name(), about: below.description() })),
      written,
    );
  const argument = argumentAt(command, place.positional.length);
  return argument === null ? nothing : await argumentValues(argument, { written, given: place.positional, names });
}

/** Bash makes three words of `--option=value`. */
function joined(words: readonly string[]): string[] {
  const whole: string[] = [];
  for (const word of words) {
    const last = whole.at(-1);
    if (last !== undefined && (word === '=' || last.endsWith('='))) whole[whole.length - 1] = last + word;
    else whole.push(word);
  }
  return whole;
}

function deepest(program: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program;
  let at = 0;
  for (;;) {
    const below = command.commands.find((of) => of.name() === words[at]);
    if (below === undefined) return { command, rest: words.slice(at) };
    command = below;
    at += 1;
  }
}

/** The option whose value the cursor is at, and the arguments before it. */
function placeIn(command: Command, rest: readonly string[]): { option: Option | null; positional: string[] } {
  const positional: string[] = [];
  let open: Option | null = null;
  for (const word of rest) {
    if (open !== null) {
      open = null;
      continue;
    }
    const option = command.options.find(({ short, long }) => word === short || word === long);
    if (option !== undefined && (option.required || option.optional)) open = option;
    else if (!word.startsWith('-')) positional.push(word);
  }
  return { option: open, positional };
}

function argumentAt({ registeredArguments }: Command, at: number): Argument | null {
  const last = registeredArguments.at(-1);
  return registeredArguments[at] ?? (last?.variadic ? last : null);
}

function optionValues({ argChoices, flags, long }: Option, written: string): Completion {
  if (argChoices !== undefined) return plain(argChoices, written);
  return /<file>/.test(flags) || long === '--config' ? files : nothing;
}

function options(
  command: Command,
  { rest, written }: { readonly rest: readonly string[]; readonly written: string },
): Completion {
  const found = command.options
    .filter(({ short, long, hidden: isHidden, parseArg }) => {
      const isGiven = rest.some((word) => word === short || word === long || word.startsWith(`${long}=`));
      return !isHidden && (!isGiven || parseArg !== undefined);
    })
    .map(({ long, description }) => ({ word: long ?? '', about: description }));
  return matching([...found, { word: '--help', about: 'display help for command' }], written);
}

interface ArgumentPlace {
  readonly written: string;
  readonly given: readonly string[];
  readonly names: () => Promise<Names>;
}

async function argumentValues(argument: Argument, { written, given, names }: ArgumentPlace): Promise<Completion> {
  if (argument.argChoices !== undefined) return plain(argument.argChoices, written);
  const isNew = (name: string): boolean => !argument.variadic || !given.includes(name);
  switch (argument.name()) {
    case 'route':
    case 'routes':
      return plain((await names()).routes.filter(isNew), written);
    case 'node':
      return plain((await names()).nodes.filter(isNew), written);
    default:
      return nothing;
  }
}

const plain = (words: readonly string[], written: string): Completion =>
  matching(
    words.map((word) => ({ word, about: '' })),
    written,
  );

function matching(words: Completion['words'], written: string): Completion {
  return { files: false, words: words.filter(({ word }) => word.startsWith(written)) };
}
