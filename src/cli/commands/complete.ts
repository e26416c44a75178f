import type { Command } from 'commander';
import { type CommandLine, exits } from '../command-line.ts';
import { complete } from '../completion/complete.ts';
import { buildProgram } from '../tidelock.ts';

/** What the scripts of `completion` call at each press of the key. */
export function addComplete(program: Command, line: CommandLine): void {
  program
    .command('complete', { hidden: true })
    .description('what may stand behind these words')
    .argument('<words...>')
    .addHelpText('after', '\nExample:\n  tidelock complete -- stop sales-')
    .action(
      exits(line, async (words: readonly string[]) => {
        const { files, words: found } = await complete(words, line, (name) => buildProgram(line, name));
        const lines = found.map(({ word, about }) => (about === '' ? word : `${word}\t${about}`));
        line.out.write(`${[files ? ':files' : ':words', ...lines].join('\n')}\n`);
        return 0;
      }),
    );
}
