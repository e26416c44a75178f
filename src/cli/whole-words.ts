import type { CommandLine } from './command-line.ts';
import { terminalColumns } from './terminal.ts';

/**
 * What goes to standard error, its lines broken between words where a terminal would break them anywhere; what is indented goes on further
 * in. Measuring text takes a tenth of a second to load: only where a line is too long.
 */
export async function wholeWords({ err }: Pick<CommandLine, 'err'>, text: string): Promise<string> {
  const columns = terminalColumns({ out: err });
  const lines = text.split('\n');
  if (columns === null || lines.every((line) => line.length < columns)) return text;
  const { wrapped } = await import('./wrapped.ts');
  return lines
    .flatMap((line) => {
      const sentence = line.trimStart();
      const indent = line.length - sentence.length;
      return wrapped(sentence, { indent, columns, hang: indent === 0 ? 0 : 2 });
    })
    .join('\n');
}
