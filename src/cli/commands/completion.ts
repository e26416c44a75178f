import { Argument, type Command } from 'commander';
import type { CommandLine } from '../command-line.ts';
import { exits } from '../command-line.ts';
import { type Shell, scripts, shells } from '../completion/scripts.ts';

export function addCompletion(program: Command, line: CommandLine): void {
  program
    .command('completion')
    .description('print the completion of a shell: commands, options, names of routes and nodes')
    .addArgument(new Argument('<shell>', 'which').choices(shells))
    .addHelpText(
      'after',
      `
Examples:
  tidelock completion bash > /etc/bash_completion.d/tidelock
  tidelock completion zsh > "\${fpath[1]}/_tidelock"
  tidelock completion fish > ~/.config/fish/completions/tidelock.fish`,
    )
    .action(
      exits(line, async (shell: Shell) => {
        line.out.write(scripts[shell]);
        return 0;
      }),
    );
}
