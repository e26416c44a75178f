import type { Command } from 'commander';
import { hidden } from '../commands.ts';
import { buildProgram } from '../tidelock.ts';

const introduction = `# Command line

Made of the commands' own help by \`npm run docs\`. \`tidelock COMMAND -h\` prints the same.

Options stand after the command. \`--json\` prints one document on standard output (streams: one a line); logs, notes and errors go to standard error. Documents are part of the contract: keys are added and never
changed. Tables are as wide as the terminal; colours are on a terminal only, \`NO_COLOR\` takes them away and \`FORCE_COLOR\` brings them anywhere.

| exit code | means                                                                   |
| --------- | ----------------------------------------------------------------------- |
| 0         | done, and true                                                          |
| 1         | ran, and the answer is no: not ready, not caught up in time             |
| 2         | could not run: arguments, configuration, a server that can't be reached |
| 3         | internal error                                                          |
| 130       | interrupted, or the job that was waited for was paused                  |

\`tidelock completion bash|zsh|fish\` prints what completes commands, options and the names of routes and nodes.
`;

/** docs/cli.md. */
export async function cliPage(): Promise<string> {
  const nowhere = { write: () => true } as unknown as NodeJS.WriteStream;
  const program = await buildProgram({
    env: {},
    cwd: '/',
    out: nowhere,
    err: nowhere,
    signal: new AbortController().signal,
    exitCode: 0,
  });
  const sections = program.commands.filter((command) => !hidden.has(command.name())).flatMap((of) => section(of));
  return `${introduction}\n${sections.join('\n')}`;
}

function section(command: Command, parents: readonly string[] = []): string[] {
  const names = [...parents, command.name()];
  if (command.commands.length > 0)
    return [
      `## tidelock ${names.join(' ')}\n\n${command.description()}\n`,
      ...command.commands.flatMap((below) => section(below, names)),
    ];
  let help = '';
  command.configureHelp({ helpWidth: 100 });
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
    getOutHelpWidth: () => 100,
  });
  command.outputHelp();
  return [`${parents.length === 0 ? '##' : '###'} tidelock ${names.join(' ')}\n\n\`\`\`\n${help.trimEnd()}\n\`\`\`\n`];
}
