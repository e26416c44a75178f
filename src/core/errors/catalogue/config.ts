import { errorKind } from '../tidelock-error.ts';

interface InvalidFile {
  readonly file: string;
  readonly problems: readonly {
    readonly code: string;
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly path: string;
    readonly message: string;
  }[];
}

/** One line where one thing is wrong, else a line for each. */
function list({ file, problems }: InvalidFile): string {
  const mixed = new Set(problems.map((problem) => problem.code)).size > 1;
  const lines = problems.map(
    (problem) =>
      `${problem.file}:${problem.line}:${problem.column}: ${problem.path && `${problem.path}: `}${problem.message}${mixed ? ` (${problem.code})` : ''}`,
  );
  return lines.length === 1 ? lines.join('') : `${file}: ${lines.length} problems\n  ${lines.join('\n  ')}`;
}

/** TL-1xxx: configuration and commands. */
export const configErrors = {
  unreadable: errorKind<{ file: string; why: string }>({
    code: 'TL-1001',
    title: 'The configuration file cannot be read',
    recovery: 'usage',
    message: ({ file, why }) => `cannot read ${file}: ${why}`,
    remedy: () => 'Name the file with -c FILE or TIDELOCK_CONFIG, or write one.',
    explanation:
      'Every command but help needs a configuration. Tidelock looks for tidelock.yaml in the working directory.',
  }),
  invalid: errorKind<InvalidFile>({
    code: 'TL-1002',
    title: 'The configuration is not valid',
    recovery: 'usage',
    message: list,
    remedy: () => 'Mend the places named; docs/configuration.md has every key.',
    explanation:
      'Unknown keys, values of the wrong kind, missing keys and contradictions are errors, so that nothing that was written is ever silently without effect. All problems are listed at once; where they are of several kinds, each line has its own code.',
  }),
  syntax: errorKind<InvalidFile>({
    code: 'TL-1003',
    title: 'The configuration is not valid YAML',
    recovery: 'usage',
    message: list,
    remedy: () => 'Mend the YAML at the places named.',
    explanation:
      'The file cannot be parsed, or the parser had a warning: keys that are there twice, unknown tags, aliases without an anchor. The text at the place is not quoted, since it may be a secret.',
  }),
  notInThisVersion: errorKind<InvalidFile>({
    code: 'TL-1004',
    title: 'The configuration asks for what this version does not have',
    recovery: 'usage',
    message: list,
    remedy: () => 'Remove the keys named, or give them a value that this version has (docs/configuration.md).',
    explanation:
      'The key or value is part of the contract and not implemented yet. It is refused and not ignored, since the route would do something else than what was asked for.',
  }),
  reference: errorKind<InvalidFile>({
    code: 'TL-1005',
    title: 'A reference in the configuration cannot be resolved',
    recovery: 'usage',
    message: list,
    remedy: () =>
      'Set the environment variable or provide the file, or give a default: ${NAME:-default}. "tidelock config validate" lists every one that is missing.',
    explanation:
      'References are resolved when a command needs the value, connections at each connect. A variable that is not set, a file that cannot be read, and an unfinished ${ are errors; "$${" stands for the characters themselves.',
  }),
  conflict: errorKind<InvalidFile>({
    code: 'TL-1006',
    title: 'Two configuration files say the same key',
    recovery: 'usage',
    message: list,
    remedy: () => 'Keep one of the two.',
    explanation: 'Included files add to each other and never override: which one wins would depend on their order.',
  }),
  overlappingGlobs: errorKind<{ route: string; table: string; patterns: readonly string[]; section: string }>({
    code: 'TL-1007',
    title: 'A table matches two globs',
    recovery: 'halt',
    message: ({ route, table, patterns, section }) =>
      `route ${route}: ${table} matches ${patterns.join(' and ')} in ${section}`,
    remedy: ({ table }) => `Name ${table} without a glob, or make the globs disjoint.`,
    explanation:
      'A name without a glob comes before every glob. Between two globs there is no order, so a table that both match is refused.',
  }),
  sharedTarget: errorKind<{ route: string; target: string; sources: readonly string[] }>({
    code: 'TL-1008',
    title: 'Two source tables have the same target table',
    recovery: 'halt',
    message: ({ route, target, sources }) => `route ${route}: ${sources.join(' and ')} both go to ${target}`,
    remedy: () => 'Give each its own target: use {schema} and {table} in `to`, or name the tables one by one.',
    explanation: 'Rows of two tables in one would overwrite each other.',
  }),
  transformType: errorKind<{ transform: string; column: string; type: string; wanted: string }>({
    code: 'TL-1009',
    title: 'A transform does not fit the type of its column',
    recovery: 'halt',
    message: ({ transform, column, type, wanted }) =>
      `${transform}: column ${column} is ${type}, the transform is for ${wanted}`,
    remedy: () => 'Take the column out of the transform, or use a method that fits its type.',
    explanation: 'The result could not be stored in the column, or would change its meaning.',
  }),
  unknownName: errorKind<{ what: string; name: string; hint: string }>({
    code: 'TL-1012',
    title: 'No route or node of that name',
    recovery: 'usage',
    message: ({ what, name, hint }) => `there is no ${what} "${name}"${hint}`,
    remedy: () => 'Use a name from the configuration (-c FILE, where that is another one).',
    explanation: 'A command was given a name that the configuration does not have.',
  }),
  needsConsent: errorKind<{ command: string; undoneBy?: string }>({
    code: 'TL-1013',
    title: 'The command wants --yes',
    recovery: 'usage',
    message: ({ command, undoneBy }) =>
      `"tidelock ${command}" was not done: ${undoneBy === undefined ? "it can't be undone and" : `it changes rows (${undoneBy} gives them back) and`} wants --yes`,
    remedy: () => 'Read what it would do, and repeat it with --yes.',
    explanation: 'Commands that remove something or change where a route goes on print what they would do first.',
  }),
  arguments: errorKind<{ why: string; command?: string }>({
    code: 'TL-1014',
    title: 'The arguments of a command are not valid',
    recovery: 'usage',
    message: ({ why }) => why,
    remedy: ({ command }) =>
      command ? `${command} -h shows what it takes.` : '-h after the command shows what it takes.',
    explanation: 'A command was given an option, an argument or a combination that it does not have.',
  }),
  oldNode: errorKind<{ found: string; oldest: string }>({
    code: 'TL-1016',
    title: 'Node is too old for the engine',
    recovery: 'usage',
    message: ({ found, oldest }) => `Tidelock needs Node ${oldest} or newer, and this is ${found}`,
    remedy: () => 'Install a newer Node, or let npm bring one: npx -p node@22 -p tidelock tidelock, and the command.',
    explanation:
      'The engine uses what older versions of Node have not. In a checkout npm brings a Node that is new enough along with the other packages.',
  }),
};
